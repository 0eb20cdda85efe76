"""What a component decides about a document, and whether it is right.

The scores, the report page, the summary of a corpus and the measures of faithfulness all ask
`Decisions.judge`. Nothing else tells right from wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from .losses import TINY

AnyFloats = NDArray[numpy.floating]
Bools = NDArray[numpy.bool_]

# From this probability on, an annotated label counts as one that the document has.
_TRUE = 0.5


class Annotation(NamedTuple):
    """What an annotation says of a document.

    Attributes:
        known: Annotated probabilities of the component's labels, by number of the label.
        unknown: Probabilities above 0 of labels that no component has.
        gold: Numbers of the labels that the document has; None without annotation.
        missing: The labels that the document has and that no component has.
    """

    known: dict[int, float]
    unknown: dict[str, float]
    gold: list[int] | None
    missing: list[str]


@dataclass(frozen=True)
class Outcome:
    """A document's decision, and what the annotation says of it.

    Attributes:
        predicted: Numbers of the predicted labels.
        gold: Numbers of the labels that the document has; None without annotation.
        correct: Whether every annotated label is predicted rightly; None without annotation.
        confidence: The score of the predicted class. With independent labels, the probability that
            the least certain one is as predicted.
        loss: The cross-entropy; None without annotation. With independent labels, the average over
            the annotated ones.
        known: Numbers of the independent labels that the annotation speaks of.
        missing: The labels that the document has and that no component has.
    """

    predicted: list[int]
    gold: list[int] | None
    correct: bool | None
    confidence: float
    loss: float | None
    known: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Decisions:
    """How a component decides.

    A document with a label that the component does not have is always decided wrongly: the
    component cannot give that label. A document without annotation is neither right nor wrong.
    With exclusive labels, such a document has no true label; with independent ones, it has none of
    the labels in `Doc.cats`. Annotations may be probabilities. The highest one is the exclusive
    label; those of at least 0.5 are the independent labels.

    Attributes:
        labels: The component's labels.
        exclusive: Whether exactly one of them is right.
        threshold: The score from which on an independent label is predicted.
        others: Labels that other components of the pipeline give, which do not count.
    """

    labels: tuple[str, ...]
    exclusive: bool
    threshold: float = 0.5
    others: frozenset[str] = frozenset()

    @cached_property
    def columns(self) -> dict[str, int]:
        """Numbers of the labels."""
        return {label: column for column, label in enumerate(self.labels)}

    def decide(self, scores: AnyFloats) -> Bools:
        """Return which labels some scores predict, both of shape (n_docs, n_labels)."""
        if not self.exclusive:
            # A threshold that is no number of single precision must not be rounded to one.
            return scores.astype(numpy.float64) >= self.threshold
        decisions = numpy.zeros(scores.shape, dtype=bool)
        decisions[numpy.arange(len(scores)), scores.argmax(axis=1)] = True
        return decisions

    def read(self, cats: Mapping[str, float]) -> Annotation:
        """Read an annotation, as in `Doc.cats`; empty if there is none."""
        known, unknown = {}, {}
        for label, value in cats.items():
            column = self.columns.get(label)
            if column is not None:
                known[column] = value
            elif value and label not in self.others:
                unknown[label] = value
        if not self.exclusive:
            gold = sorted(column for column, value in known.items() if value >= _TRUE)
            missing = [label for label, value in unknown.items() if value >= _TRUE]
            return Annotation(known, unknown, gold if known or missing else None, missing)
        top, top_unknown = max(known.values(), default=0.0), max(unknown.values(), default=0.0)
        if not max(top, top_unknown) > 0.0:
            return Annotation(known, unknown, None, [])
        if top_unknown > top:
            missing = [label for label, value in unknown.items() if value == top_unknown]
            return Annotation(known, unknown, [], missing[:1])
        best = min(column for column, value in known.items() if value == top)
        return Annotation(known, unknown, [best], [])

    def judge(self, scores: AnyFloats, cats: Mapping[str, float]) -> Outcome:
        """Compare scores with an annotation.

        Args:
            scores: Of each label, shape (n_labels,).
            cats: The annotation, as in `Doc.cats`; empty if there is none.
        """
        judge = _judge_exclusive if self.exclusive else self._judge_independent
        return judge(scores.astype(numpy.float64), self.read(cats))

    def mistaken(self, outcome: Outcome) -> tuple[int | None, int | None]:
        """Return the numbers of a label that was missed, and of one that was given in its place.

        Either is None where there is none that the component has, and both are where the decision
        is right or unknown. With independent labels, these are the first ones.
        """
        if outcome.correct is not False:
            return None, None
        gold = outcome.gold or []
        missed = [label for label in gold if label not in outcome.predicted]
        given = [label for label in outcome.predicted if label not in gold]
        if not self.exclusive:
            given = [label for label in given if label in outcome.known]
        return next(iter(missed), None), next(iter(given), None)

    def _judge_independent(self, scores: AnyFloats, annotation: Annotation) -> Outcome:
        applies = scores >= self.threshold
        predicted = numpy.flatnonzero(applies).tolist()
        confidence = float(numpy.where(applies, scores, 1.0 - scores).min(initial=1.0))
        if annotation.gold is None:
            return Outcome(predicted, None, None, confidence, None)
        missing, known = annotation.missing, sorted(annotation.known)
        truths = numpy.array([annotation.known[column] for column in known], dtype=numpy.float64)
        right = not missing and bool(((truths >= _TRUE) == applies[known]).all())
        for_it, against = _log(scores[known]), _log(1.0 - scores[known])
        total = (truths * for_it + (1.0 - truths) * against).sum() + len(missing) * _log(0.0)
        loss = -float(total) / (len(known) + len(missing))
        return Outcome(predicted, annotation.gold, right, confidence, loss, known, missing)


def _judge_exclusive(scores: AnyFloats, annotation: Annotation) -> Outcome:
    best = int(scores.argmax())
    confidence = float(scores[best])
    if annotation.gold is None:
        return Outcome([best], None, None, confidence, None)
    right = annotation.gold == [best]
    # To a label that it does not have, a component gives 0.
    total = sum(annotation.unknown.values()) * _log(0.0)
    total += sum(
        value * _log(scores[column]) for column, value in annotation.known.items() if value
    )
    return Outcome(
        [best], annotation.gold, right, confidence, -float(total), missing=annotation.missing
    )


def _log(probabilities: AnyFloats | float) -> AnyFloats:
    return numpy.log(numpy.maximum(probabilities, TINY))
