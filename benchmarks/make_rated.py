"""Three data sets for the comparison of accuracy that played no part in the choice of the defaults,
but for `initial`, for which training rows of two of them did.

Tweets, sentences of product reviews and sentences of newspaper editorials, all rated by about 20
people each on a scale from -4 to +4 for the VADER study (Hutto and Gilbert 2014, "VADER: A
Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text"), which the embedded
data set is from, too. The label is "positive" from a mean rating of 0.5, "negative" up to -0.5,
and "neutral" between.

In the root of the repository:

    pip download --no-binary :all: --no-deps vaderSentiment==3.3.2
    python -m benchmarks.make_rated vaderSentiment-3.3.2.tar.gz data
    python -m benchmarks.accuracy data/tweets data/products data/editorials --threads 1
"""

import hashlib
import html
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pyarrow
import pyarrow.parquet
import typer

from assets.movie_reviews.make import read_member

# Of each data set: its file in the study, and the SHA-256 of that.
FILES = {
    "tweets": (
        "tweets_GroundTruth.txt",
        "dfbe7102e2f92579ed8b19df9a3822491880697c67adf712fb66e520cc05102f",
    ),
    "products": (
        "amazonReviewSnippets_GroundTruth.txt",
        "11a9807a0974a2506a2d3b4851eaf69b3d6d20688ce4923adda2312a4f6dd6c2",
    ),
    "editorials": (
        "nytEditorialSnippets_GroundTruth.txt",
        "7d8fbcce7dde5d716da53e78f4ef4be6b706e9ef1e1d51887e6d0ad4b69cc27e",
    ),
}
POSITIVE_FROM = 0.5
# Where each split ends, in shares of the sources, in this order.
SPLIT_ENDS = {"test": 0.2, "validation": 0.3, "train": 1.0}


def parse(content: bytes) -> Iterator[tuple[str, str, str]]:
    """The rows of a file: the review or editorial that a sentence is from, text and label.

    Args:
        content: UTF-8; each line has an id, a mean rating and a text, separated by tabs. The id of
            a sentence has its source before an underscore.
    """
    for line in content.decode("utf-8").rstrip("\n").split("\n"):
        number, mean, text = line.split("\t", 2)
        yield number.split("_")[0], html.unescape(text).strip(), label_of(float(mean))


def label_of(rating: float) -> str:
    if abs(rating) < POSITIVE_FROM:
        return "neutral"
    return "positive" if rating > 0 else "negative"


def split_of(source: str) -> str:
    """The split that all sentences of a source are in, by its hash."""
    share = int(hashlib.sha256(source.encode()).hexdigest()[:8], 16) / 16**8
    return next(split for split, end in SPLIT_ENDS.items() if share < end)


def make(sdist: Path, name: str) -> dict[str, list[tuple[str, str]]]:
    """Text and label of the rows of each split; a text that occurs again is left out."""
    splits: dict[str, list[tuple[str, str]]] = {split: [] for split in SPLIT_ENDS}
    seen: set[str] = set()
    file, sha256 = FILES[name]
    for source, text, label in parse(read_member(sdist, f"hutto_ICWSM_2014/{file}", sha256)):
        if text.lower() not in seen:
            seen.add(text.lower())
            splits[split_of(f"{name} {source}")].append((text, label))
    return splits


def main(
    sdist: Annotated[Path, typer.Argument(help="vaderSentiment-3.3.2.tar.gz")],
    output: Annotated[Path, typer.Argument(help="Folder for a folder of each data set")],
) -> None:
    """Make data sets out of the source distribution of vaderSentiment."""
    for name in FILES:
        folder = output / name
        folder.mkdir(parents=True, exist_ok=True)
        for split, rows in make(sdist, name).items():
            texts, labels = zip(*rows, strict=True)
            table = pyarrow.table({"text": texts, "label": labels})
            pyarrow.parquet.write_table(table, folder / f"{split}.parquet")
            typer.echo(f"{folder / split}.parquet: {len(rows)} rows")


if __name__ == "__main__":
    typer.run(main)
