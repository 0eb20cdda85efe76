"""The columns that documents become: labels, scores, tokens, attention and contributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy
import pyarrow
from numpy.typing import NDArray
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc

from ..data.errors import listing
from ..pipeline.component import AttentionCategorizer
from ..pipeline.decisions import Decisions
from ..pipeline.finding import choose_name, find_component, find_decisions
from ..results.explanation import ATTENTION, CONTRIBUTIONS
from ..results.token_values import get_values

_Column = Callable[[list[Doc]], pyarrow.Array]

_STRINGS = pyarrow.list_(pyarrow.string())
_SCORE = "score_"


@dataclass(frozen=True)
class Wanted:
    """Which columns are wanted beside that of the labels."""

    scores: bool = True
    attention: bool = False
    contributions: bool = False
    tokens: bool = False


class DocumentColumns:
    """Makes columns of the documents that a pipeline has annotated.

    Args:
        nlp: The pipeline. If contributions are wanted, its component stores them.
        name: Name of the component that the labels, the attention and the contributions are of; by
            default the only one that fills `doc.cats`.
        wanted: Which columns are wanted.
        sample: Scores that the pipeline gives, `doc.cats`. Labels that no component declares are
            taken from there.
        exclusive: Whether labels exclude one another, of a component that does not say it.

    Attributes:
        decisions: How the labels follow from the scores.
        schema: Names and types of the columns.

    Raises:
        ValueError: If there is no such component, if several fill `doc.cats` and none is named, if
            the labels cannot be known, or if the component has no attention and that is wanted.
    """

    def __init__(
        self,
        nlp: Language,
        name: str | None,
        wanted: Wanted,
        sample: Iterable[str],
        exclusive: bool = False,
    ) -> None:
        declared = _find_categorizers(nlp)
        self._known = {label for labels in declared.values() for label in labels}
        extra = [label for label in sample if label not in self._known]
        self._known.update(extra)
        self.decisions = _find_decisions(nlp, name, declared, extra, exclusive)
        self._score_labels = tuple(dict.fromkeys((*self.decisions.labels, *extra)))
        self._columns = dict(self._choose(nlp, name, wanted))
        self.schema = self.make([]).schema

    def make(self, docs: list[Doc]) -> pyarrow.Table:
        """Return the columns for some documents, a row for each.

        Raises:
            ValueError: If a document has none of the exclusive labels, a score that is not finite,
                a label that is not known, or no attention although it is wanted.
        """
        self._check(docs)
        return pyarrow.table({name: make(docs) for name, make in self._columns.items()})

    def _choose(
        self, nlp: Language, name: str | None, wanted: Wanted
    ) -> Iterable[tuple[str, _Column]]:
        yield ("label", self._label) if self.decisions.exclusive else ("labels", self._labels)
        if wanted.scores:
            for label in self._score_labels:
                yield f"{_SCORE}{label}", partial(_scores, label=label)
        if wanted.tokens:
            yield "tokens", _tokens
        if wanted.attention or wanted.contributions:
            component = find_attentive(nlp, name)
            if wanted.attention:
                yield ATTENTION, partial(_attention, component=component)
            if wanted.contributions:
                yield CONTRIBUTIONS, partial(_contributions, component=component)

    def _check(self, docs: list[Doc]) -> None:
        labels = self.decisions.labels
        for doc in docs:
            if self.decisions.exclusive and doc.cats.keys().isdisjoint(labels):
                raise ValueError(f"the pipeline gives none of the labels {listing(labels)}")
            if unknown := doc.cats.keys() - self._known:
                raise ValueError(
                    f"the pipeline gives the label {min(unknown)!r}, which none of its components "
                    f"has declared: their labels are {listing(sorted(self._known))}"
                )
            for label, score in doc.cats.items():
                if not math.isfinite(score):
                    raise ValueError(f"the pipeline gives the label {label!r} the score {score}")

    def _decide(self, docs: list[Doc]) -> NDArray[numpy.bool_]:
        """Return which labels each document has, shape (n_docs, n_labels)."""
        labels = self.decisions.labels
        rows = [[doc.cats.get(label, -numpy.inf) for label in labels] for doc in docs]
        scores = numpy.array(rows, dtype=numpy.float64).reshape(len(docs), len(labels))
        return self.decisions.decide(scores)

    def _label(self, docs: list[Doc]) -> pyarrow.Array:
        labels = self.decisions.labels
        return pyarrow.array(
            [labels[column] for column in self._decide(docs).argmax(axis=1)], pyarrow.string()
        )

    def _labels(self, docs: list[Doc]) -> pyarrow.Array:
        labels = self.decisions.labels
        chosen = [[labels[i] for i in numpy.flatnonzero(row)] for row in self._decide(docs)]
        return pyarrow.array(chosen, _STRINGS)


def find_attentive(nlp: Language, name: str | None) -> AttentionCategorizer:
    """Return the component that can be asked for attention and contributions.

    Raises:
        ValueError: If there is none of that name, or if several are there and none is named.
    """
    return find_component(nlp, name, purpose="asked for attention and contributions")[1]


def _find_categorizers(nlp: Language) -> dict[str, Sequence[str]]:
    """Return the labels of the components that fill `doc.cats`, by name of the component."""
    return {
        name: tuple(getattr(pipe, "labels"))  # noqa: B009
        for name, pipe in nlp.pipeline
        if isinstance(pipe, TextCategorizer)
        or ("doc.cats" in nlp.get_pipe_meta(name).assigns and getattr(pipe, "labels", None))
    }


def _find_decisions(
    nlp: Language,
    name: str | None,
    declared: dict[str, Sequence[str]],
    extra: list[str],
    exclusive: bool,
) -> Decisions:
    if name is None and not declared and extra:
        return Decisions(tuple(extra), exclusive)
    if not declared:
        raise ValueError(
            f"The pipeline fills no 'doc.cats' and has no component that says which labels it "
            f"gives; it has {nlp.pipe_names}."
        )
    name = choose_name(declared, name, "fill 'doc.cats'")
    if isinstance(nlp.get_pipe(name), TextCategorizer):
        return find_decisions(nlp, name)
    # A component of others may say whether its labels exclude one another.
    exclusive = bool(getattr(nlp.get_pipe(name), "exclusive", exclusive))
    return Decisions(tuple(declared[name]), exclusive)


def _scores(docs: list[Doc], label: str) -> pyarrow.Array:
    return pyarrow.array([doc.cats.get(label) for doc in docs], pyarrow.float64())


def _tokens(docs: list[Doc]) -> pyarrow.Array:
    return pyarrow.array([[token.text for token in doc] for doc in docs], _STRINGS)


def _values(docs: list[Doc], attr: str) -> list[NDArray[numpy.float32]]:
    """Return the values of the tokens of each document."""
    values = []
    for doc in docs:
        found = get_values(doc, attr)
        if found is None:
            raise ValueError(f"the pipeline has set no 'doc._.{attr}' that belongs to its text")
        values.append(found)
    return values


def _lists(rows: list[NDArray[numpy.float32]]) -> pyarrow.Array:
    """Return an Arrow array of lists, without making an object of each number."""
    bounds = numpy.cumsum([0, *map(len, rows)], dtype=numpy.int32)
    values = numpy.concatenate([numpy.zeros(0, dtype=numpy.float32), *rows])
    return pyarrow.ListArray.from_arrays(bounds, values)


def _attention(docs: list[Doc], component: AttentionCategorizer) -> pyarrow.Array:
    return _lists(_values(docs, component.attention_attr))


def _contributions(docs: list[Doc], component: AttentionCategorizer) -> pyarrow.Array:
    """Return lists of numbers by label, in the order of the component's labels."""
    values = _values(docs, component.contributions_attr or CONTRIBUTIONS)
    columns = [_lists([rows[:, i] for rows in values]) for i in range(len(component.labels))]
    return pyarrow.StructArray.from_arrays(columns, list(component.labels))
