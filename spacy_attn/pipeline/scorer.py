"""Scorers: spaCy's own scores of categories, accuracy, and how well scores are calibrated."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, cast

import numpy
from numpy.typing import ArrayLike
from spacy.scorer import Scorer
from spacy.training import Example

from .decisions import Decisions

# Bins of equal width, as in Guo et al. 2017.
_CALIBRATION_BINS = 15

Score = Callable[..., dict[str, Any]]
# What spaCy's scorer takes for an `Example`.
_Pair = namedtuple("_Pair", ["predicted", "reference"])


def make_textcat_scorer() -> Score:
    """Return the scorer of `attn_textcat`."""
    return textcat_score


def make_textcat_multilabel_scorer() -> Score:
    """Return the scorer of `attn_textcat_multilabel`."""
    return textcat_multilabel_score


def textcat_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score exclusive classes.

    A document counts for its label of the highest annotated probability. A label that the component
    does not have is one more class, which it never finds (see `Decisions`).

    Args:
        examples: Documents as predicted and as annotated.
        kwargs: The component's `cfg`; its labels by default are those predicted.

    Returns:
        The scores of `spacy.scorer.Scorer.score_cats`, and two more, which are None where no
        document is annotated. `cats_acc` is the share of annotated documents whose label with the
        highest score is the annotated one. `cats_ece` is the expected calibration error of that
        score.
    """
    return _score(list(examples), exclusive=True, **kwargs)


def textcat_multilabel_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score independent labels.

    A document has the labels whose annotated probability is at least 0.5. Nothing is known of one
    that its `cats` lack. A label that the component does not have is scored where a document has
    it; the component never finds it (see `Decisions`).

    Args:
        examples: Documents as predicted and as annotated.
        kwargs: The component's `cfg`; its labels by default are those predicted.

    Returns:
        As `textcat_score`. `cats_acc` is the share of annotated documents of which every annotated
        label is predicted rightly at the threshold. `cats_ece` is that of the scores of all
        annotated labels.
    """
    return _score(list(examples), exclusive=False, **kwargs)


def _score(
    examples: list[Example],
    *,
    exclusive: bool,
    labels: Iterable[str] | None = None,
    threshold: float = 0.5,
    positive_label: str | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    given = dict.fromkeys(chain.from_iterable(example.predicted.cats for example in examples))
    labels = tuple(given if labels is None else labels)
    by = Decisions(labels, exclusive, threshold, others=frozenset(given))
    missing = dict.fromkeys(
        chain.from_iterable(by.read(example.reference.cats).missing for example in examples)
    )
    judged = _Judged(by)
    scores = Scorer.score_cats(
        cast(Iterable[Example], judged.pairs(examples)),
        "cats",
        getter=lambda cats, _: cats,
        labels=[*labels, *missing],
        multi_label=not exclusive,
        positive_label=positive_label,
        threshold=threshold,
        **kwargs,
    )
    if exclusive and positive_label and len(labels) == 2:
        # So that labels which the component does not have change the score and not its meaning.
        scores["cats_score"] = scores["cats_f_per_type"][positive_label]["f"]
        scores["cats_score_desc"] = f"F ({positive_label})"
    accuracy = judged.n_right / judged.n_annotated if judged.n_annotated else None
    return {**scores, "cats_acc": accuracy, "cats_ece": judged.calibration.error()}


class _Judged:
    """Counts what becomes of documents one by one, in memory that does not grow."""

    def __init__(self, by: Decisions) -> None:
        self.by = by
        self.n_annotated = self.n_right = 0
        self.calibration = _Calibration()

    def pairs(self, examples: Iterable[Example]) -> Iterator[_Pair]:
        """Go through predictions and annotations, which spaCy's scorer reads as true or false."""
        labels = self.by.labels
        for example in examples:
            predicted, cats = example.predicted.cats, example.reference.cats
            values = (predicted.get(label, 0.0) for label in labels)
            scores = numpy.fromiter(values, dtype=numpy.float64, count=len(labels))
            outcome = self.by.judge(scores, cats)
            if outcome.gold is None:
                yield _Pair(predicted, {})
                continue
            if self.by.columns.keys().isdisjoint(predicted):
                raise ValueError(
                    f"The predicted document '{example.predicted.text:.40}' has no scores of the "
                    f"component's labels: run the pipeline on it before it is scored."
                )
            self.n_annotated += 1
            self.n_right += bool(outcome.correct)
            if self.by.exclusive:
                self.calibration.add([outcome.confidence], [bool(outcome.correct)])
            else:
                applies = numpy.isin(outcome.known, outcome.gold)
                self.calibration.add(scores[outcome.known], applies)
                self.calibration.add([0.0] * len(outcome.missing), [True] * len(outcome.missing))
            known = (labels[column] for column in outcome.known)
            gold = (labels[column] for column in outcome.gold)
            true = dict.fromkeys((*gold, *outcome.missing), 1.0)
            yield _Pair(predicted, {**dict.fromkeys(known, 0.0), **true})


class _Calibration:
    """Adds up what the expected calibration error is made of."""

    def __init__(self) -> None:
        self.gaps = numpy.zeros(_CALIBRATION_BINS)
        self.n = 0

    def add(self, confidence: ArrayLike, right: ArrayLike) -> None:
        values = numpy.asarray(confidence, dtype=numpy.float64)
        bins = numpy.minimum((values * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
        gaps = values - numpy.asarray(right, dtype=numpy.float64)
        self.gaps += numpy.bincount(bins, weights=gaps, minlength=_CALIBRATION_BINS)
        self.n += len(values)

    def error(self) -> float | None:
        return float(numpy.abs(self.gaps).sum() / self.n) if self.n else None


def expected_calibration_error(confidence: list[float], right: list[bool]) -> float | None:
    """Return how far confidence is from the share that is right, on average (Guo et al. 2017).

    Args:
        confidence: Of each prediction, between 0 and 1.
        right: Whether it was right.

    Returns:
        The difference of both in bins of equal width, weighted by what is in the bins, between 0
        and 1; None without any prediction.
    """
    calibration = _Calibration()
    calibration.add(confidence, right)
    return calibration.error()
