"""Make train.parquet, validation.parquet, test.parquet and word_ratings.tsv from the VADER study.

Usage, in the root of the repository:

    pip download --no-binary :all: --no-deps vaderSentiment==3.3.2
    python assets/movie_reviews/make.py vaderSentiment-3.3.2.tar.gz

The script reads the ratings of the movie-review snippets from the source distribution, drops the
snippets whose mean rating is zero, labels the others by the sign of the rating, and splits them.

The split is stratified and needs no random numbers. Within each label, the rows are sorted by the
SHA-256 of a fixed seed and the text; the first rows are the test split, the next the validation
split, the others the training split. The outcome is the same on every platform and with every
version of Python, and equal texts are neighbours, so they stay in one split (this is verified).

The ratings of words are those of VADER's lexicon: the mean and standard deviation of ten each.
"""

import argparse
import hashlib
import html
import io
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
MEMBER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
MEMBER_SHA256 = "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350"
LEXICON = "vaderSentiment/vader_lexicon.txt"
LEXICON_SHA256 = "1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5"

SEED = "spacy-attn/movie_reviews/1"
# For each split, how many rows of each label. The proportion of the labels is that of the whole.
COUNTS = {
    "test": {"positive": 496, "negative": 504},
    "validation": {"positive": 496, "negative": 504},
    "train": {"positive": 4250, "negative": 4318},
}
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("rating", pa.float64(), nullable=False),
    ]
)


class Row(NamedTuple):
    id: int
    text: str
    label: str
    rating: float


def extract(archive: tarfile.TarFile, ending: str) -> bytes:
    """Return the content of the one file in the archive whose path has this ending."""
    members = [m for m in archive.getmembers() if m.isfile() and m.name.endswith(ending)]
    if len(members) != 1:
        raise ValueError(f"Expected one {ending} in the archive, but found {len(members)}.")
    file = archive.extractfile(members[0])
    return b"" if file is None else file.read()


def read_member(sdist: Path, name: str = MEMBER, sha256: str = MEMBER_SHA256) -> bytes:
    """Return the bytes of a ratings file, which lies in an archive within the archive.

    sdist (Path): The source distribution of vaderSentiment 3.3.2.
    name (str): The path of the file in the inner archive.
    sha256 (str): Of its content.
    RETURNS (bytes): The content, of the SHA-256 expected.
    RAISES (ValueError): The archive lacks the file, or the file is not the one expected.
    """
    with tarfile.open(sdist) as outer:
        archive = extract(outer, ARCHIVE)
    with tarfile.open(fileobj=io.BytesIO(archive)) as inner:
        content = extract(inner, name)
    check(content, name, sha256)
    return content


def read_lexicon(sdist: Path) -> bytes:
    """Return the bytes of the lexicon. Takes and raises the same as read_member."""
    with tarfile.open(sdist) as archive:
        content = extract(archive, LEXICON)
    check(content, LEXICON, LEXICON_SHA256)
    return content


def check(content: bytes, name: str, expected: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise ValueError(f"The SHA-256 of {name} should be {expected}, but is {digest}.")


def parse_lexicon(content: bytes) -> dict[str, tuple[str, str]]:
    """Return the mean rating of each word and its standard deviation, as written in the source.

    content (bytes): UTF-8 text; each line has a word, a mean, a standard deviation and the ratings,
        separated by tabs. Of a word that occurs twice, the last line counts, as in VADER itself.
    """
    ratings = {}
    for line in content.decode("utf-8").splitlines():
        word, mean, deviation, _ = line.split("\t")
        ratings[word] = (mean, deviation)
    return ratings


def parse(content: bytes) -> list[Row]:
    """Return the rows with a rating other than zero, in the order of the source.

    content (bytes): UTF-8 text; each line has an id, a mean rating and a text, separated by tabs.
        Its texts contain HTML entities (`&amp;`), which are decoded.
    """
    rows = []
    for line in content.decode("utf-8").splitlines():
        number, mean, text = line.split("\t")
        rating = float(mean)
        if rating != 0:
            label = "positive" if rating > 0 else "negative"
            rows.append(Row(int(number), html.unescape(text).strip(), label, rating))
    return rows


def order(row: Row) -> tuple[str, int]:
    return hashlib.sha256(f"{SEED}\n{row.text}".encode()).hexdigest(), row.id


def split(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of each split, shuffled, with the labels mixed.

    RAISES (ValueError): The counts are not those of COUNTS, or two splits share a text.
    """
    splits: dict[str, list[Row]] = {name: [] for name in COUNTS}
    for label in ("positive", "negative"):
        remaining = sorted((row for row in rows if row.label == label), key=order)
        expected = sum(counts[label] for counts in COUNTS.values())
        if len(remaining) != expected:
            raise ValueError(f"Expected {expected} {label} rows, but found {len(remaining)}.")
        for name, counts in COUNTS.items():
            splits[name].extend(remaining[: counts[label]])
            remaining = remaining[counts[label] :]
    split_of: dict[str, str] = {}
    for name, chosen in splits.items():
        chosen.sort(key=order)
        for row in chosen:
            if split_of.setdefault(row.text, name) != name:
                raise ValueError(f"Both {split_of[row.text]} and {name} contain {row.text!r}.")
    return splits


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make the movie-review data set.")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder")
    args = parser.parse_args(argv)
    args.output.mkdir(parents=True, exist_ok=True)
    for name, rows in split(parse(read_member(args.sdist))).items():
        columns = [list(column) for column in zip(*rows, strict=True)]
        table = pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
            schema=SCHEMA,
        )
        path = args.output / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=19)
        sys.stdout.write(f"{path}: {len(rows)} rows\n")
    ratings = parse_lexicon(read_lexicon(args.sdist))
    path = args.output / "word_ratings.tsv"
    lines = ["word\trating\tsd", *("\t".join((word, *row)) for word, row in ratings.items())]
    path.write_bytes("".join(line + "\n" for line in lines).encode("utf-8"))
    sys.stdout.write(f"{path}: {len(ratings)} words\n")


if __name__ == "__main__":
    main()
