"""What embeddings have in common: keys of tokens, by which they look up rows of a table."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Ints1d

Keys = NDArray[numpy.uint64]
# From a key to its string.
Strings = Callable[[int], str]


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
