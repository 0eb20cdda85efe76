"""Arrays of what the tokens of several documents have: cut, joined, and handed to torch."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import numpy
import torch
from thinc.api import Ops, xp2torch
from torch import Tensor

Item = TypeVar("Item")


class TokenArrays(list[Any]):
    """An array for each document, all of them parts of one: what layers hand to one another.

    It is a list, which is what layers of other packages want. No copy is needed to join its parts.

    Args:
        joined: What the tokens of all documents have, concatenated, shape (N, ...).
        lengths: Number of tokens of each document, adding up to N.
    """

    def __init__(self, joined: Any, lengths: Sequence[int]) -> None:
        ends = accumulate(lengths)
        super().__init__(joined[end - n : end] for end, n in zip(ends, lengths, strict=True))
        self.joined = joined
        self.lengths = lengths
        self._parts = tuple(self)

    @property
    def _is_whole(self) -> bool:
        """Whether the list still holds its parts: a layer may put other arrays in their place."""
        return len(self) == len(self._parts) and all(map(operator.is_, self, self._parts))

    @classmethod
    def join(cls, ops: Ops, arrays: list[Any]) -> "TokenArrays":
        """Concatenate arrays, at least one, unless they are parts of one already."""
        if isinstance(arrays, cls) and arrays._is_whole:
            return arrays
        return cls(ops.xp.concatenate(arrays), [len(array) for array in arrays])


def runs(
    items: Iterable[Item], max_tokens: int, length: Callable[[Any], int] = len
) -> Iterator[list[Item]]:
    """Cut documents, or what stands for them, into runs of at most so many tokens, in order.

    A longer document forms a run of its own.

    Args:
        length: The number of tokens of an item.
    """
    run: list[Item] = []
    size = 0
    for item in items:
        n_tokens = length(item)
        if run and size + n_tokens > max_tokens:
            yield run
            run, size = [], 0
        run.append(item)
        size += n_tokens
    if run:
        yield run


def to_torch(array: Any) -> Tensor:
    """Return a tensor that shares the memory of a NumPy or CuPy array.

    Thinc's `xp2torch` alone takes the device in use. After `spacy.require_gpu()`, or in another
    thread, that need not be the array's, and it would make a copy.
    """
    if isinstance(array, numpy.ndarray):
        return torch.from_numpy(array)
    return xp2torch(array, device=torch.device("cuda", array.device.id))
