"""How alike methods rank tokens: a diagnostic, and no measure of faithfulness.

Neely et al. 2022, "A Song of (Dis)agreement": rankings agree where both are right, but also where
both are wrong, and two good ones may differ where several sets of tokens serve as well.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy

from ...pipeline.decisions import AnyFloats
from ...results.explanation import ATTENTION
from ..methods import LEAVE_ONE_OUT
from .batch import Batch
from .measures import Estimate, estimate, kendall_tau, total_variation


class Agreement:
    """Kendall's tau (b) of each pair of rankings, in documents of two tokens or more."""

    def __init__(self, methods: Sequence[str]) -> None:
        self.names = (ATTENTION, *methods)
        self.taus: dict[tuple[str, str], list[float]] = {
            pair: [] for pair in combinations(self.names, 2)
        }
        self.change_taus: list[float] = []

    def add(self, batch: Batch) -> None:
        values = {name: batch.importance(name) for name in self.names}
        for i in range(len(batch.docs)):
            for one, other in self.taus:
                self.taus[one, other].append(kendall_tau(values[one][i], values[other][i]))
            if LEAVE_ONE_OUT in self.names:
                self.change_taus.append(kendall_tau(values[ATTENTION][i], changes(batch, i)))

    def results(self) -> dict[tuple[str, str], Estimate | None]:
        return {pair: estimate(taus) for pair, taus in self.taus.items()}

    def change_result(self) -> Estimate | None:
        """Return the tau of attention and of how much the scores change without each token."""
        return estimate(self.change_taus)


def changes(batch: Batch, i: int) -> AnyFloats:
    """Return the distances of a document's scores to those without each token, shape (n_tokens,).

    As in Jain and Wallace 2019, "Attention is not Explanation", they are total variation distances.
    They have no sign: tokens for and against the decision count alike.
    """
    explanation = batch.explanations[LEAVE_ONE_OUT][i]
    logits = (explanation.logits - explanation.attributions).astype(numpy.float32)
    without = batch.classifier.probabilities(logits)
    return total_variation(explanation.scores, without, batch.classifier.exclusive)
