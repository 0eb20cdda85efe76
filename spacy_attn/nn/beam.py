"""Beam search: which beginnings of sequences to go on with. Greedy search is a beam of one."""

from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from .fast_ops import largest
from .known import KnownSequences

# From which probability on the second best next symbols are looked at one by one.
_CLOSE = 0.01
# How many of these.
_N_CLOSE = 3


class Hypothesis(NamedTuple):
    """A sequence that a search has found.

    Attributes:
        symbols: Its symbols, without the end, shape (n,).
        log_probability: Of the symbols, and of the end where it has one.
        is_complete: Whether it has an end. Otherwise it was cut off at its longest allowed length.
        score: The log-probability, and what is added for a known sequence.
    """

    symbols: Tensor
    log_probability: float
    is_complete: bool
    score: float

    @property
    def order(self) -> tuple[bool, float]:
        """What is larger for the better of two, where there are known sequences."""
        return self.is_complete, self.score


class Places(NamedTuple):
    """Which of the K places of each of A sources hold what a search goes on with, R in all.

    Attributes:
        flat: The places, counted through the sources, shape (R,).
        n_sources: A.
        width: K.
    """

    flat: Tensor
    n_sources: int
    width: int

    @classmethod
    def all(cls, n_sources: int, width: int, device: torch.device) -> "Places":
        """Return those of searches that all go on."""
        return cls(torch.arange(n_sources * width, device=device), n_sources, width)

    @property
    def sources(self) -> Tensor:
        """The source of each, shape (R,)."""
        return self.flat // self.width

    def spread(self, values: Tensor) -> Tensor:
        """Put values, shape (R, n), in their places, shape (A, K, n), with zeros elsewhere."""
        n = self.n_sources * self.width
        if len(values) < n:
            values = values.new_zeros(n, values.shape[1]).index_copy_(0, self.flat, values)
        return values.view(self.n_sources, self.width, -1)

    def pick(self, values: Tensor) -> Tensor:
        """Return the values in these places, shape (R, n), of those in all, shape (A, K, n)."""
        values = values.flatten(0, 1)
        return values.index_select(0, self.flat) if len(self.flat) < len(values) else values


