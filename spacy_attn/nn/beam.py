"""Beam search: which beginnings of sequences to go on with. Greedy search is a beam of one."""

from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from .fast_ops import largest


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

    All of them that have not ended are equally long. Sources none of whose sequences goes on can be
    left out of the next steps; the others are active, A of them.

    Args:
        longest: The largest number of symbols a sequence of each source may have, shape (B,).
        width: How many beginnings are kept at every step, K.
        end: The symbol that ends a sequence, which is what the first step reads, too.

    Attributes:
        width: K.
        active: Which of the sources are active, shape (A,).
        last: The last symbol of each beginning, shape (A, K).
    """

    def __init__(self, longest: Tensor, width: int, end: int) -> None:
        shape = (len(longest), width)
        self.width = width
        self._longest, self._end = longest, end
        # Of the active sources.
        self._bounds = longest.unsqueeze(1)
        self.active = torch.arange(len(longest), device=longest.device)
        # There is but one beginning at first.
        self._scores = torch.full(shape, -torch.inf, device=longest.device)
        self._scores[:, 0] = 0.0
        self.last = torch.full(shape, end, device=longest.device)
        self._has_ended = self._scores.isneginf() | (self._bounds < 1)
        self._final_scores = self._scores.clone()
        self._steps: list[tuple[Tensor, Tensor, Tensor]] = []

    def goes_on(self) -> Tensor:
        """Return which of the active sources have a sequence that goes on, shape (A,)."""
        return ~self._has_ended.all(1)

    def keep(self, kept: Tensor) -> None:
        """Go on with some of the active sources only, given by their places, shape (n,)."""
        self._final_scores[self.active] = self._scores
        self.active, self.last = self.active[kept], self.last[kept]
        self._scores, self._has_ended = self._scores[kept], self._has_ended[kept]
        self._bounds = self._bounds[kept]

    def extend(self, probabilities: Tensor) -> Tensor:
        """Go on with the most probable beginnings that are one symbol longer.

        Args:
            probabilities: Of each next symbol, shape (A, K, n_symbols).

        Returns:
            Which of the present beginnings each of the new ones goes on from, shape (A, K).
        """
        parents = self._extend_all(probabilities) if self.width > 1 else self._extend(probabilities)
        self._steps.append((self.active, parents, self.last))
        has_largest_length = self._bounds <= len(self._steps)
        self._has_ended = (self.last == self._end) | has_largest_length | self._scores.isneginf()
        return parents

    def _extend(self, probabilities: Tensor) -> Tensor:
        """Do so where there is only one beginning. What has ended stays as it is."""
        best, symbols = largest(probabilities)
        self._scores = self._scores + best.log().masked_fill(self._has_ended, 0.0)
        self.last = symbols.masked_fill(self._has_ended, self._end)
        return torch.zeros_like(symbols)

    def _extend_all(self, probabilities: Tensor) -> Tensor:
        """Do so where beginnings compete. What has ended is followed by one end, for certain."""
        # No more than K can go on from the same beginning.
        best, symbols = probabilities.topk(min(self.width, probabilities.shape[2]), dim=2)
        stay = torch.full_like(best[0, 0], -torch.inf)
        stay[0] = 0.0
        ended = self._has_ended.unsqueeze(2)
        candidates = self._scores.unsqueeze(2) + torch.where(ended, stay, best.log())
        self._scores, found = candidates.flatten(1).topk(self.width, dim=1)
        self.last = symbols.masked_fill(ended, self._end).flatten(1).gather(1, found)
        return found // best.shape[2]

    def hypotheses(self) -> list[list[Hypothesis]]:
        """Return those of each source, the best first.

        What is complete comes before what was cut off, then the highest log-probability a symbol.
        """
        self._final_scores[self.active] = self._scores
        symbols, beams = self._traced()
        lengths = (symbols != self._end).sum(2)
        # What has its largest length has been cut off before it could end.
        are_complete = lengths < self._longest.cpu().numpy()[:, None]
        scores = self._final_scores.cpu().numpy()
        order = numpy.lexsort((-scores / (lengths + 1), ~are_complete), axis=1)
        return [
            [
                Hypothesis(
                    torch.from_numpy(symbols[at][: lengths[at]].copy()),
                    float(scores[at]),
                    bool(are_complete[at]),
                    torch.from_numpy(beams[at][: lengths[at]].copy()),
                )
                for at in ((source, beam) for beam in of_source)
                if scores[at] > -numpy.inf
            ]
            for source, of_source in enumerate(order)
        ]

    def _traced(self) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Return the symbols of each sequence, and its beam before each, shape (B, K, steps)."""
        n_sources, width = self._final_scores.shape
        shape = (n_sources, width, len(self._steps))
        symbols, beams = numpy.full(shape, self._end), numpy.empty(shape, dtype=numpy.int64)
        # In which beam each sequence is: at the end in its own, and before in that of its parent.
        beam = numpy.arange(width).repeat(n_sources).reshape(width, n_sources).T
        for step, parts in reversed(list(enumerate(self._steps))):
            active, parents, last = (part.cpu().numpy() for part in parts)
            own = beam[active]
            symbols[active, :, step] = numpy.take_along_axis(last, own, axis=1)
            beam[active] = numpy.take_along_axis(parents, own, axis=1)
            beams[:, :, step] = beam
        return symbols, beams
