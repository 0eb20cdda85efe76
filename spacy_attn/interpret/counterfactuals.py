"""`spacy_attn.counterfactual`: which tokens a decision hangs on, found and then checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from math import comb
from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from ..checks import check_positive
from ..pipeline.decisions import Bools
from ..results.explanation import CONTRIBUTIONS, Explanation
from ..results.targets import column_of
from .methods import explain_docs
from .subject import Classifier

_WHERE = "spacy_attn.counterfactual"
# So many documents are predicted at once, of which the first that is decided otherwise counts.
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """Tokens without which a document is decided otherwise. The prediction without them was made.

    Attributes:
        explanation: The document and its decision.
        removed: The numbers of these tokens, in order.
        before: The labels that the document is given.
        after: The labels that it is given without these tokens.
        scores: The score of each label without them, shape (n_labels,).
        n_predictions: How many predictions the search took.
        smallest: Whether all smaller sets of tokens were tried, and none changed the decision.
    """

    explanation: Explanation
    removed: tuple[int, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    scores: NDArray[numpy.floating]
    n_predictions: int
    smallest: bool

    @property
    def tokens(self) -> tuple[str, ...]:
        """The texts of the tokens."""
        return tuple(self.explanation.tokens[i] for i in self.removed)

    @property
    def text(self) -> str:
        """The text without the tokens."""
        pairs = zip(self.explanation.tokens, self.explanation.spaces, strict=True)
        kept = (pair for i, pair in enumerate(pairs) if i not in self.removed)
        return "".join(token + " " * space for token, space in kept)

    def __repr__(self) -> str:
        """Say what was found."""
        before, after = (", ".join(each) or "no label" for each in (self.before, self.after))
        smallest = ", no smaller set does" if self.smallest else ""
        return (
            f"Counterfactual({before!r} becomes {after!r} without {list(self.tokens)}{smallest}; "
            f"{self.n_predictions} predictions)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it in lists, strings and numbers, which JSON can hold."""
        labels = self.explanation.labels
        return {
            "removed": list(self.removed),
            "tokens": list(self.tokens),
            "text": self.text,
            "before": list(self.before),
            "after": list(self.after),
            "scores": dict(zip(labels, self.scores.tolist(), strict=True)),
            "n_predictions": self.n_predictions,
            "smallest": self.smallest,
            "explanation": self.explanation.to_dict(),
        }


def counterfactual(
    nlp: Language,
    text: str | Doc,
    *,
    component: str | None = None,
    label: str | None = None,
    max_predictions: int = 1000,
) -> Counterfactual | None:
    """Look for the fewest tokens without which a document is decided otherwise.

    Contributions say where to look: tokens are left out, those that speak most for the decision
    first, until it changes. Then tokens are put back that need not be left out. At last smaller
    sets are tried, all of them where `max_predictions` allows. Whatever is returned was predicted:
    left-out tokens are not there, as if the text had never had them.

    Args:
        nlp: A trained pipeline.
        text: A text or a document, which is not modified.
        component: As for `spacy_attn.explain`.
        label: The label whose decision is to change, from given to not given or the other way; by
            default the decision on any label.
        max_predictions: Most predictions to make. More of them find smaller sets, or that there is
            none.

    Returns:
        What was found; None where no set that was tried changes the decision.

    Raises:
        ValueError: As `spacy_attn.explain`, and for a label that the component does not have.
    """
    check_positive(_WHERE, max_predictions=max_predictions)
    classifier = Classifier(nlp, component)
    if label is not None:
        column_of(label, classifier.labels, f"'{classifier.name}'")
    docs = classifier.prepare([text])
    (explanation,) = explain_docs(classifier, docs, CONTRIBUTIONS)
    return _Search(classifier, docs[0], explanation, label, max_predictions).run()


@dataclass
class _Found:
    """A set of tokens without which the decision is another one."""

    removed: tuple[int, ...]
    scores: NDArray[numpy.floating]


