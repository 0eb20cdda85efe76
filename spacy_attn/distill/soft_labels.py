"""What a student learns: the probabilities of its teachers, mixed with annotated ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..tables.formats import writing
from ..text_files import complete_file
from .training_texts import GOLD, TEXT

SCORE = "score_"


def common_labels(teachers: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Return the labels that all teachers have.

    Args:
        teachers: The name and the labels of each.

    Raises:
        ValueError: If two have different ones.
    """
    name, labels = teachers[0]
    for other, others in teachers[1:]:
        if different := sorted(set(labels) ^ set(others)):
            raise ValueError(
                f"The teachers '{name}' and '{other}' must have the same labels, but only one of "
                f"them has {different}."
            )
    return tuple(labels)


def write_soft_labels(
    path: Path,
    parts: Iterable[Sequence[Path]],
    labels: Sequence[str],
    *,
    exclusive: bool,
    gold_weight: float,
) -> None:
    """Write the texts with a column `score_LABEL` for each label, as a Parquet file.

    Args:
        path: The file.
        parts: The files in which teachers have annotated the texts, those of the same texts
            together. Their probabilities are averaged.
        labels: The labels.
        exclusive: Whether the labels exclude one another. Then they sum to 1.
        gold_weight: What an annotated label counts beside the teachers, from 0 to 1.

    Raises:
        ValueError: If an annotated label is none of these.
    """
    schema = pa.schema([(TEXT, pa.string()), *((SCORE + label, pa.float32()) for label in labels)])
    with complete_file(path) as temporary, writing(temporary, ".parquet", schema) as write:
        for files in parts:
            for tables in zip(*map(_tables, files), strict=True):
                mixed = _mix(tables, labels, exclusive=exclusive, gold_weight=gold_weight)
                columns = [pa.array(column) for column in mixed.astype("float32").T]
                write(pa.table([tables[0][TEXT].combine_chunks(), *columns], schema))


def _tables(file: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(file) as opened:
        for group in range(opened.num_row_groups):
            yield opened.read_row_group(group, use_threads=False)


def _mix(
    tables: Sequence[pa.Table], labels: Sequence[str], *, exclusive: bool, gold_weight: float
) -> NDArray[numpy.float64]:
    """Return what is learned of each text, shape (n_texts, n_labels)."""
    taught = [
        numpy.column_stack([table[SCORE + label].to_numpy() for label in labels])
        for table in tables
    ]
    scores: NDArray[numpy.float64] = numpy.mean(taught, axis=0)
    for row, gold in enumerate(tables[0][GOLD].to_pylist()):
        if gold:
            scores[row] = _with_gold(scores[row], dict(gold), labels, exclusive, gold_weight)
    return scores / scores.sum(axis=1, keepdims=True) if exclusive else scores


def _with_gold(
    taught: NDArray[Any],
    gold: dict[str, float],
    labels: Sequence[str],
    exclusive: bool,
    weight: float,
) -> NDArray[Any]:
    if unknown := sorted(label for label, value in gold.items() if value and label not in labels):
        raise ValueError(
            f"The training data have the labels {unknown}, which the teacher does not have. It has "
            f"{list(labels)}. Rename one or the other."
        )
    # Of independent labels that are not annotated nothing is known.
    absent = numpy.zeros(len(labels)) if exclusive else taught
    annotated = [gold.get(label, other) for label, other in zip(labels, absent, strict=True)]
    return (1.0 - weight) * taught + weight * numpy.array(annotated)
