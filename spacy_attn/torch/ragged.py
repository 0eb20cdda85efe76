"""Documents of different lengths, as the concatenation of their tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

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
        all_lengths = torch.tensor(lengths, dtype=torch.long)
        starts = all_lengths.cumsum(0) - all_lengths
        of_token = torch.arange(len(lengths)).repeat_interleave(all_lengths)
        return cls(*(array.to(device) for array in (all_lengths, starts, of_token)))

    def __len__(self) -> int:
        return len(self.lengths)
