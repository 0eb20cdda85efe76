"""`spacy_attn.compare_pipelines`: what one pipeline gets right and another does not, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Alignment, Example
from spacy.util import minibatch

from ...checks import check_choice, check_not_negative, check_positive
from ...pipeline.decisions import Decisions, Outcome
from ...results.explanation import CONTRIBUTIONS, Explanation, method_name
from ..methods import check_method, check_several, explain_docs
from ..subject import Classifier
from .word_counts import WordCounts
from .word_report import WordReport
from .word_summary import WordSummary, WordTable, words_to_dict

_WHERE = "spacy_attn.compare_pipelines"


@dataclass(frozen=True, eq=False)
class Disagreement:
    """A document that one of two pipelines gets right.

    Attributes:
        gold: The labels it has.
        right: The number of the pipeline that gets it right: 0 or 1.
        predicted: The labels that each pipeline gave it.
        explanations: What each pipeline's decision was made of.
    """

    gold: tuple[str, ...]
    right: int
    predicted: tuple[tuple[str, ...], tuple[str, ...]]
    explanations: tuple[Explanation, Explanation]


@dataclass(frozen=True, eq=False)
class PipelineComparison(WordReport):
    """Where two pipelines decide differently about the same documents.

    Attributes:
        names: What the two are called.
        labels: The labels of both.
        method: How the attributions were found.
        n_docs: The number of documents, of which `n_gold` came with labels.
        n_both: How many of these both get right.
        n_only: How many the first gets right and the second does not, and the other way round.
        n_neither: How many both get wrong.
        words: The words that made the difference in the documents which only the first gets right;
            and in those which only the second gets right. They are sorted by the label that the
            other one missed, or "not LABEL" where it gave one that the document does not have.
        documents: The first of these documents.
        sort_by: What `words` are sorted by, "mean" or "total".
    """

    names: tuple[str, str]
    labels: tuple[str, ...]
    method: str
    n_docs: int
    n_gold: int
    n_both: int
    n_only: tuple[int, int]
    n_neither: int
    words: tuple[Mapping[str, list[WordSummary]], Mapping[str, list[WordSummary]]]
    documents: list[Disagreement]
    sort_by: str = "mean"

    @property
    def p_value(self) -> float:
        """How likely a difference as large is by chance, if both were equally accurate.

        The exact test of McNemar (1947): of the documents that only one gets right, each is as
        likely to be of one as of the other.
        """
        n, fewer = sum(self.n_only), min(self.n_only)
        ways = total = 1
        for k in range(fewer):
            ways = ways * (n - k) // (k + 1)  # n over k + 1
            total += ways
        return min(1.0, 2 * total / 2**n)

    def numbers(self) -> str:
        """Write what it counts, in sentences."""
        first, second = (f"“{name}”" for name in self.names)
        by = "" if self.method == CONTRIBUTIONS else f" Words are by {method_name(self.method)}."
        return (
            f"{self.n_gold} of {self.n_docs} documents have labels. Both get {self.n_both} of them "
            f"right and {self.n_neither} wrong. {self.n_only[0]} are right by {first} alone, "
            f"{self.n_only[1]} by {second} alone (exact McNemar test: p = {self.p_value:.2g}).{by}"
        )

    def tables(self) -> list[WordTable]:
        """Return the words of the documents that only the first gets right, and the second."""
        how = "on average" if self.sort_by == "mean" else "in all"
        note = (
            f"In these documents: what the word adds to the logit of the label, and not to that of "
            f"the wrong one, in the pipeline that is right, minus the same in the other, {how}."
        )
        return [
            WordTable(f"Right by “{name}” alone", note, self.sort_by, words)
            for name, words in zip(self.names, self.words, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison in lists, strings and numbers, which JSON can hold."""
        documents = [
            {
                "gold": list(each.gold),
                "right": each.right,
                "predicted": list(map(list, each.predicted)),
                "explanations": [explanation.to_dict() for explanation in each.explanations],
            }
            for each in self.documents
        ]
        return {
            **vars(self),
            "names": list(self.names),
            "labels": list(self.labels),
            "n_only": list(self.n_only),
            "p_value": self.p_value,
            "words": list(map(words_to_dict, self.words)),
            "documents": documents,
        }

    def __repr__(self) -> str:
        """Show its numbers."""
        return f"PipelineComparison({self.numbers()})"


