"""What a student learns: the probabilities of its teachers, mixed with annotated ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..pipeline.decisions import Decisions
from ..tables.formats import writing
from ..text_files import complete_file
from .training_texts import GOLD, TEXT

if TYPE_CHECKING:
    from ..tables.bulk import Bar

SCORE = "score_"


@dataclass
class Mixed:
    """How many texts lack a teacher's labels or an annotation.

    Attributes:
        by_annotation: Those that no teacher has labelled. Their annotation is learned alone.
        unlabelled: Those that are left out, since they have no annotation either.
        unknown: Values of independent labels that are not known of texts that are learned.
    """

    by_annotation: int = 0
    unlabelled: int = 0
    unknown: int = 0

    def add(self, taught: NDArray[Any], mixed: NDArray[Any], n_texts: int) -> None:
        """Count texts of which something is known, out of a number of texts."""
        self.by_annotation += int(numpy.isnan(taught).all(axis=1).sum())
        self.unlabelled += n_texts - len(mixed)
        self.unknown += int(numpy.isnan(mixed).sum())


def common_labels(teachers: Sequence[tuple[str, Decisions]], *, exclusive: bool) -> tuple[str, ...]:
    """Return the labels that all teachers have.

    Args:
        teachers: The name of each, and how it decides.
        exclusive: Whether labels of the student exclude one another.

    Raises:
        ValueError: If two have different labels, or if one has labels of another kind than the
            student.
    """
    name, first = teachers[0]
    for other, decisions in teachers:
        if decisions.exclusive != exclusive:
            kinds = ("exclude one another", "do not exclude one another")
            own, of_student = kinds if decisions.exclusive else kinds[::-1]
            factory = "attn_textcat" if decisions.exclusive else "attn_textcat_multilabel"
            raise ValueError(
                f"The labels of the teacher '{other}' {own}, but those of the student {of_student}"
                f". Take '{factory}' as the student's component, or another teacher."
            )
    for other, decisions in teachers[1:]:
        if different := sorted(set(first.labels) ^ set(decisions.labels)):
            raise ValueError(
                f"The teachers '{name}' and '{other}' must have the same labels, but only one of "
                f"them has {different}."
            )
    return first.labels


def write_soft_labels(
    path: Path,
    parts: Iterable[Sequence[Path]],
    labels: Sequence[str],
    *,
    exclusive: bool,
    gold_weight: float,
    bar: Bar | None = None,
) -> Mixed:
    """Write the texts with a column `score_LABEL` for each label, as a Parquet file.

    A text that no teacher has labelled keeps its annotation, and is left out if it has none.

    Args:
        path: The file.
        parts: The files in which teachers have annotated the texts, those of the same texts
            together. Their probabilities are averaged; null is left out.
        labels: The labels. Annotations of others are left out.
        exclusive: Whether the labels exclude one another. Then they sum to 1.
        gold_weight: What an annotated label counts beside the teachers, from 0 to 1.
        bar: Told of texts that are done.

    Returns:
        How many texts lack one of both.
    """
    schema = pa.schema([(TEXT, pa.string()), *((SCORE + label, pa.float32()) for label in labels)])
    counts = Mixed()
    with complete_file(path) as temporary, writing(temporary, ".parquet", schema) as write:
        for files in parts:
            tables = [pq.read_table(file) for file in files]
            taught = _average(tables, labels)
            mixed = _mix(taught, tables[0], labels, exclusive=exclusive, gold_weight=gold_weight)
            # Of exclusive labels, one that is not known is not right.
            known = mixed.sum(axis=1) > 0 if exclusive else ~numpy.isnan(mixed).all(axis=1)
            counts.add(taught[known], mixed[known], len(mixed))
            if exclusive:
                mixed[known] /= mixed[known].sum(axis=1, keepdims=True)
            scores = mixed[known].astype("float32")
            columns = [pa.array(column, from_pandas=True) for column in scores.T]
            texts = tables[0][TEXT].combine_chunks().filter(pa.array(known))
            write(pa.table([texts, *columns], schema))
            if bar is not None:
                bar.update(len(mixed))
    return counts


def _average(tables: Sequence[pa.Table], labels: Sequence[str]) -> NDArray[numpy.float64]:
    """Return what teachers say, shape (n_texts, n_labels); NaN where none says anything."""
    said = numpy.array(
        [
            numpy.column_stack([table[SCORE + label].to_numpy() for label in labels])
            for table in tables
        ],
        dtype=numpy.float64,
    )
    n_teachers = (~numpy.isnan(said)).sum(axis=0)
    total = numpy.nansum(said, axis=0)
    return numpy.divide(total, n_teachers, out=total * numpy.nan, where=n_teachers > 0)


def _mix(
    taught: NDArray[numpy.float64],
    texts: pa.Table,
    labels: Sequence[str],
    *,
    exclusive: bool,
    gold_weight: float,
) -> NDArray[numpy.float64]:
    """Return what is learned of each text, shape (n_texts, n_labels); NaN where it is nothing."""
    scores = taught.copy()
    for row, gold in enumerate(texts[GOLD].to_pylist()):
        if gold:
            scores[row] = _with_gold(taught[row], dict(gold), labels, exclusive, gold_weight)
    return scores


def _with_gold(
    taught: NDArray[Any],
    gold: dict[str, float],
    labels: Sequence[str],
    exclusive: bool,
    weight: float,
) -> NDArray[Any]:
    # Of independent labels that are not annotated nothing is known.
    absent = numpy.zeros(len(labels)) if exclusive else taught
    annotated = numpy.array(
        [gold.get(label, other) for label, other in zip(labels, absent, strict=True)]
    )
    if exclusive and not annotated.any():
        # It is not known which label is right.
        return taught
    mixed = (1.0 - weight) * taught + weight * annotated
    return numpy.where(numpy.isnan(taught), annotated, mixed)
