"""Scorers: spaCy's own scores of categories, and accuracy."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import Scorer
from spacy.tokens import Doc
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
        _best(_own(example.predicted, kwargs)) == _best(gold)
        for example in examples
        if any((gold := _own(example.reference, kwargs)).values())
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
            (example.predicted.cats.get(label, 0.0) >= threshold) == (value >= 0.5)
            for label, value in gold.items()
        )
        for example in examples
        if (gold := _own(example.reference, kwargs))
    ]
    return {**scores, "cats_acc": _mean(right)}


def _own(doc: Doc, kwargs: dict[str, Any]) -> dict[str, float]:
    """The categories of a document that the component which is scored has, and not another one."""
    labels = kwargs.get("labels", doc.cats)
    return {label: value for label, value in doc.cats.items() if label in labels}


def _best(cats: dict[str, float]) -> str | None:
    return max(cats, key=cats.__getitem__, default=None)


def _mean(values: list[bool]) -> float | None:
    return sum(values) / len(values) if values else None
