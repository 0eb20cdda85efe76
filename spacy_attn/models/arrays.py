"""Arrays of what the tokens of several documents have: read, cut, joined, handed to torch."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import numpy
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model, Ops, xp2torch
from thinc.types import Floats2d, Ints1d
from torch import Tensor

Keys = NDArray[numpy.uint64]
# From a key to its string.
Strings = Callable[[int], str]
Item = TypeVar("Item")


def attributes_of_tokens(docs: Sequence[Doc], attributes: Sequence[int]) -> Keys:
    """Return attributes (of `spacy.attrs`) of all tokens, shape (n_tokens, n_attributes)."""
    ids: list[Any] = list(attributes)
    arrays = [doc.to_array(ids) for doc in docs if len(doc)]
    found = numpy.concatenate(arrays) if arrays else numpy.zeros(0, dtype=numpy.uint64)
    return found.reshape(-1, len(ids))


def strings_of(docs: Sequence[Doc]) -> Strings:
    """Return what gives the string of a key, for documents that need not share a vocabulary.

    A key is a hash of its string, the same in every string store that has it.
    """
    # Its type stubs do not know that a string store can be asked for keys.
    stores: list[Any] = list({id(doc.vocab.strings): doc.vocab.strings for doc in docs}.values())
    if len(stores) == 1:
        return stores[0].__getitem__
    return lambda key: next(store for store in stores if key in store)[key]


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


def add_row_gradients(model: Model, name: str, rows: Ints1d, gradients: Floats2d) -> None:
    """Add gradients of single rows to that of a parameter, without another table of its size.

    Args:
        name: Of the parameter, shape (n_rows, width).
        rows: Which rows, shape (n,); they may repeat.
        gradients: Of each of them, shape (n, width).
    """
    if not model.has_grad(name):
        model.set_grad(name, model.ops.alloc(model.get_param(name).shape))
    if len(rows):
        model.ops.scatter_add(model.get_grad(name), rows, gradients)
