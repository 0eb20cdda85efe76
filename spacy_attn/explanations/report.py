"""A page to look through many explained documents: their decisions and their tokens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy
from markupsafe import Markup
from numpy.typing import NDArray

from ..explanation import CONTRIBUTIONS, Explanation, method_name
from .html.scale import SCALES
from .html.templates import fill_template
from .html.visible import visible

# Keeps the loss finite where a probability has been rounded to 0.
_TINY = float(numpy.finfo(numpy.float32).tiny)
# Nobody reads more digits of a tooltip, and they would double the size of the page.
_DIGITS = 3


@dataclass(frozen=True)
class Decisions:
    """How a component decides.

    labels: Its labels.
    exclusive: Whether exactly one of them is right.
    threshold: The score from which on one of independent labels is predicted.
    """

    labels: tuple[str, ...]
    exclusive: bool
    threshold: float = 0.5


@dataclass(frozen=True)
class Outcome:
    """A document's decision, and what the annotation says of it.

    predicted: The numbers of the predicted labels.
    gold: Those of the annotated labels; None without annotation.
    correct: Whether every annotated label has been predicted rightly; None without annotation.
    confidence: The score of the predicted class; with independent labels, the probability of the
        least certain one to be as predicted.
    loss: The cross-entropy, with independent labels the average over the annotated ones; None
        without annotation.
    known: The numbers of the independent labels that the annotation speaks of.
    """

    predicted: list[int]
    gold: list[int] | None
    correct: bool | None
    confidence: float
    loss: float | None
    known: list[int] = field(default_factory=list)


def judge(scores: NDArray[numpy.floating], cats: Mapping[str, float], by: Decisions) -> Outcome:
    """Compare scores with an annotation.

    scores: Of each label, shape (n_labels,).
    cats: The annotation, as in `Doc.cats`; empty if there is none.
    by: The labels, and what counts as predicted.
    RAISES: ValueError for an annotated label that the component does not have.
    """
    unknown = [label for label, value in cats.items() if value and label not in by.labels]
    if unknown:
        raise ValueError(
            f"The data have the label {unknown[0]!r}, but the component has only "
            f"{', '.join(map(repr, by.labels))}: name the labels of the data in the order of their "
            f"numbers, or choose another column or component."
        )
    known = [i for i, label in enumerate(by.labels) if label in cats]
    truths = numpy.array([cats.get(label, 0.0) for label in by.labels], dtype=numpy.float64)
    probabilities = scores.astype(numpy.float64)
    if by.exclusive:
        return _judge_exclusive(probabilities, truths)
    return _judge_independent(probabilities, truths, known, by.threshold)


def _judge_exclusive(scores: NDArray[numpy.float64], truths: NDArray[numpy.float64]) -> Outcome:
    best = int(scores.argmax())
    confidence = float(scores[best])
    if not truths.any():
        return Outcome([best], None, None, confidence, None)
    gold = int(truths.argmax())
    loss = -float(truths @ numpy.log(numpy.maximum(scores, _TINY)))
    return Outcome([best], [gold], gold == best, confidence, loss)


def _judge_independent(
    scores: NDArray[numpy.float64],
    truths: NDArray[numpy.float64],
    known: list[int],
    threshold: float,
) -> Outcome:
    applies = scores >= threshold
    predicted = numpy.flatnonzero(applies).tolist()
    confidence = float(numpy.where(applies, scores, 1.0 - scores).min(initial=1.0))
    if not known:
        return Outcome(predicted, None, None, confidence, None)
    gold = truths >= 0.5
    correct = bool((gold == applies)[known].all())
    for_it, against = (numpy.log(numpy.maximum(p, _TINY)) for p in (scores, 1.0 - scores))
    losses = -(truths * for_it + (1.0 - truths) * against)
    gold_labels = numpy.flatnonzero(gold).tolist()
    loss = float(losses[known].mean())
    return Outcome(predicted, gold_labels, correct, confidence, loss, known)


def summarize(outcomes: Sequence[Outcome], by: Decisions) -> dict[str, Any]:
    """Counts and averages over all documents.

    RETURNS: "documents", "annotated" and "correct" count documents; "accuracy" and "loss" are
        averages over the annotated ones (None if there is none), "confidence" over all. "confusion"
        is, for exclusive labels, a table of counts, a row for each annotated and a column for each
        predicted label; for independent ones, a row for each label with the documents that have it
        and were given it, have it alone, were given it alone, and neither; not those whose
        annotation leaves the label out.
    """
    annotated = [outcome for outcome in outcomes if outcome.gold is not None]
    correct = sum(bool(outcome.correct) for outcome in annotated)
    losses = [outcome.loss for outcome in annotated if outcome.loss is not None]
    return {
        "documents": len(outcomes),
        "annotated": len(annotated),
        "correct": correct,
        "accuracy": correct / len(annotated) if annotated else None,
        "loss": float(numpy.mean(losses)) if losses else None,
        "confidence": float(numpy.mean([o.confidence for o in outcomes])) if outcomes else None,
        "confusion": _confusion(annotated, by),
    }


def _confusion(annotated: Sequence[Outcome], by: Decisions) -> list[list[int]]:
    n_labels = len(by.labels)
    counts = numpy.zeros((n_labels, n_labels if by.exclusive else 4), dtype=int)
    for outcome in annotated:
        gold, predicted = outcome.gold or [], outcome.predicted
        if by.exclusive:
            counts[gold[0], predicted[0]] += 1
            continue
        for label in outcome.known:
            counts[label, 2 * (label not in gold) + (label not in predicted)] += 1
    return counts.tolist()


def report(
    explanations: Sequence[Explanation],
    cats: Sequence[Mapping[str, float]],
    by: Decisions,
    *,
    title: str = "Report",
    direction: str = "auto",
    language: str = "",
) -> str:
    """A web page on explained documents, complete in one file: nothing is fetched from elsewhere.

    explanations: Of each document.
    cats: The annotation of each document, as in `Doc.cats`; empty where there is none.
    by: How the component decides.
    title: Of the page.
    direction: Of the texts: "ltr", "rtl" or "auto".
    language: The code of the texts' language, or "".
    RETURNS: The HTML.
    RAISES: ValueError for an annotated label that the component does not have, values that are not
        finite, or attributions of several methods.
    """
    methods = list(dict.fromkeys(explanation.method for explanation in explanations))
    if len(methods) > 1:
        raise ValueError(
            f"A report shows the attributions of one method, but these are of {methods}: make a "
            f"report of each."
        )
    method = visible(method_name(methods[0] if methods else CONTRIBUTIONS))
    outcomes = [
        judge(explanation.scores, annotation, by)
        for explanation, annotation in zip(explanations, cats, strict=True)
    ]
    data = {
        "method": method,
        "labels": [visible(label) for label in by.labels],
        "exclusive": by.exclusive,
        "direction": direction,
        "language": language,
        "scales": {style: _scale(style) for style in SCALES},
        "documents": [
            {**_document(explanation), **_rounded(asdict(outcome))}
            for explanation, outcome in zip(explanations, outcomes, strict=True)
        ],
    }
    return fill_template(
        "report.html.jinja",
        title=title,
        summary=summarize(outcomes, by),
        labels=by.labels,
        exclusive=by.exclusive,
        method=method,
        what=(
            "What a token contributes to the chosen label"
            if method == CONTRIBUTIONS
            else f"A token's attribution for the chosen label by {method}"
        ),
        styles=None,
        data=embed_json(data),
    )


def embed_json(data: object) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element, or be taken for
    the beginning of a comment."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _scale(style: str) -> dict[str, Any]:
    scale = SCALES[style]
    return {"step": scale.step, "levels": scale.n_levels, "prefixes": scale.prefixes}


def _document(explanation: Explanation) -> dict[str, Any]:
    return {
        "tokens": [visible(token) for token in explanation.tokens],
        "spaces": "".join(str(int(space)) for space in explanation.spaces),
        "scores": _round_all(explanation.scores),
        "attention": _round_all(explanation.attention),
        "attributions": [_round_all(column) for column in explanation.attributions.T],
    }


def _round_all(values: NDArray[numpy.floating]) -> list[float]:
    return [_round(value) for value in values.tolist()]


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _rounded(outcome: dict[str, Any]) -> dict[str, Any]:
    """With an outcome's numbers as short as those of its tokens."""
    return {
        key: _round(value) if isinstance(value, float) else value for key, value in outcome.items()
    }