class Beam:
    """The best beginnings of a sequence for each of B sources, K of them.

    All of them that have not ended are equally long. Sources none of whose sequences goes on can be
    left out of the next steps; the others are active, A of them.

    Args:
        longest: The largest number of symbols a sequence of each source may have, shape (B,).
        width: How many beginnings are kept at every step, K.
        end: The symbol that ends a sequence, which is what the first step reads, too.
        known: Sequences to be preferred.
        least: The score below which a beginning of each source is left, shape (B,).

    Attributes:
        width: K.
        active: Which of the sources are active, shape (A,).
        places: Where the beginnings are that go on.
        last: The last symbol of each beginning, shape (A, K).
        left: Of a greedy search with known sequences, the highest score that any other sequence
            of each source can have, shape (B,).
    """

    def __init__(
        self,
        longest: Tensor,
        width: int,
        end: int,
        known: KnownSequences | None = None,
        least: Tensor | None = None,
    ) -> None:
        shape, device = (len(longest), width), longest.device
        self.width = width
        self._longest, self._end, self._known = longest, end, known
        # Of the active sources.
        self._bounds = longest.unsqueeze(1)
        self._least = torch.full(shape[:1], -torch.inf, device=device) if least is None else least
        self.active = torch.arange(len(longest), device=device)
        # There is but one beginning at first.
        self._scores = torch.full(shape, -torch.inf, device=device)
        self._scores[:, 0] = 0.0
        self._nodes = torch.full(shape, KnownSequences.ROOT, device=device)
        self.last = torch.full(shape, end, device=device)
        self._has_ended = self._scores.isneginf() | (self._bounds < 1)
        self._final_scores, self._final_nodes = self._scores.clone(), self._nodes.clone()
        self.left = torch.full(shape[:1], -torch.inf, device=device)
        self._steps: list[tuple[Tensor, Tensor, Tensor]] = []
        self.places = self._find_places()

    def _find_places(self) -> Places:
        places = (~self._has_ended).flatten().nonzero().squeeze(1)
        return Places(places, *self._has_ended.shape)

    def goes_on(self) -> Tensor:
        """Return which of the active sources have a sequence that goes on, shape (A,)."""
        return ~self._has_ended.all(1)

    def keep(self, kept: Tensor) -> None:
        """Go on with some of the active sources only, given by their places, shape (n,)."""
        self._store()
        self.active, self.last = self.active[kept], self.last[kept]
        self._scores, self._nodes = self._scores[kept], self._nodes[kept]
        self._has_ended = self._has_ended[kept]
        self._bounds, self._least = self._bounds[kept], self._least[kept]
        self.places = self._find_places()

    def _store(self) -> None:
        self._final_scores[self.active] = self._scores
        self._final_nodes[self.active] = self._nodes

    def extend(self, probabilities: Tensor) -> Tensor:
        """Go on with the most probable beginnings that are one symbol longer.

        Args:
            probabilities: Of each next symbol after those that go on, shape (R, n_symbols).

        Returns:
            Which of these R the new ones go on from, one for each of the new places.
        """
        before = self.places
        parents = self._extend_all(probabilities) if self.width > 1 else self._extend(probabilities)
        self._steps.append((self.active, parents, self.last))
        has_largest_length = self._bounds <= len(self._steps)
        self._has_ended = (self.last == self._end) | has_largest_length | self._scores.isneginf()
        self.places = self._find_places()
        rows = torch.empty_like(self.last).flatten()
        rows[before.flat] = torch.arange(len(before.flat), device=rows.device)
        sources = self.places.sources
        return rows[sources * self.width + parents.flatten()[self.places.flat]]

    def _extend(self, probabilities: Tensor) -> Tensor:
        """Do so where there is only one beginning."""
        rows = self.places.flat
        best, symbols = largest(probabilities)
        before = self._scores[rows, 0]
        if self._known is not None:
            nodes = self._nodes[rows, 0]
            others = before + self._best_others(probabilities, symbols, nodes, self._known)
            sources = self.active[rows]
            self.left[sources] = self.left[sources].maximum(others)
            self._nodes[rows, 0] = self._known.after(nodes, symbols)
        self._scores[rows, 0] = before + best.log()
        self.last = torch.full_like(self.last, self._end)
        self.last[rows, 0] = symbols
        return torch.zeros_like(self.last)

    def _best_others(
        self, probabilities: Tensor, best: Tensor, nodes: Tensor, known: KnownSequences
    ) -> Tensor:
        """Return at most how much other next symbols can add to the score of R beginnings."""
        others = probabilities.scatter(1, best.unsqueeze(1), 0.0)
        second, _ = largest(others)
        found = second.log() + known.bonuses(nodes)
        close = ((second > _CLOSE) & (nodes != known.NONE)).nonzero().squeeze(1)
        nearest, symbols = others[close].topk(min(_N_CLOSE, others.shape[1]), dim=1)
        after = known.after(nodes[close].unsqueeze(1), symbols)
        # Of the last one, and of all after it, it is not known.
        after[:, -1] = known.ROOT
        found[close] = (nearest.log() + known.bonuses(after)).amax(1)
        return found

    def _extend_all(self, probabilities: Tensor) -> Tensor:
        """Do so where beginnings compete. What has ended is among them, as it is."""
        rows, n_sources = self.places.flat, len(self.active)
        # No more than K can go on from the same beginning.
        best, symbols = probabilities.topk(min(self.width, probabilities.shape[1]), dim=1)
        n = best.shape[1]
        scores = self._scores.new_full((n_sources * self.width, n), -torch.inf)
        scores[:, 0] = self._scores.flatten()
        scores[rows] = scores[rows, :1] + best.log()
        last = self.last.new_full(scores.shape, self._end)
        last[rows] = symbols
        nodes = self._nodes.view(-1, 1).repeat(1, n)
        ranks = scores
        if self._known is not None:
            nodes[rows] = self._known.after(nodes[rows], symbols)
            ranks = scores + self._known.bonuses(nodes)
        found = ranks.view(n_sources, -1).topk(self.width, dim=1)
        self._scores, self._nodes, self.last = (
            part.view(n_sources, -1).gather(1, found.indices) for part in (scores, nodes, last)
        )
        dropped = found.values < self._least.unsqueeze(1)
        self._scores = self._scores.masked_fill(dropped, -torch.inf)
        return found.indices // n

    def hypotheses(self) -> list[list[Hypothesis]]:
        """Return those of each source, the best first.

        What is complete comes before what was cut off. Then comes the highest score, where there
        are known sequences, and otherwise the highest log-probability a symbol.
        """
        self._store()
        symbols = self._traced()
        lengths = (symbols != self._end).sum(2)
        # What has its largest length has been cut off before it could end.
        are_complete = lengths < self._longest.cpu().numpy()[:, None]
        probabilities = scores = self._final_scores.cpu().numpy()
        ranks = scores / (lengths + 1)
        if self._known is not None:
            bonuses = self._known.bonuses(self._final_nodes).cpu().numpy() * are_complete
            ranks = scores = probabilities + bonuses
        order = numpy.lexsort((-ranks, ~are_complete), axis=1)
        return [
            [
                Hypothesis(
                    torch.from_numpy(symbols[at][: lengths[at]].copy()),
                    float(probabilities[at]),
                    bool(are_complete[at]),
                    float(scores[at]),
                )
                for at in ((source, beam) for beam in of_source)
                if scores[at] > -numpy.inf
            ]
            for source, of_source in enumerate(order)
        ]

    def _traced(self) -> NDArray[numpy.int64]:
        """Return the symbols of each sequence, shape (B, K, steps)."""
        n_sources, width = self._final_scores.shape
        symbols = numpy.full((n_sources, width, len(self._steps)), self._end)
        # In which beam each sequence is: at the end in its own, and before in that of its parent.
        beam = numpy.arange(width).repeat(n_sources).reshape(width, n_sources).T
        for step, parts in reversed(list(enumerate(self._steps))):
            active, parents, last = (part.cpu().numpy() for part in parts)
            own = beam[active]
            symbols[active, :, step] = numpy.take_along_axis(last, own, axis=1)
            beam[active] = numpy.take_along_axis(parents, own, axis=1)
        return symbols
