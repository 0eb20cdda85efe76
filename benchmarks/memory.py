"""Whether memory grows with the number of documents.

Each figure is the resident memory of a process of its own, at its highest (Linux only).

    python -m benchmarks.memory predict
    python -m benchmarks.memory train
    python -m benchmarks.memory long

`predict` streams documents through `nlp.pipe`: of words that are all known after a while, and with
a new word in each, which spaCy's vocabulary keeps, unless they are read in a memory zone. Beside it
is the tokenizer alone. `train` runs `spacy train` on a streamed file of short documents, and shows
the memory over its course. `long` is one document of 100,000 tokens, at prediction and at training.
"""

import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import Annotated, Any

import typer
from tabulate import tabulate
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Option

from spacy_attn.models.fused_adam import FusedAdam_v1

from .speed.corpus import ROOT, make_corpus
from .speed.sides import OURS, make_examples, make_pipeline
from .speed.worker import resident_memory

app = typer.Typer(add_completion=False, no_args_is_help=True)

# A prime number of texts, so that no two batches of a round number are alike: what is kept for each
# length of a batch then shows.
TRAINING = make_corpus("short", 5987)


def texts(n_docs: int, *, new_words: bool) -> Iterator[str]:
    """Natural sentences, so many; with a word at the end of each that has not been seen before."""
    snippets = TRAINING.texts
    for i in range(n_docs):
        yield snippets[i % len(snippets)] + (f" word{i:x}x" if new_words else "")


# What is measured, in a process of its own


def tokenize(n_docs: int, new_words: bool) -> None:
    nlp, _ = make_pipeline(OURS, TRAINING)
    for text in texts(n_docs, new_words=new_words):
        nlp.make_doc(text)


def pipe(n_docs: int, new_words: bool) -> None:
    nlp, _ = make_pipeline(OURS, TRAINING)
    for doc in nlp.pipe(texts(n_docs, new_words=new_words)):
        assert doc._.attention is not None


def pipe_in_memory_zone(n_docs: int, new_words: bool) -> None:
    nlp, _ = make_pipeline(OURS, TRAINING)
    batch_size = 1000
    source = texts(n_docs, new_words=new_words)
    for _ in range(0, n_docs, batch_size):
        with nlp.memory_zone():
            for doc in nlp.pipe(islice(source, batch_size)):
                assert doc._.attention is not None


def predict_long(n_tokens: int) -> None:
    nlp, _ = make_pipeline(OURS, TRAINING)
    if n_tokens:
        nlp.max_length = 10**9
        nlp(_long_text(n_tokens))


def train_long(n_tokens: int) -> None:
    nlp, _ = make_pipeline(OURS, TRAINING)
    examples = make_examples(nlp, TRAINING)[:1]
    if n_tokens:
        nlp.max_length = 10**9
        examples[0].predicted = nlp.make_doc(_long_text(n_tokens))
        examples[0].reference = examples[0].predicted.copy()
        examples[0].reference.cats = {"positive": 1.0, "negative": 0.0}
    nlp.update(examples, sgd=FusedAdam_v1(), drop=0.5)


def _long_text(n_tokens: int) -> str:
    words = " ".join(TRAINING.texts).split()
    return " ".join(random.Random(0).choices(words, k=n_tokens))


def peak_of(function: Callable[..., None], *arguments: Any) -> int:
    """RETURNS: The highest resident memory of a new process that calls a function, in bytes."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_call, args=(queue, function, arguments))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{function.__name__}{arguments} failed; see above for why")
    return int(queue.get())


def _call(queue: Any, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    function(*arguments)
    queue.put(resident_memory("VmHWM"))


def show(rows: list[dict[str, Any]]) -> None:
    cells = [
        {name: f"{x:.0f}" if isinstance(x, float) else x for name, x in row.items()} for row in rows
    ]
    # Ratios are written out already, and are not to be rounded as numbers of megabytes are.
    typer.echo(tabulate(cells, headers="keys", tablefmt="pipe", disable_numparse=True))


@app.command("predict")
def predict_command(
    documents: Annotated[str, Option(help="Comma-separated numbers")] = "10000,50000,200000",
) -> None:
    counts = [int(number) for number in documents.split(",")]
    rows = []
    functions = (tokenize, pipe, pipe_in_memory_zone)
    # disable=None shows the bar on a terminal only.
    with tqdm(total=2 * len(functions) * len(counts), unit=" processes", disable=None) as bar:
        for new_words, function in product((False, True), functions):
            peaks = []
            for n in counts:
                peaks.append(peak_of(function, n, new_words) / 1e6)
                bar.update()
            row: dict[str, Any] = {
                "MB": function.__name__.replace("_", " "),
                "new words": "one a document" if new_words else "none",
            }
            row |= {f"{n:,} documents": peak for n, peak in zip(counts, peaks, strict=True)}
            rows.append({**row, "last / first": f"{peaks[-1] / peaks[0]:.2f}"})
    show(rows)


@app.command("long")
def long_command(tokens: Annotated[int, Option(help="Of the document")] = 100_000) -> None:
    show(
        [
            {
                "MB": name,
                "without it": peak_of(function, 0) / 1e6,
                f"one document of {tokens:,} tokens": peak_of(function, tokens) / 1e6,
            }
            for name, function in (("prediction", predict_long), ("training", train_long))
        ]
    )


@app.command("train")
def train_command(
    documents: Annotated[int, Option(help="Of the streamed file")] = 1_000_000,
    new_words: Annotated[bool, Option(help="A new word in each document")] = False,
    perturbation: Annotated[float, Option(help="As in the config")] = 0.0,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seen = run_training(Path(folder), documents, new_words, perturbation)
    tenths = [seen[len(seen) * i // 10 : len(seen) * (i + 1) // 10] for i in range(10)]
    show(
        [
            {"tenth of the training": i + 1, "highest MB": max(part) / 1e6}
            for i, part in enumerate(tenths)
            if part
        ]
    )


def run_training(folder: Path, n_docs: int, new_words: bool, perturbation: float) -> list[int]:
    """Train on a streamed file. RETURNS: Resident memory, once a second from the first step on."""
    for name, count in (("train", n_docs), ("dev", 200)):
        with (folder / f"{name}.jsonl").open("w") as file:
            for i, text in enumerate(texts(count, new_words=new_words)):
                row = {"text": text, "label": ("positive", "negative")[i % 2]}
                file.write(json.dumps(row) + "\n")
    steps = n_docs // 32
    settings = {
        "paths.train": folder / "train.jsonl",
        "paths.dev": folder / "dev.jsonl",
        "corpora.train.streaming": "true",
        "corpora.train.shuffle_buffer": 1000,
        "training.max_epochs": -1,
        "training.max_steps": steps,
        "training.patience": 0,
        "training.eval_frequency": max(1, steps // 20),
        "components.attn_textcat.perturbation": perturbation,
    }
    command = [sys.executable, "-m", "spacy", "train", str(ROOT / "configs" / "default.cfg")]
    for name, value in settings.items():
        command += [f"--{name}", str(value)]
    log = folder / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        seen: list[int] = []
        while process.poll() is None:
            time.sleep(1)
            if "\n  0 " in log.read_text():
                seen.append(resident_memory("VmRSS", process.pid) or 0)
    if process.returncode:
        raise SystemExit(log.read_text())
    return [value for value in seen if value]


if __name__ == "__main__":
    app()
