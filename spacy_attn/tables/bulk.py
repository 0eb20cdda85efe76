"""Annotate a data set of any size: in parts, by several processes, from where it was stopped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from .annotator import Annotator
from .failures import RowError
from .formats import writing
from .output_folder import Output, Record
from .shards import Shard
from .task_workers import HaltError, Work, run_tasks

# Rows that are read and annotated at a time, but for one batch of the pipeline at least.
_ROWS = 1000


class Bar(Protocol):
    """A progress bar."""

    def update(self, n: float | None = 1) -> bool | None:
        """Count rows."""


@dataclass
class Counts:
    """What is counted of annotated rows.

    Attributes:
        rows: All of them.
        failed: Those without annotations.
        words: Tokens of the pipeline.
        labels: Rows by label.
    """

    rows: int = 0
    failed: int = 0
    words: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, other: Mapping[str, Any]) -> None:
        """Add what was counted elsewhere, by the names of the attributes."""
        self.rows += other["rows"]
        self.failed += other["failed"]
        self.words += other["words"]
        self.labels.update(other["labels"])


@dataclass
class Outcome:
    """How a run has ended.

    Attributes:
        counts: Of all rows that are in the output.
        words: Tokens of this run alone.
        seconds: How long it took, from when a worker was ready.
        failures: Why parts are missing, by the rows that they would hold.
        n_missing: The number of parts that are missing, of which some may not have been begun.
    """

    counts: Counts
    words: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)
    n_missing: int = 0


@dataclass(frozen=True)
class Job:
    """What each worker gets, once.

    Attributes:
        annotator: Annotates the rows.
        output: Where they go.
        schema: Columns of some rows, to find out early whether they can be annotated.
        set_up: Called in each worker, before the pipeline is loaded.
    """

    annotator: Annotator
    output: Output
    schema: pa.Schema
    set_up: Callable[[], object]

    def prepare(self) -> Work:
        """Load the pipeline, and check the columns.

        Raises:
            ValueError: If no row could be annotated.
        """
        self.set_up()
        self.annotator.schema(self.schema)
        return self.annotate_part

    def annotate_part(
        self, task: tuple[int, Shard], report: Callable[[int], None]
    ) -> dict[str, Any]:
        """Write a part: the rows of a shard, annotated.

        Args:
            task: The number of the part, and the shard.
            report: Told of rows that are done.

        Returns:
            What the output keeps of the part: counts, and of which rows it is.

        Raises:
            HaltError: If it cannot be written.
            DatasetError: If rows cannot be read or annotated.
        """
        number, shard = task
        record: dict[str, Any] = {"rows of": shard.identity}
        try:
            with self.output.writing_part(number, record) as path:
                record |= vars(self._write(shard, path, report))
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = f"cannot write '{self.output.part(number)}': {error}"
            raise HaltError(reason) from error
        return record

    def _write(self, shard: Shard, path: Path, report: Callable[[int], None]) -> Counts:
        annotator, counts = self.annotator, Counts()
        failed, words = annotator.n_failed, annotator.n_words
        schema = annotator.schema(shard.schema())
        label_column = annotator.schema(pa.schema([(annotator.text_column, pa.string())])).names[1]
        size = annotator.batch_size * max(1, _ROWS // annotator.batch_size)
        with writing(path, self.output.ending, schema) as write:
            for table in shard.batches(size):
                try:
                    annotated = annotator(table)
                except RowError as error:
                    row = shard.start + counts.rows + error.row
                    raise ValueError(f"row {row} (counted from 0): {error.problem}") from error
                write(annotated)
                counts.rows += len(annotated)
                counts.labels.update(_count_labels(annotated[label_column]))
                report(len(annotated))
        counts.failed, counts.words = annotator.n_failed - failed, annotator.n_words - words
        return counts


def apply(
    job: Job,
    shards: Sequence[Shard],
    finished: Mapping[int, Record],
    *,
    workers: int,
    threads: int,
    bar: Bar,
) -> Outcome:
    """Annotate the shards of a data set, each as a part of the output, in processes.

    Args:
        job: What is done.
        shards: The rows, in their order.
        finished: Records of the parts that are there already.
        workers: The number of processes.
        threads: The number of threads of each.
        bar: Told of rows that are done.

    Returns:
        What was done, and what could not be. The other parts are complete.
    """
    start = None
    outcome = Outcome(Counts())
    tasks = {i: (i, shard) for i, shard in enumerate(shards) if i not in finished}
    for record in finished.values():
        outcome.counts.add(record)
    missing: set[int | None] = set(tasks)
    # Whatever happens here, no process is left at work.
    with closing(run_tasks(tasks, job.prepare, workers, threads)) as events:
        for event in events:
            if event.kind == "ready":
                start = start or time.perf_counter()
            elif event.kind == "progress":
                bar.update(event.value)
            elif event.kind == "done":
                outcome.counts.add(event.value)
                outcome.words += event.value["words"]
                missing.discard(event.task)
            else:
                place = "" if event.task is None else str(shards[event.task])
                outcome.failures.setdefault(place, event.value)
    outcome.n_missing = len(missing)
    if start is not None:
        outcome.seconds = time.perf_counter() - start
    return outcome


def _count_labels(column: pa.ChunkedArray) -> dict[str, int]:
    """Count the rows of each label, of which a row may have several."""
    if pa.types.is_nested(column.type):
        column = pc.list_flatten(column)
    counts = pc.value_counts(column).to_pylist()
    return {each["values"]: each["counts"] for each in counts if each["values"] is not None}
