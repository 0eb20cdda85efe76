"""Scorers: spaCy's own scores of categories, and accuracy."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import Scorer
from spacy.training import Example

Score = Callable[..., dict[str, Any]]


def make_textcat_scorer() -> Score:
    return textcat_score


def make_textcat_multilabel_scorer() -> Score:
    return textcat_multilabel_score


def textcat_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score exclusive classes: `spacy.scorer.Scorer.score_cats`, and accuracy.

    RETURNS: Those scores, and under `cats_acc` the share of annotated documents whose label with
        the highest score is the annotated one (None where no document is annotated).
    """
    examples = list(examples)
    scores = Scorer.score_cats(examples, "cats", multi_label=False, **kwargs)
    right = [
        gold == max(example.predicted.cats, key=example.predicted.cats.__getitem__, default=None)
        for example in examples
        for gold, value in example.reference.cats.items()
        if value == 1.0
    ]
    return {**scores, "cats_acc": _mean(right)}


def textcat_multilabel_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """Score independent labels: `spacy.scorer.Scorer.score_cats`, and accuracy.

    RETURNS: Those scores, and under `cats_acc` the share of annotated documents of which every
        annotated label is predicted rightly at the threshold (None where no document is annotated).
    """
    examples = list(examples)
    scores = Scorer.score_cats(examples, "cats", multi_label=True, **kwargs)
    threshold = kwargs.get("threshold", 0.5)
    right = [
        all(
            (example.predicted.cats.get(label, 0.0) >= threshold) == (value > 0.0)
            for label, value in example.reference.cats.items()
        )
        for example in examples
        if example.reference.cats
    ]
    return {**scores, "cats_acc": _mean(right)}


def _mean(values: list[bool]) -> float | None:
    return sum(values) / len(values) if values else None
