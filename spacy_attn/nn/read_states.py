"""What a decoder has read: sources one after another, or padded in groups of like length."""

import copy
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .batching import MAX_PADDED_TOKENS, Layout, cut_by_length

# At most so many probabilities of next symbols are computed at once, or those of one source.
MAX_PROBABILITIES = 2**23


class Source(NamedTuple):
    """What has been read, and what a decoder computes of it once, of B sources with N symbols.

    Attributes:
        states: Hidden states of the encoder, concatenated, shape (N, D).
        compared: What attention compares of them, see `Attention.compared`.
        layout: Which states belong to which source.
        symbols: The symbol of each state in the target vocabulary, shape (N,). A source's symbols
            that this lacks are counted on from its size.
        context: What else is known of each source, shape (B, C).
        first: The first hidden state of the decoder, shape (B, H).
    """

    states: Tensor
    compared: Tensor
    layout: Layout
    symbols: Tensor
    context: Tensor
    first: Tensor

    def pick(self, sources: Tensor) -> "Source":
        """Return sources given by their indices, each any number of times, shape (n,)."""
        layout = copy.copy(self.layout)
        layout.lengths, layout.starts = layout.lengths[sources], layout.starts[sources]
        context, first = self.context[sources], self.first[sources]
        return self._replace(layout=layout, context=context, first=first)

    def groups(self, targets: Tensor) -> list[Tensor]:
        """Cut the sources into groups of like length, given by their indices, to read targets.

        Args:
            targets: The length of the target of each source, shape (B,).
        """
        return self._cut(cut_by_length(self.layout.lengths.maximum(targets).tolist()))

    def groups_to_write(self, beam_width: int, n_symbols: int) -> list[Tensor]:
        """Cut the sources into groups that fit memory, given by their indices, to search.

        A step of a search costs as much as padding for thousands of symbols, so that few steps for
        many sources are best, however long these are.

        Args:
            beam_width: How many beginnings of each source are kept.
            n_symbols: Of how many symbols the next one is found.
        """
        most = max(1, MAX_PADDED_TOKENS // beam_width)
        groups = cut_by_length(self.layout.lengths.tolist(), most, call_cost=math.inf)
        n = max(1, MAX_PROBABILITIES // (beam_width * n_symbols))
        return self._cut([group[i : i + n] for group in groups for i in range(0, len(group), n)])

    def _cut(self, groups: Sequence[Sequence[int]]) -> list[Tensor]:
        return [torch.tensor(group, device=self.states.device) for group in groups]

    def padded(self, group: Tensor) -> "PaddedSource":
        """Pad sources that are given by their indices. Padding repeats the last symbol of each."""
        lengths = self.layout.lengths[group].unsqueeze(1)
        places = torch.arange(int(lengths.max()), device=group.device)
        rows = self.layout.starts[group].unsqueeze(1) + places.minimum(lengths - 1)
        # An embedding has a faster gradient than an index.
        states = F.embedding(rows, self.states)
        evidence = states.new_zeros(rows.shape).masked_fill_(places >= lengths, -torch.inf)
        return PaddedSource(
            states,
            states if self.compared is self.states else F.embedding(rows, self.compared),
            evidence,
            self.symbols[rows],
            self.context[group],
            self.first[group],
        )


class PaddedSource(NamedTuple):
    """Sources as the B rows of arrays that are padded to T symbols; see `Source`.

    Attributes:
        evidence: What attention adds to the score of each symbol: 0, or minus infinity where there
            is padding, shape (B, T).
    """

    states: Tensor
    compared: Tensor
    evidence: Tensor
    symbols: Tensor
    context: Tensor
    first: Tensor

    def rows(self, kept: Tensor) -> "PaddedSource":
        """Return some of the sources, given by their rows."""
        states, compared, *others = self
        kept_states = states.index_select(0, kept)
        return PaddedSource(
            kept_states,
            kept_states if compared is states else compared.index_select(0, kept),
            *(part.index_select(0, kept) for part in others),
        )
