"""How documents lie in memory: one after another, or padded in sub-batches of like length."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

Indices = NDArray[numpy.int64]

# This or the longest document bounds memory. Larger sub-batches are no faster on a CPU. From twice
# this size on, training is slower by a fifth: what an LSTM of 128 units keeps for its backward pass
# then exceeds the 32 MiB above which glibc gives every block fresh pages.
MAX_PADDED_TOKENS = 4096

# What one more sub-batch costs, in tokens, for its calls and for each of its time steps. Fitted to
# an LSTM of 96 to 128 units a direction on a CPU; the optimum is flat around them.
_CALL_COST = 150
_STEP_COST = 4


class Layout:
    """Which of N concatenated tokens belong to which of B documents.

    Args:
        lengths: Number of tokens of each document; 0 is allowed.

    Attributes:
        lengths: The same, shape (B,).
        starts: Where each document starts, shape (B,).
        first: The first token of each document, any for one without tokens, shape (B,).
        last: The last token of each document, any for one without tokens, shape (B,).
        of_token: The index of each token's document, shape (N,).
    """

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        # With NumPy, which takes a fraction of torch's time for small arrays.
        counts = numpy.array(lengths, dtype=numpy.int64)
        ends = counts.cumsum()
        starts = ends - counts
        arrays = (
            counts,
            starts,
            numpy.minimum(starts, max(counts.sum() - 1, 0)),
            numpy.maximum(ends - 1, 0),
            numpy.arange(len(counts)).repeat(counts),
        )
        self.lengths, self.starts, self.first, self.last, self.of_token = (
            torch.from_numpy(array).to(device) for array in arrays
        )

    def __len__(self) -> int:
        return len(self.lengths)


def cut_by_length(
    lengths: Sequence[int],
    max_padded_tokens: int = MAX_PADDED_TOKENS,
    call_cost: float = _CALL_COST,
) -> list[list[int]]:
    """Group documents, given by their lengths, into sub-batches that waste little on padding.

    Documents are taken from the longest to the shortest. A sub-batch ends where its padding has
    come to cost more than starting another one, or where it would hold more than
    `max_padded_tokens`. A longer document than that forms a sub-batch of its own.

    Args:
        lengths: Numbers of tokens.
        max_padded_tokens: The largest size of a sub-batch.
        call_cost: What one more sub-batch costs, whatever its length, in tokens of padding.

    Returns:
        Lists of indices into `lengths`, longest document first. Every document with tokens is in
        exactly one list; documents without tokens are in none.
    """
    order = sorted((i for i, n in enumerate(lengths) if n > 0), key=lambda i: -lengths[i])
    groups: list[list[int]] = []
    longest = wasted = 0
    for i in order:
        length = lengths[i]
        full = not groups or (len(groups[-1]) + 1) * longest > max_padded_tokens
        wasted += longest - length
        if full or wasted > call_cost + _STEP_COST * length:
            groups.append([])
            longest, wasted = length, 0
        groups[-1].append(i)
    return groups


@dataclass(frozen=True)
class SubBatch:
    """Documents of like length, as the B columns of padded arrays of T steps.

    Their N tokens are counted document by document, in the order of `documents`. Padded steps come
    after the last token in either direction. They read a token of their own document, and no token
    is taken from them.

    Attributes:
        documents: The indices of the documents in the batch, the longest first, shape (B,).
        lengths: Their numbers of tokens.
        tokens: Where their tokens stand among those of the batch, shape (N,).
        forward: Which token a document reads at each step, shape (T, B).
        backward: The same in reverse within the document's own length.
        after_forward: Where each token stands among the flattened steps of `forward`, shape (N,).
        after_backward: The same for `backward`.
        padding: Which of the flattened steps are padding, in either, shape (T * B - N,).
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
    """Cut a batch of documents, given by their lengths, into sub-batches on a device."""
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
