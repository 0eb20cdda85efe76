"""The command `python -m benchmarks.speed`."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Option

from ..accuracy.measure import environment
from .corpus import LENGTHS, make_corpus
from .sides import BARE, OURS, PIPELINES, PREDICTING, TOKENIZER, TRAINING, count_tokens
from .table import median, megabytes, ratio, table, thousands
from .worker import Setting, Task, Timing, Worker

OUTPUT = Path("benchmarks/results/speed")
LIMIT = "limit: tokenizer, then LSTM"
TRAINING_BATCH = 32
PIPE_BATCH = 1000
# Smaller ones, so that both processes have several.
PROCESS_BATCH = 200
BATCH_SIZES = (1, 8, 32, 128, 512, 2000)


@dataclass
class Measured:
    """The timings of all sides over one setting, round by round.

    Attributes:
        words: Tokens of a pass.
    """

    task: Task
    threads: int
    setting: Setting
    words: int
    timings: dict[str, list[Timing]] = field(default_factory=dict)

    def speeds(self, side: str) -> list[float]:
        """Words a second in each round."""
        if side == LIMIT:
            both = zip(self.timings[TOKENIZER], self.timings[BARE], strict=True)
            return [self.words / (a.seconds + b.seconds) for a, b in both]
        return [self.words / timing.seconds for timing in self.timings[side]]

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "threads": self.threads,
            "setting": self.setting._asdict(),
            "words": self.words,
            "rounds": {
                side: [timing._asdict() for timing in timings]
                for side, timings in self.timings.items()
            },
        }


def main(
    rounds: Annotated[int, Option(min=1, help="Passes of each side, by turns")] = 5,
    threads: Annotated[str, Option(help="Comma-separated numbers of threads")] = "1,2",
    snippets: Annotated[int, Option(help="Text of a pass of prediction, of 20 tokens each")] = 4000,
    training_snippets: Annotated[int, Option(help="Text of a pass of training")] = 1500,
    process_snippets: Annotated[int, Option(help="Text for nlp.pipe with two processes")] = 20_000,
    tasks: Annotated[
        str, Option(help="Comma-separated: predict, batches, single, train, processes")
    ] = "predict,batches,single,train,processes",
    output: Annotated[Path, Option(help="Folder for results")] = OUTPUT,
) -> None:
    """Time attn_textcat, spaCy's text classifiers, and what bounds them, by turns in one run.

    Each side has a process of its own, and each round one pass of each. Words are spaCy's tokens.
    """
    counts = [int(number) for number in threads.split(",")]
    parts: dict[str, Callable[[int], list[Measured]]] = {
        "predict": lambda n: measure(
            "predict", PREDICTING, n, rounds, [Setting(x, snippets, PIPE_BATCH) for x in LENGTHS]
        ),
        "batches": lambda n: measure(
            "predict",
            (OURS, "spacy ensemble", TOKENIZER, BARE),
            n,
            rounds,
            [Setting("short", snippets // 2, size) for size in BATCH_SIZES],
        ),
        "single": lambda n: measure(
            "single", (*PIPELINES, TOKENIZER, BARE), n, rounds, [Setting("short", 300, 1)]
        ),
        "train": lambda n: measure(
            "train",
            TRAINING,
            n,
            rounds,
            [Setting(x, training_snippets, TRAINING_BATCH) for x in LENGTHS],
        ),
        "processes": lambda n: measure(
            "predict",
            (OURS, "spacy BOW", "spacy ensemble"),
            n,
            min(rounds, 3),
            [
                Setting(length, process_snippets, PROCESS_BATCH, n_process, start)
                for length in ("short", "long")
                for n_process, start in ((1, "fork"), (2, "fork"), (2, "spawn"))
            ],
        ),
    }
    wanted = tasks.split(",")
    if unknown := [name for name in wanted if name not in parts]:
        raise typer.BadParameter(f"--tasks: there is no '{unknown[0]}'; known are {list(parts)}")
    results = {(name, n): parts[name](n) for n in counts for name in wanted}
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.md").write_text(to_markdown(results, rounds))
    content = {
        "environment": environment(max(counts)),
        "results": [
            {"part": name, **measured.to_dict()}
            for (name, _), group in results.items()
            for measured in group
        ],
    }
    (output / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    typer.echo((output / "results.md").read_text())


def measure(
    task: Task, sides: Sequence[str], threads: int, rounds: int, settings: Sequence[Setting]
) -> list[Measured]:
    """Have the sides take turns over each of the settings."""
    found = []
    workers = [Worker(side, task, threads) for side in sides]
    total = len(settings) * len(workers) * (rounds + 1)
    title = f"{task}, {threads} threads"
    with tqdm(total=total, desc=title, disable=not sys.stderr.isatty()) as progress:
        for setting in settings:
            words = sum(count_tokens(make_corpus(setting.length, setting.n_snippets)))
            measured = Measured(task, threads, setting, words, {side: [] for side in sides})
            for worker in workers:
                worker.prepare(setting)
                progress.update()
            for _ in range(rounds):
                for worker in workers:
                    measured.timings[worker.side].append(worker.run())
                    progress.update()
            found.append(measured)
    for worker in workers:
        worker.close()
    return found


def to_markdown(results: dict[tuple[str, int], list[Measured]], rounds: int) -> str:
    parts = ["# Speed", f"{os.cpu_count()} cores; median and range of {rounds} rounds."]
    for (name, threads), group in results.items():
        parts.append(f"## {TITLES[name]}, {threads} thread{'s' * (threads > 1)}")
        parts.append(TABLES[name](group))
    return "\n\n".join(parts) + "\n"


TITLES = {
    "predict": "Prediction, thousand words a second",
    "batches": "Prediction by batch size, short documents",
    "single": "One short document, `nlp(text)`",
    "train": "Training, thousand words a second",
    "processes": "Prediction in two processes",
}


def prediction_table(group: list[Measured]) -> str:
    return _sides_table(group, (*PREDICTING, LIMIT))


def training_table(group: list[Measured]) -> str:
    return _sides_table(group, TRAINING)


def _sides_table(group: list[Measured], sides: Sequence[str]) -> str:
    rows = []
    for side in sides:
        row = {"": side}
        for measured in group:
            length = measured.setting.length
            row[length] = thousands(measured.speeds(side))
            row[f"ours / this, {length}"] = ratio(measured.speeds(OURS), measured.speeds(side))
            timings = measured.timings.get(side, [])
            peaks = [timing.peak for timing in timings if timing.peak is not None]
            row[f"peak MB, {length}"] = megabytes(max(peaks, default=None))
        rows.append(row)
    return table(rows)


def batches_table(group: list[Measured]) -> str:
    return table(
        [
            {
                "batch size": str(measured.setting.batch_size),
                OURS: thousands(measured.speeds(OURS)),
                "ours / limit": ratio(measured.speeds(OURS), measured.speeds(LIMIT)),
                "ours / spacy ensemble": ratio(
                    measured.speeds(OURS), measured.speeds("spacy ensemble")
                ),
            }
            for measured in group
        ]
    )


def single_table(group: list[Measured]) -> str:
    (measured,) = group
    n_docs = measured.setting.n_snippets
    rows = []
    for side in (*PIPELINES, TOKENIZER, BARE, LIMIT):
        speeds = measured.speeds(side)
        milliseconds = 1000 * measured.words / median(speeds) / n_docs
        rows.append(
            {
                "": side,
                "ms a document": f"{milliseconds:.2f}",
                "time of ours / of this": ratio(speeds, measured.speeds(OURS)),
            }
        )
    return table(rows)


def processes_table(group: list[Measured]) -> str:
    rows = []
    for side in group[0].timings:
        for one, fork, spawn in (group[:3], group[3:]):
            rows.append(
                {
                    "": f"{side}, {one.setting.length}",
                    "one process": thousands(one.speeds(side)),
                    "two by fork": thousands(fork.speeds(side)),
                    "fork / one": ratio(fork.speeds(side), one.speeds(side)),
                    "two by spawn": thousands(spawn.speeds(side)),
                    "spawn / one": ratio(spawn.speeds(side), one.speeds(side)),
                }
            )
    return table(rows)


TABLES = {
    "predict": prediction_table,
    "batches": batches_table,
    "single": single_table,
    "train": training_table,
    "processes": processes_table,
}

if __name__ == "__main__":
    typer.run(main)
