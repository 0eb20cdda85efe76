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
from typing import IO, Annotated, Any

import spacy
import typer
from spacy.cli.train import train
from spacy.language import Language
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Option

from spacy_attn.models.fused_adam import FusedAdam_v1

from .child import Child, reset_peak, resident_memory
from .models import DEFAULT_CONFIG, MODELS, OURS, SPACY_DEFAULT
from .sides import make_examples, make_pipeline, make_texts
from .tables import markdown, number

app = typer.Typer(add_completion=False, no_args_is_help=True)

PEAK_LOGGER = "spacy-attn-benchmarks.Peak.v1"
# How often the memory of a training is read.
PARTS = 10
_PEAKS: list[int] = []


@cache
def snippets() -> list[str]:
    """Return natural sentences.

    A prime number of them, so that no two batches of a round number are alike: what is kept for
    each length of a batch then shows.
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
    batch_size = 1000
    source = texts(n_docs, new_words=new_words)
    for _ in range(0, n_docs, batch_size):
        with nlp.memory_zone():
            for doc in nlp.pipe(islice(source, batch_size)):
                assert doc.cats


def predict_long(n_tokens: int) -> None:
    nlp, _ = make_pipeline(OURS, snippets())
    nlp.max_length = 10**9
    if n_tokens:
        nlp(long_text(n_tokens))


def train_long(n_tokens: int) -> None:
    nlp, _ = make_pipeline(OURS, snippets())
    nlp.max_length = 10**9
    text = long_text(n_tokens) if n_tokens else snippets()[0]
    nlp.update(make_examples(nlp, [text]), sgd=FusedAdam_v1(), drop=0.5)


def long_text(n_tokens: int) -> str:
    words = " ".join(snippets()).split()
    return " ".join(random.Random(0).choices(words, k=n_tokens))


def peak_of(function: Callable[..., None], *arguments: Any) -> int | None:
    function(*arguments)
    return resident_memory("VmHWM")


def train_streamed(n_docs: int, new_words: bool, perturbation: float) -> list[int]:
    """Train on a streamed file. Return the highest memory of each part of the training."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{name}.jsonl") for name in ("train", "dev")}
        for path, count in zip(paths.values(), (n_docs, 200), strict=True):
            with path.open("w") as file:
                for i, text in enumerate(texts(count, new_words=new_words)):
                    row = {"text": text, "label": ("positive", "negative")[i % 2]}
                    file.write(json.dumps(row) + "\n")
        steps = n_docs // 32
        overrides = {
            "paths.train": str(paths["train"]),
            "paths.dev": str(paths["dev"]),
            "corpora.train.streaming": True,
            "corpora.train.shuffle_buffer": 1000,
            "training.max_epochs": -1,
            "training.max_steps": steps,
            "training.patience": 0,
            "training.eval_frequency": max(1, steps // PARTS),
            "training.logger": {"@loggers": PEAK_LOGGER},
            "components.attn_textcat.perturbation": perturbation,
        }
        train(DEFAULT_CONFIG, overrides=overrides)
    # The first is of what comes before the first step.
    return _PEAKS[1:]


@spacy.registry.loggers(PEAK_LOGGER)
def make_peak_logger() -> Callable[..., Any]:
    """Make a logger of `[training]` that keeps the highest memory since the last evaluation."""

    def setup(nlp: Language, *streams: IO[str]) -> tuple[Callable[..., None], Callable[[], None]]:
        def log_step(info: dict[str, Any] | None) -> None:
            if info is not None and info["score"] is not None:
                _PEAKS.append(resident_memory("VmHWM") or 0)
                reset_peak()

        return log_step, lambda: None

    return setup


# --- The commands ---------------------------------------------------------------------------------


def megabytes(function: Callable[..., None], *arguments: Any) -> float:
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
    with tqdm(total=2 * len(ways) * len(counts), unit=" processes", disable=None) as bar:
        for new_words, (side, function) in product((False, True), ways):
            name = function.__name__.replace("_", " ")
            row = {
                "MB": name if side == OURS else f"{name}, {MODELS[side].title}",
                "new words": "one a document" if new_words else "none",
            }
            peaks = []
            for n in counts:
                peaks.append(megabytes(function, side, n, new_words))
                row[f"{n:,} documents"] = number(peaks[-1], 0)
                bar.update()
            rows.append({**row, "last / first": number(peaks[-1] / peaks[0], 2)})
    typer.echo(markdown(rows))


@app.command("long")
def long_command(tokens: Annotated[int, Option(help="Of the document")] = 100_000) -> None:
    """Predict and train with one very long document."""
    rows = [
        {
            "MB": name,
            "without it": number(megabytes(function, 0), 0),
            f"one document of {tokens:,} tokens": number(megabytes(function, tokens), 0),
        }
        for name, function in (("prediction", predict_long), ("training", train_long))
    ]
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
    typer.echo(
        markdown(
            [
                {"tenth of the training": str(i + 1), "highest MB": number(peak / 1e6, 0)}
                for i, peak in enumerate(peaks[:PARTS])
            ]
        )
    )


if __name__ == "__main__":
    app()
