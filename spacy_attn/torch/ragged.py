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
    of_token: The index of each token's document, shape (N,).
    """

    lengths: Tensor
    starts: Tensor
    of_token: Tensor

    @classmethod
    def of_lengths(cls, lengths: Sequence[int], device: torch.device) -> "Ragged":
        # With NumPy, which takes a fraction of torch's time for small arrays.
        all_lengths = numpy.array(lengths, dtype=numpy.int64)
        starts = all_lengths.cumsum() - all_lengths
        of_token = numpy.arange(len(lengths)).repeat(all_lengths)
        arrays = (all_lengths, starts, of_token)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def __len__(self) -> int:
        return len(self.lengths)
