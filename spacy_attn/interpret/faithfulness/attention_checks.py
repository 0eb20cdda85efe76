"""What attention has to do with the decisions: without it, and in models from other seeds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy
from spacy.language import Language

from ...pipeline.decisions import AnyFloats
from ...results.explanation import CONTRIBUTIONS
from ..subject import Classifier
from .batch import Batch
from .measures import Estimate, divergence, estimate, kendall_tau, total_variation


@dataclass(frozen=True)
class UniformResult:
    """What becomes of the decisions when every token of a document has the same weight.

    Attributes:
        accuracy: The share of annotated documents whose labels are all predicted rightly, as in
            `cats_acc`; None where no document is annotated.
        uniform_accuracy: The same with equal weights.
        loss: The one minus the other.
        same_decision: The share of documents that are given the same labels.
    """

    accuracy: Estimate | None
    uniform_accuracy: Estimate | None
    loss: Estimate | None
    same_decision: Estimate


class UniformAttention:
    """The decisions with attention frozen to uniform.

    As in Wiegreffe and Pinter 2019, "Attention is not not Explanation", who train with it. Here
    only prediction has it.
    """

    def __init__(self) -> None:
        self.right: list[float] = []
        self.uniform_right: list[float] = []
        self.same: list[float] = []

    def add(self, batch: Batch) -> None:
        scores = batch.classifier.probabilities(batch.uniform_logits())
        uniform = batch.classifier.decisions.decide(scores)
        self.same.extend((uniform == batch.decisions).all(axis=1).astype(float))
        self.right.extend(_right(batch, batch.scores))
        self.uniform_right.extend(_right(batch, scores))

    def result(self) -> UniformResult | None:
        if not self.same:
            return None
        losses = numpy.subtract(self.right, self.uniform_right)
        return UniformResult(
            accuracy=estimate(self.right),
            uniform_accuracy=estimate(self.uniform_right),
            loss=estimate(losses),
            same_decision=Estimate.of(numpy.array(self.same)),
        )


def _right(batch: Batch, scores: AnyFloats) -> list[float]:
    """Return whether scores decide rightly about each annotated document."""
    judge = batch.classifier.decisions.judge
    correct = (judge(row, cats).correct for row, cats in zip(scores, batch.cats, strict=True))
    return [float(right) for right in correct if right is not None]


@dataclass(frozen=True)
class SeedResult:
    """How alike two trained models are.

    Attributes:
        attention_divergence: The Jensen-Shannon divergence of their attention in a document, in
            nats: 0 where it is the same, at most ln 2 = 0.693.
        attention_tau: Kendall's tau (b) of their attention in a document.
        score_distance: The total variation distance of their scores (see `total_variation`).
    """

    attention_divergence: Estimate | None
    attention_tau: Estimate | None
    score_distance: Estimate | None


class OtherSeeds:
    """How alike models are that were trained alike but from other random numbers.

    As in Wiegreffe and Pinter 2019.

    Args:
        classifier: The component to compare with.
        others: Pipelines with one component each, by name.

    Raises:
        ValueError: If another component has other labels.
    """

    def __init__(self, classifier: Classifier, others: Mapping[str, Language]) -> None:
        self.others = {name: Classifier(other) for name, other in others.items()}
        for name, other in self.others.items():
            if set(other.labels) != set(classifier.labels):
                raise ValueError(
                    f"The pipelines cannot be compared: the labels of '{name}' are "
                    f"{list(other.labels)}, but should be {list(classifier.labels)}."
                )
        self.found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in others}

    def add(self, batch: Batch) -> None:
        """Compare documents.

        Raises:
            ValueError: If another pipeline has another tokenizer.
        """
        explanations, exclusive = batch.explanations[CONTRIBUTIONS], batch.classifier.exclusive
        for name, other in self.others.items():
            columns = other.columns(batch.classifier.labels)
            docs = other.prepare([doc.text for doc in batch.docs])
            for mine, theirs in zip(explanations, other.component.explain(docs), strict=True):
                if mine.tokens != theirs.tokens:
                    raise ValueError(
                        f"The pipelines cannot be compared: '{name}' cuts the text {mine.text!r} "
                        f"into other tokens."
                    )
                if mine.tokens:
                    distance = total_variation(mine.scores, theirs.scores[columns], exclusive)
                    differs = divergence(mine.attention, theirs.attention)
                    tau = kendall_tau(mine.attention, theirs.attention)
                    self.found[name].append((differs, tau, float(distance)))

    def results(self) -> dict[str, SeedResult]:
        return {
            name: SeedResult(*map(estimate, numpy.array(rows).reshape(-1, 3).T))
            for name, rows in self.found.items()
        }
