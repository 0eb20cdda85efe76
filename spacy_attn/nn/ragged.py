"""Documents of different lengths, as the concatenation of their tokens."""

from collections.abc import Sequence
from functools import cached_property

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor


class Ragged:
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

    def _tensor(self, array: NDArray[numpy.int64]) -> Tensor:
        return torch.from_numpy(array).to(self._device)
