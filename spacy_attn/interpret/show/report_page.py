"""A page to look through many explained documents: their decisions and their tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from ...pipeline.decisions import Decisions, Outcome
from ...results.explanation import ATTENTION, CONTRIBUTIONS, Explanation, method_name
from ...results.targets import Contrast, check_contrast
from ..counterfactuals import Counterfactual
from .legend import Legend
from .scale import SCALES
from .templating import fill_template, visible

# Nobody reads more digits of a tooltip, and they would double the size of the page.
_DIGITS = 3
# What negative values speak for, where some documents are shaded for a label and others for a pair.
_AGAINST = "against it or, where it is compared with another label, for that one"


def report(
    explanations: Sequence[Explanation],
    cats: Sequence[Mapping[str, float]],
    by: Decisions,
    *,
    contrast: Contrast | None = None,
    counterfactuals: Sequence[Counterfactual | None] | None = None,
    title: str = "Report",
    direction: str = "auto",
    language: str = "",
) -> str:
    """Write a web page on explained documents, complete in one file: it fetches nothing.

    Args:
        explanations: Of each document.
        cats: The annotation of each document, as in `Doc.cats`; empty where there is none.
        by: How the component decides.
        contrast: A pair of labels, if the page is to begin with what speaks for the first and not
            for the second. By default, it begins with what speaks for the predicted label; where
            that is wrong, with what speaks for the gold label and not for the predicted one.
        counterfactuals: Of each document, the tokens that its decision hangs on, where any were
            found; None if nothing has looked for them.
        title: Of the page.
        direction: Of the texts: "ltr", "rtl" or "auto".
        language: The code of the texts' language, or "".

    Returns:
        The HTML.

    Raises:
        ValueError: For values that are not finite, for attributions of several methods, and for a
            contrast of anything but two of the component's labels.
    """
    contrast = check_contrast(contrast, by.labels)
    methods = list(dict.fromkeys(explanation.method for explanation in explanations))
    if len(methods) > 1:
        raise ValueError(
            f"A report shows the attributions of one method, but these are of {methods}: make a "
            f"report of each."
        )
    method = visible(method_name(methods[0] if methods else CONTRIBUTIONS))
    outcomes = [
        by.judge(explanation.scores, annotation)
        for explanation, annotation in zip(explanations, cats, strict=True)
    ]
    summary = summarize(outcomes, by)
    data = {
        "method": method,
        "labels": [visible(label) for label in summary["labels"]],
        "exclusive": by.exclusive,
        "direction": direction,
        "language": language,
        "scales": {
            style: {"step": scale.step, "levels": scale.n_levels, "prefixes": scale.prefixes}
            for style, scale in SCALES.items()
        },
        "documents": [
            {
                **_document(explanation),
                **_numbered(outcome, summary["labels"]),
                "view": first_view(outcome, explanation.scores, by),
                **_hanging(found),
            }
            for explanation, outcome, found in zip(
                explanations, outcomes, counterfactuals or [None] * len(outcomes), strict=True
            )
        ],
    }
    what = "What a token contributes to the chosen label"
    if method != CONTRIBUTIONS:
        what = f"A token's attribution for the chosen label by {method}"
    return fill_template(
        "report.html.jinja",
        title=title,
        summary=summary,
        labels=by.labels,
        exclusive=by.exclusive,
        method=method,
        keys=[
            Legend(SCALES[ATTENTION], "A token's share of the attention"),
            Legend(SCALES[CONTRIBUTIONS], what, negative=_AGAINST),
        ],
        chosen=contrast or ("", ""),
        styles=None,
        data=data,
    )


def summarize(outcomes: Sequence[Outcome], by: Decisions) -> dict[str, Any]:
    """Count and average over all documents.

    Returns:
        "documents", "annotated" and "correct" count documents. "accuracy" and "loss" are averages
        over the annotated ones (None if there is none), "confidence" over all. "labels" are those
        of the component, and after them those that documents have and the component does not have;
        "without" counts the documents with one of the latter. "confusion" is a table of counts with
        a row for each of "labels". For exclusive labels, it has a column for each predicted label.
        For independent ones, it counts the documents that have the label and were given it, have it
        alone, were given it alone, and neither; not those whose annotation leaves the label out.
        "scores" has the `LabelScore` of each of "labels".
    """
    labels = (*by.labels, *dict.fromkeys(chain.from_iterable(o.missing for o in outcomes)))
    annotated = [outcome for outcome in outcomes if outcome.gold is not None]
    correct = sum(bool(outcome.correct) for outcome in annotated)
    losses = [outcome.loss for outcome in annotated if outcome.loss is not None]
    confusion = _confusion(annotated, labels, by)
    return {
        "documents": len(outcomes),
        "annotated": len(annotated),
        "correct": correct,
        "accuracy": _share(correct, len(annotated)),
        "loss": float(numpy.mean(losses)) if losses else None,
        "confidence": float(numpy.mean([o.confidence for o in outcomes])) if outcomes else None,
        "labels": labels,
        "without": sum(bool(outcome.missing) for outcome in outcomes),
        "confusion": confusion.tolist(),
        "scores": _label_scores(confusion, by),
    }


def _confusion(
    annotated: Sequence[Outcome], labels: Sequence[str], by: Decisions
) -> NDArray[numpy.intp]:
    counts = numpy.zeros((len(labels), len(by.labels) if by.exclusive else 4), dtype=int)
    for outcome in annotated:
        missing = [labels.index(label) for label in outcome.missing]
        gold, predicted = [*(outcome.gold or []), *missing], outcome.predicted
        if by.exclusive:
            counts[gold[0], predicted[0]] += 1
            continue
        for label in (*outcome.known, *missing):
            counts[label, 2 * (label not in gold) + (label not in predicted)] += 1
    return counts


class LabelScore(NamedTuple):
    """How well one label is predicted, in the documents whose annotation speaks of it.

    Attributes:
        precision: The share of the documents given it that have it; None where none was given it.
        recall: The share of the documents that have it that were given it; None where none has it.
        f: The harmonic mean of both; None where no document has it or was given it.
        gold: The number of documents that have it.
    """

    precision: float | None
    recall: float | None
    f: float | None
    gold: int


def _label_scores(confusion: NDArray[numpy.intp], by: Decisions) -> list[LabelScore]:
    if by.exclusive:
        # A label that the component does not have has a row, but no column.
        n_given = confusion.sum(axis=0)
        both, given = numpy.zeros((2, len(confusion)), dtype=int)
        both[: len(n_given)], given[: len(n_given)] = confusion.diagonal(), n_given
        gold = confusion.sum(axis=1)
    else:
        both = confusion[:, 0]
        gold, given = both + confusion[:, 1], both + confusion[:, 2]
    return [
        LabelScore(_share(b, n), _share(b, g), _share(2 * b, g + n), g)
        for b, g, n in zip(both.tolist(), gold.tolist(), given.tolist(), strict=True)
    ]


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def first_view(
    outcome: Outcome, scores: NDArray[numpy.floating], by: Decisions
) -> tuple[int, int | None]:
    """Return the numbers of the label that a document is first shaded for, and of one that it is
    compared with.

    Where the decision is wrong, these are a label that was missed and one that was given in its
    place. With independent labels, there may be one of them alone.
    """
    missed, given = by.mistaken(outcome)
    if missed is not None:
        return missed, given
    if given is not None:
        return given, None
    return (outcome.predicted[0] if by.exclusive else int(scores.argmax())), None


def _document(explanation: Explanation) -> dict[str, Any]:
    return {
        "tokens": [visible(token) for token in explanation.tokens],
        "spaces": "".join(str(int(space)) for space in explanation.spaces),
        "scores": _round(explanation.scores.tolist()),
        "attention": _round(explanation.attention.tolist()),
        "attributions": _round(explanation.attributions.T.tolist()),
    }


def _hanging(found: Counterfactual | None) -> dict[str, Any]:
    """Return the tokens that a decision hangs on, and what it is without them."""
    if found is None:
        return {}
    labels = ", ".join(map(visible, found.after)) or "no label"
    return {"removed": list(found.removed), "without": labels, "smallest": found.smallest}


def _numbered(outcome: Outcome, labels: Sequence[str]) -> dict[str, Any]:
    """Return an outcome, with the numbers of labels also where the component lacks them."""
    data = {key: _round(value) for key, value in asdict(outcome).items()}
    for column in [labels.index(label) for label in data.pop("missing")]:
        data["gold"].append(column)
        data["known"].append(column)
    return data


def _round(value: Any) -> Any:
    """Round numbers, also within lists."""
    if isinstance(value, list):
        return [_round(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
