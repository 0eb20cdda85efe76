"""The command `python -m benchmarks.memory`: whether memory grows with the number of documents.

Each figure is the resident memory of a process of its own, at its highest (Linux only).
"""

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy.cli.train import train
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Option

from spacy_attn.models.fused_adam import FusedAdam_v1

from .child import Child, peak_memory
from .models import DEFAULT_CONFIG, MODELS, OURS, SPACY_DEFAULT
from .sides import make_examples, make_pipeline, make_texts
from .tables import markdown, number
from .training import LOGGER

app = typer.Typer(add_completion=False, no_args_is_help=True)

BATCH = 1000
# How often the memory of a training is read.
PARTS = 10


@cache
def snippets() -> list[str]:
    """Return natural sentences, a prime number of them.

    So no two batches of a round number are alike: what is kept for each length of a batch shows.
    """
    return make_texts("short", 5987)


def texts(n_docs: int, *, new_words: bool) -> Iterator[str]:
    """Yield so many sentences; with a word at the end of each that has not been seen before."""
    for i in range(n_docs):
        yield snippets()[i % len(snippets())] + (f" word{i:x}x" if new_words else "")


# --- What is measured, in a process of its own ----------------------------------------------------


def tokenize(side: str, n_docs: int, new_words: bool) -> None:
    nlp, _ = make_pipeline(side, snippets())
    for text in texts(n_docs, new_words=new_words):
        nlp.make_doc(text)


def pipe(side: str, n_docs: int, new_words: bool) -> None:
    nlp, _ = make_pipeline(side, snippets())
    for doc in nlp.pipe(texts(n_docs, new_words=new_words)):
        assert doc.cats


def pipe_in_memory_zone(side: str, n_docs: int, new_words: bool) -> None:
    nlp, _ = make_pipeline(side, snippets())
    source = texts(n_docs, new_words=new_words)
    for _ in range(0, n_docs, BATCH):
        with nlp.memory_zone():
            for doc in nlp.pipe(islice(source, BATCH)):
                assert doc.cats


def long_document(n_tokens: int, training: bool) -> None:
    """Predict, or train with, one document; without tokens, a sentence in training alone."""
    nlp, _ = make_pipeline(OURS, snippets())
    nlp.max_length = 10**9
    words = " ".join(snippets()).split()
    text = " ".join(random.Random(0).choices(words, k=n_tokens)) or snippets()[0]
    if training:
        nlp.update(make_examples(nlp, [text]), sgd=FusedAdam_v1(), drop=0.5)
    elif n_tokens:
        nlp(text)


def peak_of(function: Callable[..., object], *arguments: Any) -> int | None:
    function(*arguments)
    return peak_memory()


def write_corpora(folder: Path, n_docs: int, new_words: bool) -> dict[str, Any]:
    """Write files of documents with labels. Return the settings of a config that name them."""
    settings = {}
    for name, count in (("train", n_docs), ("dev", 200)):
        path = folder / f"{name}.jsonl"
        with path.open("w") as file:
            for i, text in enumerate(texts(count, new_words=new_words)):
                row = {"text": text, "label": ("positive", "negative")[i % 2]}
                file.write(json.dumps(row) + "\n")
        settings[f"paths.{name}"] = str(path)
    return settings


def train_kept(n_docs: int, new_words: bool, lazy: bool) -> None:
    """Train for an epoch on a file whose rows are all kept."""
    with tempfile.TemporaryDirectory() as folder:
        overrides = {
            **write_corpora(Path(folder), n_docs, new_words),
            "corpora.train.lazy": lazy,
            "training.max_epochs": 1,
            "training.patience": 0,
            "training.eval_frequency": n_docs,
            "components.attn_textcat.perturbation": 0.0,
            "initialize.after_init": None,
        }
        train(DEFAULT_CONFIG, overrides=overrides)


