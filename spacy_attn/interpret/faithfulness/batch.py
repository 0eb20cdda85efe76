"""A few documents with all that is measured on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ...pipeline.decisions import Bools
from ...results.explanation import ATTENTION, CONTRIBUTIONS, Explanation, Floats
from ..methods import explain_docs
from ..subject import Classifier
from .measures import Values


@dataclass(eq=False)
class Batch:
    """Documents and their explanations.

    Attributes:
        classifier: The component.
        docs: The documents, as `Classifier.prepare` returns them.
        references: The same documents as they were annotated.
        explanations: For each method those of all documents, those of the contributions in any
            case.
    """

    classifier: Classifier
    docs: list[Doc]
    references: Sequence[Doc]
    explanations: dict[str, list[Explanation]]

    @classmethod
    def make(
        cls, classifier: Classifier, examples: Sequence[Example], methods: Sequence[str]
    ) -> "Batch":
        docs = classifier.prepare([example.predicted for example in examples])
        references = [example.reference for example in examples]
        explanations = {method: explain_docs(classifier, docs, method) for method in methods}
        return cls(classifier, docs, references, explanations)

    @cached_property
    def cats(self) -> list[Mapping[str, float]]:
        """For each document the labels it has, as in `doc.cats`; empty if they are not known."""
        return [reference.cats for reference in self.references]

    @cached_property
    def scores(self) -> Floats:
        """Shape (n_docs, n_labels)."""
        return numpy.stack([explanation.scores for explanation in self.explanations[CONTRIBUTIONS]])

    @cached_property
    def targets(self) -> list[int]:
        """For each document, the place of the label with the highest score."""
        return self.scores.argmax(axis=1).tolist()

    @cached_property
    def decisions(self) -> Bools:
        """Which labels are predicted, shape (n_docs, n_labels)."""
        return self.classifier.decisions.decide(self.scores)

    @cached_property
    def hidden(self) -> list[Values]:
        """The hidden states of each document, shape (n_tokens, 2H)."""
        component = self.classifier.component
        to_numpy = component.model.ops.to_numpy
        return [to_numpy(states).astype(numpy.float64) for states in component.encode(self.docs)]

    def uniform_logits(self) -> Values:
        """Return the logits of equal weights of a document's tokens, shape (n_docs, n_labels)."""
        component = self.classifier.component
        weight, bias = map(component.model.ops.to_numpy, component.output_weights())
        nothing = numpy.zeros(weight.shape[1])
        pooled = [states.mean(axis=0) if len(states) else nothing for states in self.hidden]
        return numpy.stack(pooled) @ weight.T.astype(numpy.float64) + bias

    def toward(self, explanation: Explanation, column: int) -> Values:
        """Return what speaks for a label in each token, shape (n_tokens,).

        Where labels exclude each other, these are the attributions to the label's logit minus their
        mean over all labels: what is added to all logits alike changes no score.
        """
        values = explanation.attributions.astype(numpy.float64)
        if self.classifier.exclusive:
            values = values - values.mean(axis=1, keepdims=True)
        return values[:, column]

    def importance(self, name: str) -> list[Values]:
        """Return what to rank the tokens of each document by, shape (n_tokens,) each.

        Args:
            name: Attention, or a method: what it finds to speak for the label with the highest
                score.
        """
        if name == ATTENTION:
            explanations = self.explanations[CONTRIBUTIONS]
            return [explanation.attention.astype(numpy.float64) for explanation in explanations]
        return [
            self.toward(explanation, target)
            for explanation, target in zip(self.explanations[name], self.targets, strict=True)
        ]
