"""Sub-batches of like length: how much is padded, and how much memory one step may take."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Beyond this many padded tokens a larger sub-batch is no faster on a CPU (its activations leave the
# cache and every step pays for fresh pages), and memory is bounded by it, or by the longest
# document.
MAX_PADDED_TOKENS = 8192

# What starting one more sub-batch costs, in tokens: a fixed price a call, and a price a time step.
# Fitted to a per-direction LSTM of 96 to 128 units on a CPU; the optimum is flat around them.
_CALL_COST = 150
_STEP_COST = 4


def cut_by_length(
    lengths: Sequence[int], max_padded_tokens: int = MAX_PADDED_TOKENS
) -> list[list[int]]:
    """Group the documents that have tokens into sub-batches that waste little on padding.

    Documents are taken from the longest to the shortest. A sub-batch ends where its padding has
    come to cost more than starting another one, or where it would hold more than
    `max_padded_tokens`; a longer document than that forms a sub-batch of its own.

    lengths: The number of tokens of each document.
    RETURNS: Lists of indices into `lengths`, longest document first. Every index of a document with
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
    """Where the tokens of some documents lie, among the concatenated tokens of all documents.

    documents: Indices of the documents, shape (B,).
    lengths: Their numbers of tokens, all at least 1, shape (B,).
    forward: For step t of document b, the row of its t-th token, shape (T, B).
    backward: The same in reverse within each document's own length, shape (T, B).
    mask: Whether step t is a token of document b and not padding, shape (T, B).

    Padded steps point at a row of their own document. What stands there does not matter: padding
    comes after the last token in either direction, and its outputs are masked.
    """

    documents: Tensor
    lengths: Tensor
    forward: Tensor
    backward: Tensor
    mask: Tensor

    @property
    def restore(self) -> Tensor:
        """Where in a (T * B, ...) result of the backward direction the step of each token stands.

        RETURNS: Shape (T, B). Undoes `backward`; the mapping is its own inverse on tokens.
        """
        steps, documents = self.mask.shape
        time = torch.arange(steps, device=self.mask.device).unsqueeze(1)
        reverse = torch.where(self.mask, self.lengths - 1 - time, time)
        return reverse * documents + torch.arange(documents, device=self.mask.device)


def make_sub_batches(
    lengths: Sequence[int],
    device: torch.device,
    max_padded_tokens: int = MAX_PADDED_TOKENS,
) -> list[SubBatch]:
    """Cut a batch of documents, given by their lengths, into sub-batches on a device."""
    all_lengths = torch.tensor(lengths, dtype=torch.long)
    starts = all_lengths.cumsum(0) - all_lengths
    result = []
    for group in cut_by_length(lengths, max_padded_tokens):
        documents = torch.tensor(group)
        own_lengths, own_starts = all_lengths[documents], starts[documents]
        time = torch.arange(int(own_lengths[0])).unsqueeze(1)
        last = own_lengths - 1
        arrays = (
            documents,
            own_lengths,
            own_starts + torch.minimum(time, last),
            own_starts + (last - time).clamp_(min=0),
            time < own_lengths,
        )
        result.append(SubBatch(*(array.to(device) for array in arrays)))
    return result
