"""Beam search: which beginnings of sequences to go on with. Greedy search is a beam of one."""

from typing import NamedTuple

import torch
from torch import Tensor


class Hypothesis(NamedTuple):
    """A sequence that a search has found.

    Attributes:
        symbols: Its symbols, without the end, shape (n,).
        log_probability: Of the symbols, and of the end where it has one.
        is_complete: Whether it has an end. Otherwise it was cut off at its longest allowed length.
        beams: In which beam of its source it was at each step, shape (n,).
    """

    symbols: Tensor
    log_probability: float
    is_complete: bool
    beams: Tensor


class Beam:
    """The best beginnings of a sequence for each of B sources, K of them.

    Args:
        longest: The largest number of symbols a sequence of each source may have, shape (B,).
        width: How many beginnings are kept at every step, K.
        end: The symbol that ends a sequence, which is what the first step reads, too.

    Attributes:
        last: The last symbol of each beginning, shape (B, K).
    """

    def __init__(self, longest: Tensor, width: int, end: int) -> None:
        shape = (len(longest), width)
        self._longest, self._end = longest, end
        # There is but one beginning at first.
        self._scores = torch.full(shape, -torch.inf, device=longest.device)
        self._scores[:, 0] = 0.0
        self.last = torch.full(shape, end, device=longest.device)
        self._lengths = torch.zeros(shape, dtype=torch.int64, device=longest.device)
        self._has_ended = torch.zeros(shape, dtype=torch.bool, device=longest.device)
        self._is_complete = torch.zeros_like(self._has_ended)
        self._steps: list[tuple[Tensor, Tensor]] = []
        self._cut()

    @property
    def is_done(self) -> bool:
        return bool((self._has_ended | self._scores.isneginf()).all())

    def extend(self, log_probabilities: Tensor) -> Tensor:
        """Go on with the most probable beginnings that are one symbol longer.

        Args:
            log_probabilities: Of each next symbol, shape (B, K, n_symbols).

        Returns:
            Which of the present beginnings each of the new ones goes on from, shape (B, K).
        """
        n_symbols = log_probabilities.shape[2]
        # What has ended stays as it is.
        stay = torch.full((n_symbols,), -torch.inf, device=log_probabilities.device)
        stay[self._end] = 0.0
        steps = torch.where(self._has_ended.unsqueeze(2), stay, log_probabilities)
        candidates = (self._scores.unsqueeze(2) + steps).flatten(1)
        self._scores, best = candidates.topk(self._scores.shape[1], dim=1)
        parents, self.last = best // n_symbols, best % n_symbols
        had_ended = self._has_ended.gather(1, parents)
        self._is_complete = self._is_complete.gather(1, parents)
        self._has_ended = self.last == self._end
        self._is_complete |= self._has_ended & ~had_ended
        self._lengths = self._lengths.gather(1, parents) + ~self._has_ended
        self._steps.append((parents, self.last))
        self._cut()
        return parents

    def _cut(self) -> None:
        """End what has the largest length that is allowed."""
        self._has_ended |= self._lengths >= self._longest.unsqueeze(1)

    def hypotheses(self) -> list[list[Hypothesis]]:
        """Return those of each source, the highest log-probability a symbol first."""
        found: list[list[Hypothesis]] = []
        steps = [(parents.tolist(), symbols.tolist()) for parents, symbols in self._steps]
        for source, scores in enumerate(self._scores.tolist()):
            lengths = self._lengths[source].tolist()
            alive = [beam for beam, score in enumerate(scores) if score > -torch.inf]
            alive.sort(key=lambda beam: -scores[beam] / (lengths[beam] + 1))
            found.append([])
            for beam in alive:
                symbols, beams = self._trace(steps, source, beam, lengths[beam])
                complete = bool(self._is_complete[source, beam])
                found[-1].append(Hypothesis(symbols, scores[beam], complete, beams))
        return found

    @staticmethod
    def _trace(steps: list, source: int, beam: int, length: int) -> tuple[Tensor, Tensor]:
        """Return the symbols of a sequence, and in which beam each step found it, shape (n,)."""
        trace = []
        for parents, found in reversed(steps):
            symbol, beam = found[source][beam], parents[source][beam]
            trace.append((symbol, beam))
        path = torch.tensor(trace[::-1][:length], dtype=torch.int64).view(length, 2)
        return path[:, 0], path[:, 1]