def compare_pipelines(
    nlp: Language,
    other: Language,
    examples: Iterable[Example],
    *,
    names: tuple[str, str] = ("first", "second"),
    component: str | None = None,
    other_component: str | None = None,
    method: str = CONTRIBUTIONS,
    top: int = 20,
    min_count: int = 2,
    sort_by: str = "mean",
    n_examples: int = 3,
    max_documents: int = 100,
    batch_size: int = 64,
) -> PipelineComparison:
    """Compare two pipelines on labelled documents, one batch at a time.

    Of each document that only one gets right, the other one missed a label, gave another one, or
    both. What a token made of the difference is what it added to the first label and not to the
    second, less the same by the pipeline that is wrong. Over a document this sums to the difference
    of both logits between the pipelines, but for the biases.

    Args:
        nlp: A trained pipeline.
        other: Another one, which has the same labels. It tokenizes the texts itself. Where its
            tokens are others, their values are those of the tokens of `nlp` that they overlap with.
        examples: Examples, whose reference has the labels, as a corpus reader makes them for `nlp`.
        names: What the two are called in reports.
        component: Of `nlp`, as for `spacy_attn.explain`.
        other_component: The same of `other`.
        method: As for `spacy_attn.explain`.
        top: Number of words for each label.
        min_count: Leave out words that occur more rarely in the documents that only one gets right.
        sort_by: "mean" for the words that tell most when they occur, "total" for those that made
            most of the difference together.
        n_examples: Number of examples of each word.
        max_documents: Number of documents to keep, with their explanations.
        batch_size: Number of documents that are worked on at once.

    Raises:
        ValueError: As `spacy_attn.explain`, if the labels of both differ, if no document has a
            label, and for settings out of range.
        TypeError: For documents that are not Examples.
        ImportError: As `spacy_attn.explain`.
    """
    check_several(_WHERE, examples, "examples")
    _check_names(names)
    check_method(_WHERE, method)
    check_choice(_WHERE, "sort_by", sort_by, ("mean", "total"))
    check_positive(_WHERE, top=top, min_count=min_count, batch_size=batch_size)
    check_not_negative(_WHERE, n_examples=n_examples, max_documents=max_documents)
    classifiers = (Classifier(nlp, component), Classifier(other, other_component))
    _check_labels(names, *classifiers)
    # What is right must not depend on which other components a pipeline has.
    others = frozenset.union(*(each.decisions.others for each in classifiers))
    decisions = tuple(replace(each.decisions, others=others) for each in classifiers)
    comparison = _Comparison(classifiers, decisions, method, n_examples, max_documents)
    for batch in minibatch(examples, batch_size):
        comparison.add(batch)
    return comparison.finish(names, top, min_count, sort_by)


def _check_names(names: tuple[str, str]) -> None:
    if isinstance(names, str) or len(names) != 2 or names[0] == names[1]:
        raise ValueError(f"{_WHERE}: 'names' must be two different names, but is {names!r}.")


def _check_labels(names: tuple[str, str], *classifiers: Classifier) -> None:
    first, second = (set(classifier.labels) for classifier in classifiers)
    if first == second:
        return
    only = [
        f"{', '.join(map(repr, sorted(labels)))} only '{name}'"
        for name, labels in zip(names, (first - second, second - first), strict=True)
        if labels
    ]
    raise ValueError(f"Pipelines are compared label by label, but {' and '.join(only)} has.")


class _Judged(NamedTuple):
    """What one pipeline said of a document."""

    decisions: Decisions
    doc: Doc
    explanation: Explanation
    outcome: Outcome

    @property
    def predicted(self) -> tuple[str, ...]:
        return tuple(self.decisions.labels[column] for column in self.outcome.predicted)


