"""Sequences that are known, as a tree of their beginnings: a search prefers them."""

from collections.abc import Sequence

import numpy
import torch
from torch import Tensor


class KnownSequences:
    """Tells whether what a search has written so far begins a sequence that is known.

    A beginning is a node, a number. That of nothing is `ROOT`, and `NONE` is of what begins none.

    Args:
        sequences: The symbols of each, without the end.
        end: The symbol that ends each.
        n_symbols: Larger than all of them.
        bonus: What a known sequence has in addition to its log-probability, at least 0.
    """

    ROOT, NONE = 0, -1

    def __init__(
        self, sequences: Sequence[Sequence[int]], end: int, n_symbols: int, bonus: float
    ) -> None:
        self.bonus = bonus
        self._n_symbols = n_symbols
        flat = numpy.array([symbol for each in sequences for symbol in (*each, end)], dtype="int64")
        lengths = numpy.array([len(each) + 1 for each in sequences], dtype="int64")
        starts = lengths.cumsum() - lengths
        nodes, n_nodes, levels = numpy.zeros_like(lengths), 1, []
        active = numpy.arange(len(lengths))
        depth = 0
        while len(active):
            edges = nodes[active] * n_symbols + flat[starts[active] + depth]
            level, places = numpy.unique(edges, return_inverse=True)
            nodes[active] = n_nodes + places
            n_nodes += len(level)
            levels.append(level)
            depth += 1
            active = active[lengths[active] > depth]
        # A node and the symbol after it. They are sorted, and the next node is the place plus 1.
        last = numpy.array([numpy.iinfo("int64").max])
        self._edges = torch.from_numpy(numpy.concatenate([*levels, last]))

    def after(self, nodes: Tensor, symbols: Tensor) -> Tensor:
        """Return the nodes after some nodes and one symbol more each, of any shape."""
        if self._edges.device != nodes.device:
            # Once, and not at every step.
            self._edges = self._edges.to(nodes.device)
        edges = (nodes * self._n_symbols + symbols).contiguous()
        places = torch.searchsorted(self._edges, edges)
        is_known = self._edges[places] == edges
        is_known &= (nodes != self.NONE) & (symbols < self._n_symbols)
        return torch.where(is_known, places + 1, self.NONE)

    def bonuses(self, nodes: Tensor) -> Tensor:
        """Return what each node has in addition."""
        return (nodes != self.NONE) * self.bonus