def train_streamed(n_docs: int, new_words: bool, perturbation: float) -> list[int]:
    """Train on a streamed file. Return the highest memory of each part of the training."""
    with tempfile.TemporaryDirectory() as folder:
        log, steps = Path(folder, "log.jsonl"), n_docs // 32
        overrides = {
            **write_corpora(Path(folder), n_docs, new_words),
            "corpora.train.streaming": True,
            "corpora.train.shuffle_buffer": 1000,
            "training.max_epochs": -1,
            "training.max_steps": steps,
            "training.patience": 0,
            "training.eval_frequency": max(1, steps // PARTS),
            "training.logger": {"@loggers": LOGGER, "path": str(log)},
            "components.attn_textcat.perturbation": perturbation,
        }
        train(DEFAULT_CONFIG, overrides=overrides)
        lines = log.read_text().splitlines()
    # The first is of what comes before the first step.
    return [json.loads(line)["peak"] for line in lines[1 : PARTS + 1]]


# --- The commands ---------------------------------------------------------------------------------


def megabytes(function: Callable[..., object], *arguments: Any) -> float:
    """Return the highest resident memory of a new process that calls a function."""
    with Child() as child:
        return (child.call(peak_of, function, *arguments) or 0) / 1e6


@app.command("predict")
def predict_command(
    documents: Annotated[str, Option(help="Comma-separated numbers")] = "10000,50000,200000",
) -> None:
    """Stream documents through the tokenizer, `nlp.pipe`, and `nlp.pipe` in memory zones.

    Their words are all known after a while, or each has a new one, which spaCy's vocabulary keeps
    unless it is read in a memory zone.
    """
    counts = [int(number) for number in documents.split(",")]
    ways = [(OURS, tokenize), (OURS, pipe), (OURS, pipe_in_memory_zone), (SPACY_DEFAULT, pipe)]
    rows = []
    # disable=None shows the bar on a terminal only.
    for new_words, (side, function) in tqdm(list(product((False, True), ways)), disable=None):
        name = function.__name__.replace("_", " ")
        peaks = [megabytes(function, side, n, new_words) for n in counts]
        rows.append(
            {
                "MB": name if side == OURS else f"{name}, {MODELS[side].title}",
                "new words": "one a document" if new_words else "none",
                **{f"{n:,} documents": number(x, 0) for n, x in zip(counts, peaks, strict=True)},
                "last / first": number(peaks[-1] / peaks[0], 2),
            }
        )
    typer.echo(markdown(rows))


@app.command("long")
def long_command(tokens: Annotated[int, Option(help="Of the document")] = 100_000) -> None:
    """Predict and train with one very long document."""
    rows = [
        {
            "MB": "training" if training else "prediction",
            "without it": number(megabytes(long_document, 0, training), 0),
            f"one document of {tokens:,} tokens": number(
                megabytes(long_document, tokens, training), 0
            ),
        }
        for training in (False, True)
    ]
    typer.echo(markdown(rows))


@app.command("rows")
def rows_command(
    documents: Annotated[str, Option(help="Two numbers, separated by a comma")] = "10000,54000",
    new_words: Annotated[bool, Option(help="A new word in each document")] = False,
) -> None:
    """Train on short documents that are kept, and show what each row takes."""
    first, last = (int(number) for number in documents.split(","))
    rows = []
    for lazy in tqdm((False, True), disable=None):
        peaks = [megabytes(train_kept, n, new_words, lazy) for n in (first, last)]
        kilobytes = 1000 * (peaks[1] - peaks[0]) / (last - first)
        shown = {f"{n:,} rows": number(x, 0) for n, x in zip((first, last), peaks, strict=True)}
        rows.append(
            {"MB": f"lazy = {str(lazy).lower()}", **shown, "KB a row": number(kilobytes, 1)}
        )
    typer.echo(markdown(rows))


@app.command("train")
def train_command(
    documents: Annotated[int, Option(help="Of the streamed file")] = 1_000_000,
    new_words: Annotated[bool, Option(help="A new word in each document")] = False,
    perturbation: Annotated[float, Option(help="As in the config")] = 0.0,
) -> None:
    """Train on a streamed file of short documents, and show memory over the course of it."""
    with Child() as child:
        peaks = child.call(train_streamed, documents, new_words, perturbation)
    rows = [
        {"tenth of the training": str(i), "highest MB": number(peak / 1e6, 0)}
        for i, peak in enumerate(peaks, start=1)
    ]
    typer.echo(markdown(rows))


if __name__ == "__main__":
    app()