@dataclass
class _Comparison:
    """What is kept of the documents seen so far."""

    classifiers: tuple[Classifier, Classifier]
    decisions: tuple[Decisions, ...]
    method: str
    n_examples: int
    max_documents: int
    n_docs: int = 0
    n_gold: int = 0
    n_both: int = 0
    n_only: list[int] = field(default_factory=lambda: [0, 0])
    # By the number of the pipeline that is right, and by what the other one missed.
    words: tuple[dict[str, WordCounts], dict[str, WordCounts]] = field(
        default_factory=lambda: ({}, {})
    )
    documents: list[Disagreement] = field(default_factory=list)

    def add(self, batch: list[Example]) -> None:
        for example in batch:
            if not isinstance(example, Example):
                raise TypeError(
                    f"Pipelines are compared on labelled documents: pass Examples, as a corpus "
                    f"reader makes them, and not {type(example).__name__}."
                )
        both = zip(
            self._judge(0, batch, [example.predicted for example in batch]),
            self._judge(1, batch, [example.predicted.text for example in batch]),
            strict=True,
        )
        for example, judged in zip(batch, both, strict=True):
            self._count(example, judged)

    def _judge(
        self, number: int, batch: list[Example], texts: list[Doc] | list[str]
    ) -> list[_Judged]:
        classifier, decisions = self.classifiers[number], self.decisions[number]
        docs = classifier.prepare(texts)
        explanations = explain_docs(classifier, docs, self.method)
        judge = decisions.judge
        return [
            _Judged(decisions, doc, explained, judge(explained.scores, example.reference.cats))
            for example, doc, explained in zip(batch, docs, explanations, strict=True)
        ]

    def _count(self, example: Example, judged: tuple[_Judged, _Judged]) -> None:
        self.n_docs += 1
        right = [each.outcome.correct for each in judged]
        if None in right:
            return
        self.n_gold += 1
        self.n_both += all(right)
        if right[0] == right[1]:
            return
        winner = right.index(True)
        self.n_only[winner] += 1
        self._count_words(winner, judged)
        if len(self.documents) < self.max_documents:
            labels, gold = self.classifiers[winner].labels, judged[winner].outcome.gold or []
            self.documents.append(
                Disagreement(
                    gold=tuple(labels[column] for column in gold),
                    right=winner,
                    predicted=(judged[0].predicted, judged[1].predicted),
                    explanations=(judged[0].explanation, judged[1].explanation),
                )
            )

    def _count_words(self, winner: int, judged: tuple[_Judged, _Judged]) -> None:
        """Count what words made of the difference, in the tokens of the first pipeline."""
        wrong = judged[1 - winner]
        missed, given = wrong.decisions.mistaken(wrong.outcome)
        labels = wrong.decisions.labels
        signs = [(labels[i], sign) for i, sign in ((missed, 1.0), (given, -1.0)) if i is not None]
        first, second = (
            numpy.sum([sign * each.explanation.of_label(label) for label, sign in signs], axis=0)
            for each in judged
        )
        values = first - _on_tokens(second, judged[1].doc, judged[0].doc)
        if winner == 1:
            values = -values
        label, sign = signs[0]
        name = label if sign > 0.0 else f"not {label}"
        counts = self.words[winner].setdefault(name, WordCounts(self.n_examples))
        counts.add(judged[0].doc, values[:, None])

    def finish(
        self, names: tuple[str, str], top: int, min_count: int, sort_by: str
    ) -> PipelineComparison:
        if not self.n_gold:
            raise ValueError(
                f"None of the {self.n_docs} documents has a label: there is nothing that a "
                f"pipeline could get right."
            )
        first, second = (
            {
                label: [
                    word
                    for word in counts.best(label, 0, top, min_count=min_count, sort_by=sort_by)
                    if word.total > 0.0
                ]
                for label, counts in sorted(words.items())
            }
            for words in self.words
        )
        return PipelineComparison(
            names=names,
            labels=self.classifiers[0].labels,
            method=self.method,
            n_docs=self.n_docs,
            n_gold=self.n_gold,
            n_both=self.n_both,
            n_only=(self.n_only[0], self.n_only[1]),
            n_neither=self.n_gold - self.n_both - sum(self.n_only),
            words=(first, second),
            documents=self.documents,
            sort_by=sort_by,
        )


def _on_tokens(values: NDArray[numpy.floating], doc: Doc, other: Doc) -> NDArray[numpy.floating]:
    """Give the values of a document's tokens to those of another tokenization of its text.

    A token's value is divided evenly among those that it overlaps with. Spaces that do not belong
    to a token of the other one have none.
    """
    words, others = ([token.text for token in each] for each in (doc, other))
    if words == others:
        return values
    moved = numpy.zeros(len(other), dtype=numpy.float64)
    aligned = Alignment.from_strings(words, others).x2y
    for i, value in enumerate(values.tolist()):
        places = aligned[i]
        moved[places] += value / max(1, len(places))
    return moved
