"""Scorers: spaCy's own scores of categories, accuracy, and how well scores are calibrated."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

# Bins of equal width, as in Guo et al. 2017.
_CALIBRATION_BINS = 15

Score = Callable[..., dict[str, Any]]


def make_textcat_scorer() -> Score:
    return textcat_score


def make_textcat_multilabel_scorer() -> Score:
    return textcat_multilabel_score


def textcat_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score exclusive classes: `spacy.scorer.Scorer.score_cats`, and accuracy.

    RETURNS: Those scores; under `cats_acc` the share of annotated documents whose label with the
        highest score is the annotated one; and under `cats_ece` the expected calibration error of
        that highest score (both None where no document is annotated).
    """
    examples = list(examples)
    scores = Scorer.score_cats(examples, "cats", multi_label=False, **kwargs)
    right, confidence = [], []
    for example in examples:
        gold, predicted = _own(example.reference, kwargs), _own(example.predicted, kwargs)
        if any(gold.values()):
            right.append(_best(predicted) == _best(gold))
            confidence.append(max(predicted.values(), default=0.0))
    error = expected_calibration_error(confidence, right)
    return {**scores, "cats_acc": _mean(right), "cats_ece": error}


def textcat_multilabel_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score independent labels: `spacy.scorer.Scorer.score_cats`, and accuracy.

    RETURNS: Those scores; under `cats_acc` the share of annotated documents of which every
        annotated label is predicted rightly at the threshold; and under `cats_ece` the expected
        calibration error of the scores of all annotated labels (both None where no document is
        annotated).
    """
    examples = list(examples)
    scores = Scorer.score_cats(examples, "cats", multi_label=True, **kwargs)
    threshold = kwargs.get("threshold", 0.5)
    right: list[bool] = []
    confidence: list[float] = []
    applies: list[bool] = []
    for example in examples:
        gold, predicted = _own(example.reference, kwargs), example.predicted.cats
        if gold:
            right.append(
                all(
                    (predicted.get(label, 0.0) >= threshold) == (value >= 0.5)
                    for label, value in gold.items()
                )
            )
            confidence.extend(predicted.get(label, 0.0) for label in gold)
            applies.extend(value >= 0.5 for value in gold.values())
    error = expected_calibration_error(confidence, applies)
    return {**scores, "cats_acc": _mean(right), "cats_ece": error}


def expected_calibration_error(confidence: list[float], right: list[bool]) -> float | None:
    """How far confidence is from the share that is right, on average (Guo et al. 2017).

    confidence: Of each prediction, between 0 and 1.
    right: Whether it was right.
    RETURNS: The difference between both in bins of equal width, weighted by what is in the bins,
        between 0 and 1; None without any prediction.
    """
    if not confidence:
        return None
    values = numpy.asarray(confidence, dtype=numpy.float64)
    bins = numpy.minimum((values * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    gaps = numpy.bincount(bins, weights=values - numpy.asarray(right), minlength=1)
    return float(numpy.abs(gaps).sum() / len(values))


def _own(doc: Doc, kwargs: dict[str, Any]) -> dict[str, float]:
    """The categories of a document that the component which is scored has, and not another one."""
    labels = kwargs.get("labels", doc.cats)
    return {label: value for label, value in doc.cats.items() if label in labels}


def _best(cats: dict[str, float]) -> str | None:
    return max(cats, key=cats.__getitem__, default=None)


def _mean(values: list[bool]) -> float | None:
    return sum(values) / len(values) if values else None
