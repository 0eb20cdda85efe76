"""How right, sure, fast and large pipelines are that classify the same documents."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import eq
from pathlib import Path
from typing import Any

import numpy
import pyarrow as pa
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..pipeline.decisions import Decisions
from ..pipeline.scorer import textcat_multilabel_score, textcat_score
from ..tables.annotator import Annotator
from .labelled_table import LabelledTable
from .soft_labels import SCORE
from .training_texts import TEXT

# Before time is taken, so many documents are classified.
_N_WARM_UP = 50
# Documents are classified again until so much time has passed, since a short one says little.
_MIN_SECONDS = 1.0


@dataclass
class Measures:
    """What is measured of a pipeline on a corpus.

    Attributes:
        accuracy: The share of documents that are decided rightly.
        macro_f: The F score, averaged over the labels.
        calibration_error: The expected calibration error of the scores.
        agreement: The share of documents that are decided as the teacher does; None without one.
        words_per_second: Tokens of the pipeline, from texts to labels, in one process; None for a
            table.
        size: The bytes of its files; None where that is not known.
    """

    accuracy: float
    macro_f: float
    calibration_error: float
    agreement: float | None
    words_per_second: float | None
    size: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        return asdict(self)


class Comparison:
    """Measures pipelines on the documents of a corpus.

    Args:
        examples: The annotated documents.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._texts = [example.reference.text for example in examples]
        self._cats = [example.reference.cats for example in examples]
        self._of_teacher: list[set[str]] = []

    def can_measure(self, annotator: Annotator | LabelledTable) -> bool:
        """Return whether it says something of all documents, which a table may not."""
        return not isinstance(annotator, LabelledTable) or annotator.knows(self._texts)

    def measure(
        self, annotators: Sequence[Annotator | LabelledTable], size: int | None
    ) -> Measures:
        """Measure pipelines, and tables that know all documents, by the mean of their scores.

        Args:
            annotators: They have the same labels. The first of them says how scores decide.
            size: The bytes of their files. The first call has those of the teachers.
        """
        decisions = annotators[0].decisions
        scores, words_per_second = self._predict(annotators, decisions.labels)
        # By name: pipelines have the same labels in different orders.
        decided = [
            {decisions.labels[i] for i in numpy.flatnonzero(row)}
            for row in decisions.decide(scores)
        ]
        self._of_teacher = self._of_teacher or decided
        found = self._score(decisions, scores)
        return Measures(
            found["cats_acc"],
            found["cats_macro_f"],
            found["cats_ece"],
            float(numpy.mean([*map(eq, decided, self._of_teacher)])),
            words_per_second,
            size,
        )

    def _predict(
        self, annotators: Sequence[Annotator | LabelledTable], labels: Sequence[str]
    ) -> tuple[NDArray[numpy.float64], float | None]:
        """Return the scores, shape (n_docs, n_labels), and how many words a second took them."""
        for annotator in annotators:
            annotator(pa.table({TEXT: self._texts[:_N_WARM_UP]}))
        before = [annotator.n_words for annotator in annotators]
        passes, start = 0, time.perf_counter()
        while not passes or (max(before) and time.perf_counter() < start + _MIN_SECONDS):
            tables = [annotator(pa.table({TEXT: self._texts})) for annotator in annotators]
            passes += 1
        seconds = time.perf_counter() - start
        scores = [
            numpy.column_stack([table[SCORE + label].to_numpy() for label in labels])
            for table in tables
        ]
        # All of them read the same words, which tables do not count.
        read = [annotator.n_words - n for annotator, n in zip(annotators, before, strict=True)]
        speed = None if 0 in read else read[0] / seconds
        return numpy.mean(scores, axis=0), speed

    def _score(self, decisions: Decisions, scores: NDArray[numpy.float64]) -> dict[str, Any]:
        vocab = Vocab()
        examples = []
        for row, cats in zip(scores.tolist(), self._cats, strict=True):
            predicted, reference = Doc(vocab), Doc(vocab)
            predicted.cats = dict(zip(decisions.labels, row, strict=True))
            reference.cats = cats
            examples.append(Example(predicted, reference))
        score = textcat_score if decisions.exclusive else textcat_multilabel_score
        return score(examples, labels=decisions.labels, threshold=decisions.threshold)


def closed_gap(teacher: Measures, student: Measures, plain: Measures) -> float | None:
    """Return the share of the teacher's lead in accuracy that distillation has made up for.

    Args:
        teacher: Of the teacher.
        student: Of the student.
        plain: Of a student that has learned without a teacher.

    Returns:
        None where the teacher has no lead.
    """
    lead = teacher.accuracy - plain.accuracy
    return (student.accuracy - plain.accuracy) / lead if lead > 0 else None


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
