"""How alike methods rank tokens: a diagnostic, and no measure of faithfulness.

Neely et al. 2022, "A Song of (Dis)agreement": rankings agree where both are right, but also where
both are wrong, and two good ones may differ where several sets of tokens serve as well.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy

from ...explanation import ATTENTION
from ...pipeline.decisions import AnyFloats
from ..methods import LEAVE_ONE_OUT
from .attention_checks import kendall_tau, total_variation
from .batch import Batch
from .measures import Estimate, estimate


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
        """Kendall's tau of attention and of how much the scores change without each token."""
        return estimate(self.change_taus)


def changes(batch: Batch, i: int) -> AnyFloats:
    """The total variation distance between the scores of a document and those without each of its
    tokens, shape (n_tokens,), as in Jain and Wallace 2019, "Attention is not Explanation".

    As there, it has no sign: tokens for and against the decision count alike.
    """
    explanation = batch.explanations[LEAVE_ONE_OUT][i]
    without = batch.classifier.probabilities(
        (explanation.logits - explanation.attributions).astype(numpy.float32)
    )
    return total_variation(explanation.scores, without, batch.classifier.exclusive)
