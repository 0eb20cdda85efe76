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
class Padding:
    """How N concatenated tokens are put into padded sub-batches, and taken out of them again.

    forward: For each sub-batch, the rows of its tokens, shape (T, B): at step t of document b,
        that of the document's t-th token.
    backward: The same in reverse within each document's own length.
    after_forward: Where each token stands among the steps of all sub-batches, each flattened to
        (T * B,) and then concatenated, when they are laid out as in `forward`, shape (N,).
    after_backward: The same when they are laid out as in `backward`.

    Padded steps come after the last token in either direction. They point at a row of their own
    document, and no token is taken from them.
    """

    forward: list[Tensor]
    backward: list[Tensor]
    after_forward: Tensor
    after_backward: Tensor


def pad_by_length(
    lengths: Sequence[int],
    device: torch.device,
    max_padded_tokens: int = MAX_PADDED_TOKENS,
) -> Padding:
    """Cut a batch of documents, given by their lengths, into sub-batches on a device."""
    all_lengths = torch.tensor(lengths, dtype=torch.long)
    starts = all_lengths.cumsum(0) - all_lengths
    forward, backward = [], []
    after_forward, after_backward = torch.empty(2, int(all_lengths.sum()), dtype=torch.long)
    offset = 0
    for group in cut_by_length(lengths, max_padded_tokens):
        documents = torch.tensor(group)
        time = torch.arange(lengths[group[0]]).unsqueeze(1)
        last = all_lengths[documents] - 1
        forward.append(starts[documents] + torch.minimum(time, last))
        backward.append(starts[documents] + (last - time).clamp_(min=0))
        (steps,) = (time <= last).flatten().nonzero(as_tuple=True)
        after_forward[forward[-1].flatten()[steps]] = offset + steps
        after_backward[backward[-1].flatten()[steps]] = offset + steps
        offset += len(time) * len(group)
    return Padding(
        [rows.to(device) for rows in forward],
        [rows.to(device) for rows in backward],
        after_forward.to(device),
        after_backward.to(device),
    )