@dataclass
class _Search:
    """A search for the tokens that one decision hangs on."""

    classifier: Classifier
    doc: Doc
    explanation: Explanation
    label: str | None
    max_predictions: int
    n_predictions: int = 0
    decision: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.decision = self._decide(self.explanation.scores)

    def run(self) -> Counterfactual | None:
        order = numpy.argsort(-self._support(), kind="stable").tolist()
        found = self._first(tuple(sorted(order[:n])) for n in range(1, len(order) + 1))
        if found is None:
            return None
        found = self._put_back(found)
        found, smallest = self._try_smaller(found, order)
        return Counterfactual(
            explanation=self.explanation,
            removed=found.removed,
            before=self._names(self.decision),
            after=self._names(self._decide(found.scores)),
            scores=found.scores,
            n_predictions=self.n_predictions,
            smallest=smallest,
        )

    def _decide(self, scores: NDArray[numpy.floating]) -> Bools:
        return self.classifier.decisions.decide(scores[None])[0]

    def _names(self, decision: Bools) -> tuple[str, ...]:
        pairs = zip(self.classifier.labels, decision, strict=True)
        return tuple(label for label, given in pairs if given)

    def _support(self) -> NDArray[numpy.floating]:
        """Return how much each token speaks for the decision that is to change."""
        explained, labels = self.explanation, self.classifier.labels
        if not labels:
            return numpy.zeros(len(explained.tokens))
        if not self.classifier.exclusive:
            column = self._least_certain() if self.label is None else labels.index(self.label)
            values = explained.of_label(labels[column])
            return values if self.decision[column] else -values
        given = labels[int(self.decision.argmax())]
        others = [each for each in labels if each != given]
        if not others:
            return explained.of_label(given)
        other = max(others, key=explained.logit_of)
        if self.label not in (None, given):
            other = str(self.label)
        return explained.of_label((given, other))

    def _least_certain(self) -> int:
        """Return the place of the independent label whose score is nearest to the threshold."""
        threshold = self.classifier.decisions.threshold
        return int(numpy.abs(self.explanation.scores - threshold).argmin())

    def _changes(self, scores: NDArray[numpy.floating]) -> bool:
        changed = self._decide(scores) != self.decision
        if self.label is None:
            return bool(changed.any())
        return bool(changed[self.classifier.labels.index(self.label)])

    def _first(self, sets: Iterator[tuple[int, ...]]) -> _Found | None:
        """Return the first of some sets that changes the decision, as far as predictions last."""
        size = 1
        while True:
            left = self.max_predictions - self.n_predictions
            if not (batch := list(islice(sets, min(size, left)))):
                return None
            size = min(2 * size, _BATCH)  # often, one of the first will do
            everything = numpy.arange(len(self.doc))
            kept = [numpy.delete(everything, removed) for removed in batch]
            (logits,) = self.classifier.logits_of_parts([self.doc], [kept])
            self.n_predictions += len(batch)
            for removed, scores in zip(batch, self.classifier.probabilities(logits), strict=True):
                if self._changes(scores):
                    return _Found(removed, scores)

    def _put_back(self, found: _Found) -> _Found:
        """Put back tokens one by one, as long as the decision stays changed."""
        while len(found.removed) > 1:
            removed = found.removed
            fewer = self._first(combinations(removed, len(removed) - 1))
            if fewer is None:
                return found
            found = fewer
        return found

    def _try_smaller(self, found: _Found, order: Sequence[int]) -> tuple[_Found, bool]:
        """Try sets of fewer tokens, those that speak most for the decision first.

        Returns:
            The smallest set that was found, and whether all smaller ones were tried.
        """
        complete = True  # of all sizes below that which is tried
        for size in range(1, len(found.removed)):
            left = self.max_predictions - self.n_predictions
            # As many of the first tokens as all their sets of this size can be tried of.
            n = next((n for n in range(len(order), size, -1) if comb(n, size) <= left), size)
            sets = (tuple(sorted(each)) for each in combinations(order[:n], size))
            if (smaller := self._first(sets)) is not None:
                return smaller, complete
            complete = complete and n == len(order)
        return found, complete
