"""Attributes of the tokens of several documents."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

Keys = NDArray[numpy.uint64]
# From a key to its string.
Strings = Callable[[int], str]


def attribute_of_tokens(docs: Sequence[Doc], attribute: int) -> Keys:
    """An attribute (of `spacy.attrs`) of all tokens of some documents, shape (n_tokens,)."""
    return attributes_of_tokens(docs, [attribute])[:, 0]


def attributes_of_tokens(docs: Sequence[Doc], attributes: Sequence[int]) -> Keys:
    """Several of them, shape (n_tokens, n_attributes): one call for each document, not several."""
    arrays = [doc.to_array(list(attributes)) for doc in docs if len(doc)]
    found = numpy.concatenate(arrays) if arrays else numpy.zeros(0, dtype=numpy.uint64)
    return found.reshape(-1, len(attributes))


def strings_of(docs: Sequence[Doc]) -> Strings:
    """The strings of the tokens of some documents, which need not share a vocabulary.

    A key is a hash of its string, the same in every string store that has it.
    """
    # Its type stubs do not know that a string store can be asked for keys.
    stores: list[Any] = list({id(doc.vocab.strings): doc.vocab.strings for doc in docs}.values())
    if len(stores) == 1:
        return stores[0].__getitem__
    return lambda key: next(store for store in stores if key in store)[key]
