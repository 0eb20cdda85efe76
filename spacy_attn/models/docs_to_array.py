"""Attributes of the tokens of several documents."""

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

Keys = NDArray[numpy.uint64]

# An odd number that mixes bits well: the one of Knuth's multiplicative hashing.
_MULTIPLIER = numpy.uint64(0x9E3779B97F4A7C15)


def attribute_of_tokens(docs: Sequence[Doc], attribute: int) -> Keys:
    """An attribute (of `spacy.attrs`) of all tokens of some documents, shape (n_tokens,)."""
    return attributes_of_tokens(docs, [attribute])[:, 0]


def attributes_of_tokens(docs: Sequence[Doc], attributes: Sequence[int]) -> Keys:
    """Several of them, shape (n_tokens, n_attributes): one call for each document, not several."""
    arrays = [doc.to_array(list(attributes)) for doc in docs if len(doc)]
    found = numpy.concatenate(arrays) if arrays else numpy.zeros(0, dtype=numpy.uint64)
    return found.reshape(-1, len(attributes))


def keys_before(keys: Keys, lengths: Sequence[int], start: int) -> Keys:
    """For each token, the key of the one before it in its document.

    keys: Of the tokens of all documents, concatenated, shape (n_tokens,).
    lengths: Number of tokens of each document; 0 is allowed.
    start: The key that is before a document's first token.
    """
    before = numpy.empty_like(keys)
    before[1:] = keys[:-1]
    # An empty document would start where the next one does, if there is one.
    firsts = numpy.cumsum([0, *lengths[:-1]])
    before[firsts[firsts < len(keys)]] = start
    return before


def mix(first: Keys, *others: Keys) -> Keys:
    """Numbers that hardly any two different rows of some columns of keys share, each shape (n,)."""
    mixed = first
    for column in others:
        mixed = mixed * _MULTIPLIER + column
    return mixed
