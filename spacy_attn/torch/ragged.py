"""Documents of different lengths, as the concatenation of their tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor


@dataclass(frozen=True)
class Ragged:
    """Which of N concatenated tokens belong to which of B documents.

    lengths: Number of tokens of each document, 0 allowed, shape (B,).
    starts: Where each document starts, shape (B,).
    first, last: Its first and its last token, shape (B,); any token for a document without any.
    of_token: The index of each token's document, shape (N,).
    """

    lengths: Tensor
    starts: Tensor
    first: Tensor
    last: Tensor
    of_token: Tensor

    @classmethod
    def of_lengths(cls, lengths: Sequence[int], device: torch.device) -> "Ragged":
        # With NumPy, which takes a fraction of torch's time for small arrays.
        all_lengths = numpy.array(lengths, dtype=numpy.int64)
        starts = all_lengths.cumsum() - all_lengths
        of_token = numpy.arange(len(lengths)).repeat(all_lengths)
        last = numpy.maximum(starts + all_lengths - 1, 0)
        first = numpy.minimum(starts, max(len(of_token) - 1, 0))
        arrays = (all_lengths, starts, first, last, of_token)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def __len__(self) -> int:
        return len(self.lengths)
