"""How documents lie in memory: one after another, or padded in sub-batches of like length."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

Indices = NDArray[numpy.int64]

# Larger sub-batches are no faster on a CPU. Training is slower by a fifth from twice this size on:
# what an LSTM of 128 units keeps for its backward pass then exceeds the 32 MiB above which glibc
# gives every block fresh pages and takes them back. Memory is bounded by it, or by the longest
# document.
MAX_PADDED_TOKENS = 4096

# What starting one more sub-batch costs, in tokens: a fixed price a call, and a price a time step.
# Fitted to a per-direction LSTM of 96 to 128 units on a CPU; the optimum is flat around them.
_CALL_COST = 150
_STEP_COST = 4


class Layout:
    """Which of N concatenated tokens belong to which of B documents.

    Args:
        lengths: Number of tokens of each document, 0 allowed.
    """

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        # With NumPy, which takes a fraction of torch's time for small arrays, and nothing before it
        # is asked for: one document alone needs little of it.
        self._lengths = numpy.array(lengths, dtype=numpy.int64)
        self._starts = self._lengths.cumsum() - self._lengths
        self._device = device

    def __len__(self) -> int:
        return len(self._lengths)

    @cached_property
    def lengths(self) -> Tensor:
        """Number of tokens of each document, shape (B,)."""
        return self._tensor(self._lengths)

    @cached_property
    def starts(self) -> Tensor:
        """Where each document starts, shape (B,)."""
        return self._tensor(self._starts)

    @cached_property
    def first(self) -> Tensor:
        """The first token of each document, any for one without tokens, shape (B,)."""
        n_tokens = int(self._lengths.sum())
        return self._tensor(numpy.minimum(self._starts, max(n_tokens - 1, 0)))

    @cached_property
    def last(self) -> Tensor:
        """The last token of each document, any for one without tokens, shape (B,)."""
        return self._tensor(numpy.maximum(self._starts + self._lengths - 1, 0))

    @cached_property
    def of_token(self) -> Tensor:
        """The index of each token's document, shape (N,)."""
        return self._tensor(numpy.arange(len(self)).repeat(self._lengths))

    def _tensor(self, array: Indices) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def cut_by_length(
    lengths: Sequence[int], max_padded_tokens: int = MAX_PADDED_TOKENS
) -> list[list[int]]:
    """Group the documents that have tokens into sub-batches that waste little on padding.

    Documents are taken from the longest to the shortest. A sub-batch ends where its padding has
    come to cost more than starting another one, or where it would hold more than
    `max_padded_tokens`; a longer document than that forms a sub-batch of its own.

    Args:
        lengths: The number of tokens of each document.

    Returns:
        Lists of indices into `lengths`, longest document first. Every index of a document with
        tokens is in exactly one list; documents without tokens are in none.
    """
    order = sorted((i for i, n in enumerate(lengths) if n > 0), key=lambda i: (-lengths[i], i))
    groups: list[list[int]] = []
    longest = wasted = 0
    for i in order:
        length = lengths[i]
        full = not groups or (len(groups[-1]) + 1) * longest > max_padded_tokens
        wasted += longest - length
        if full or wasted > _CALL_COST + _STEP_COST * length:
            groups.append([])
            longest, wasted = length, 0
        groups[-1].append(i)
    return groups


@dataclass(frozen=True)
class SubBatch:
    """Documents of like length, as the B columns of padded arrays of T steps.

    Their N tokens are counted document by document, in the order of `documents`.

    Padded steps come after the last token in either direction. They read a token of their own
    document, and no token is taken from them.

    Attributes:
        documents: The indices of the documents in the batch, the longest first, shape (B,).
        lengths: Their numbers of tokens.
        tokens: Where their tokens stand among those of the batch, shape (N,).
        forward: Which token a document reads at each step, shape (T, B).
        backward: The same in reverse within the document's own length.
        after_forward: Where each token stands among the steps, flattened to (T * B,), when they are
            laid out as in `forward`, shape (N,).
        after_backward: The same when they are laid out as in `backward`.
        padding: Which of the steps, flattened, are padding, in either layout, shape (T * B - N,).
    """

    documents: Tensor
    lengths: list[int]
    tokens: Tensor
    forward: Tensor
    backward: Tensor
    after_forward: Tensor
    after_backward: Tensor
    padding: Tensor


def sub_batches(
    lengths: Sequence[int],
    device: torch.device,
    max_padded_tokens: int = MAX_PADDED_TOKENS,
) -> list[SubBatch]:
    """Cut a batch of documents, given by their lengths, into sub-batches on a device.

    Documents without tokens are in none of them.
    """
    all_lengths = numpy.array(lengths, dtype=numpy.int64)
    starts = all_lengths.cumsum() - all_lengths
    return [
        _sub_batch(numpy.array(group), all_lengths, starts, device)
        for group in cut_by_length(lengths, max_padded_tokens)
    ]


def _sub_batch(
    documents: Indices, all_lengths: Indices, all_starts: Indices, device: torch.device
) -> SubBatch:
    # With NumPy, which takes a fraction of torch's time for small arrays.
    lengths = all_lengths[documents]
    starts = lengths.cumsum() - lengths
    # Of each token: its column, its place in the document and that counted from the end.
    column = numpy.arange(len(documents)).repeat(lengths)
    place = numpy.arange(len(column)) - starts[column]
    place_from_end = lengths[column] - 1 - place
    step, last = numpy.arange(lengths[0])[:, None], lengths - 1
    arrays = (
        all_starts[documents][column] + place,
        starts + numpy.minimum(step, last),
        starts + numpy.maximum(last - step, 0),
        place * len(documents) + column,
        place_from_end * len(documents) + column,
        numpy.flatnonzero(step > last),
    )
    tokens, *others = (torch.from_numpy(array).to(device) for array in arrays)
    return SubBatch(torch.from_numpy(documents), lengths.tolist(), tokens, *others)
