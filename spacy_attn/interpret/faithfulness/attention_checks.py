"""What attention has to do with the decisions: without it, from other seeds, over what states."""

from dataclasses import dataclass

import numpy
from spacy.language import Language

from ...pipeline.decisions import AnyFloats
from ..subject import Classifier
from .batch import Batch, Values
from .measures import Estimate, estimate


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
    """The decisions with attention frozen to uniform, as in Wiegreffe and Pinter 2019, "Attention
    is not not Explanation" - who train with it; here only prediction has it."""

    def __init__(self) -> None:
        self.right: list[float] = []
        self.uniform_right: list[float] = []
        self.same: list[float] = []

    def add(self, batch: Batch) -> None:
        scores = batch.classifier.probabilities(uniform_logits(batch))
        uniform = batch.classifier.decisions.decide(scores)
        self.same.extend((uniform == batch.decisions).all(axis=1).astype(float))
        self.right.extend(_right(batch, batch.scores))
        self.uniform_right.extend(_right(batch, scores))

    def result(self) -> UniformResult | None:
        same = estimate(self.same)
        if same is None:
            return None
        pairs = zip(self.right, self.uniform_right, strict=True)
        return UniformResult(
            accuracy=estimate(self.right),
            uniform_accuracy=estimate(self.uniform_right),
            loss=estimate(a - b for a, b in pairs),
            same_decision=same,
        )


def uniform_logits(batch: Batch) -> Values:
    """The logits when every token of a document has the same weight, shape (n_docs, n_labels)."""
    weight, bias = batch.output_weights
    nothing = numpy.zeros(weight.shape[1])
    pooled = [states.mean(axis=0) if len(states) else nothing for states in batch.hidden]
    return numpy.stack(pooled) @ weight.T + bias


def _right(batch: Batch, scores: AnyFloats) -> list[float]:
    """Whether scores, of shape (n_docs, n_labels), decide rightly about each annotated document."""
    judge = batch.classifier.decisions.judge
    correct = (judge(row, cats).correct for row, cats in zip(scores, batch.cats, strict=True))
    return [float(right) for right in correct if right is not None]


def conicity(hidden: Values) -> float:
    """The mean cosine between hidden states and their mean: 1 where all point in one direction, so
    that it does not matter which of them attention picks.

    Mohankumar et al. 2020, "Towards Transparent and Explainable Attention Models".

    Args:
        hidden: Shape (n_tokens, width), at least one token.
    """
    mean = hidden.mean(axis=0)
    norms = numpy.linalg.norm(hidden, axis=1) * numpy.linalg.norm(mean)
    return float((hidden @ mean / numpy.maximum(norms, 1e-12)).mean())


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
    """How alike the attention of models is that were trained alike but from other random numbers,
    as in Wiegreffe and Pinter 2019."""

    def __init__(self, classifier: Classifier, others: dict[str, tuple[Language, str | None]]):
        """others: Pipelines and the names of their components (None for the only one), by name.

        Raises:
            ValueError: If another component has other labels.
        """
        self.others = {name: Classifier(*other) for name, other in others.items()}
        for name, other in self.others.items():
            if set(other.labels) != set(classifier.labels):
                raise ValueError(
                    f"The pipelines cannot be compared: the labels of '{name}' are "
                    f"{list(other.labels)}, but should be {list(classifier.labels)}."
                )
        self.found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in others}

    def add(self, batch: Batch) -> None:
        labels = batch.classifier.labels
        explanations = batch.explanations["contributions"]
        for name, other in self.others.items():
            columns = other.columns(labels)
            docs = other.prepare([doc.text for doc in batch.docs])
            for mine, theirs in zip(explanations, other.component.explain(docs), strict=True):
                if mine.tokens != theirs.tokens:
                    raise ValueError(
                        f"The pipelines cannot be compared: '{name}' cuts the text {mine.text!r} "
                        f"into other tokens."
                    )
                if not mine.tokens:
                    continue
                self.found[name].append(
                    (
                        divergence(mine.attention, theirs.attention),
                        kendall_tau(mine.attention, theirs.attention),
                        float(
                            total_variation(
                                mine.scores, theirs.scores[columns], batch.classifier.exclusive
                            )
                        ),
                    )
                )

    def results(self) -> dict[str, SeedResult]:
        return {
            name: SeedResult(*map(estimate, numpy.array(rows).reshape(-1, 3).T))
            for name, rows in self.found.items()
        }


def divergence(one: AnyFloats, other: AnyFloats) -> float:
    """The Jensen-Shannon divergence of two distributions over the same tokens, in nats."""
    from scipy.spatial.distance import jensenshannon

    return float(numpy.nan_to_num(jensenshannon(one, other) ** 2))


def kendall_tau(one: AnyFloats, other: AnyFloats) -> float:
    """Kendall's tau (b) of two rankings; not a number where one of them is constant."""
    from scipy.stats import kendalltau

    if len(one) < 2:
        return float("nan")
    return float(kendalltau(one, other).statistic)


def total_variation(one: AnyFloats, other: AnyFloats, exclusive: bool) -> AnyFloats:
    """The total variation distance of scores: half the sum of their absolute differences.

    Where labels are independent, the mean of the distances of each of them.

    Args:
        one, other: Shape (..., n_labels).

    Returns:
        Shape (...).
    """
    differences = numpy.abs(one - other)
    return differences.sum(axis=-1) / 2 if exclusive else differences.mean(axis=-1)
