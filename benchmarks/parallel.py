"""The command `python -m benchmarks.parallel`: seconds of a step of training in several processes.

One process with one thread, one with two, and two with one each take turns over the same batches.
"""

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from typing import Annotated, Any, NamedTuple

import pandas as pd
import typer
from spacy.util import minibatch, registry
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Option

from spacy_attn.models.processes import together
from spacy_attn.pipeline.parallel import learning_components, learning_from_shares

from .child import Child
from .models import OURS
from .sides import LENGTHS, TRAINING_SNIPPETS, make_examples, make_pipeline, make_texts
from .tables import markdown, median_and_range

BATCH = 32


class Way(NamedTuple):
    """How a training uses the cores."""

    n_processes: int
    n_threads: int

    def __str__(self) -> str:
        processes, threads = (
            f"{n} {what}{'es' * (n > 1) if what == 'process' else 's' * (n > 1)}"
            for n, what in zip(self, ("process", "thread"), strict=True)
        )
        return f"{processes}, {threads} each" if self.n_processes > 1 else f"{processes}, {threads}"


WAYS = (Way(1, 1), Way(1, 2), Way(2, 1))


class Trainer:
    """One of the processes of a training.

    Args:
        rank: The number of this process among them, from 0.
        n: The number of processes.
        port: Of this machine, for them to find one another.
        n_snippets: Of the texts that the pipeline is initialized with.
    """

    def __init__(self, rank: int, n: int, port: int, n_snippets: int = TRAINING_SNIPPETS) -> None:
        self.nlp, config = make_pipeline(OURS, make_texts("short", n_snippets))
        self.component: Any = self.nlp.get_pipe(OURS)
        self.settings: dict[str, Any] = config["training"]
        self._open = contextlib.ExitStack()
        if n > 1:
            where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            os.environ.update(RANK=str(rank), WORLD_SIZE=str(n), **where)
            self._open.enter_context(together())
            learning = learning_components(self.nlp, [])
            self._open.enter_context(learning_from_shares(self.nlp, learning, seed=0))

    def prepare(self, length: str, n_steps: int) -> None:
        """Make ready for steps with documents of a length, and make one to warm up."""
        texts = make_texts(length, n_steps * BATCH * LENGTHS[length])
        self.batches = list(minibatch(make_examples(self.nlp, texts), BATCH))
        self.optimizer = registry.resolve({"made": self.settings["optimizer"]})["made"]
        self._make_step(self.batches[0])

    def run(self) -> float:
        """Return the seconds of a step, with as many as there are batches."""
        start = time.perf_counter()
        for batch in self.batches:
            self._make_step(batch)
        return (time.perf_counter() - start) / len(self.batches)

    def _make_step(self, batch: list[Any]) -> None:
        """Make a step as spaCy's training does."""
        batch = sorted(batch, key=lambda example: len(example.predicted))
        alone: Any = False  # no step yet
        self.nlp.update(batch, sgd=alone, drop=self.settings["dropout"], losses={})
        self.component.finish_update(self.optimizer)


class Processes:
    """The processes of one training, which do the same at the same time."""

    def __init__(self, way: Way) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self._children = [
            Child(way.n_threads, subject=partial(Trainer, rank, way.n_processes, port))
            for rank in range(way.n_processes)
        ]
        self._threads = ThreadPoolExecutor(way.n_processes)

    def call(self, *call: Any) -> Any:
        """Call a function in each process, and return what the first one returns."""
        return next(iter(self._threads.map(lambda child: child.call(*call), self._children)))

    def close(self) -> None:
        for child in self._children:
            child.__exit__()


def main(
    rounds: Annotated[int, Option(min=1, help="Passes of each way, by turns")] = 5,
    steps: Annotated[int, Option(min=1, help="Of a pass")] = 8,
    lengths: Annotated[str, Option(help="Comma-separated")] = "short,long",
) -> None:
    """Time steps of training in one process and in two, by turns in one run."""
    typer.echo(table(measure(lengths.split(","), rounds, steps)))


def measure(lengths: Sequence[str], rounds: int, steps: int) -> pd.DataFrame:
    """Have the ways take turns. Return a row for each pass."""
    rows = []
    with contextlib.ExitStack() as stack:
        groups = {}
        for way in WAYS:
            groups[way] = Processes(way)
            stack.callback(groups[way].close)
        for length in lengths:
            for group in groups.values():
                group.call(Trainer.prepare, length, steps)
            turns = product(range(rounds), groups.items())
            for turn, (way, group) in tqdm(list(turns), desc=length, disable=None):
                seconds = group.call(Trainer.run)
                rows.append({"length": length, "way": way, "round": turn, "seconds": seconds})
    return pd.DataFrame(rows)


def table(timings: pd.DataFrame) -> str:
    """Make a table with a row for each length and way: medians and ranges of the rounds."""
    rows = []
    for length, own in timings.groupby("length", sort=False):
        alone = own.loc[own["way"] == WAYS[0], "seconds"].to_numpy()
        for way in WAYS:
            seconds = own.loc[own["way"] == way, "seconds"].to_numpy()
            rows.append(
                {
                    "documents": str(length),
                    "training": str(way),
                    "ms a step": median_and_range(1000 * seconds, 0),
                    f"times as fast as {WAYS[0]}": median_and_range(alone / seconds, 2),
                }
            )
    return markdown(rows)


if __name__ == "__main__":
    typer.run(main)
