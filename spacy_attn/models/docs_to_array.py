"""Attributes of the tokens of several documents."""

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

Keys = NDArray[numpy.uint64]


def attribute_of_tokens(docs: Sequence[Doc], attribute: int) -> Keys:
    """An attribute (of `spacy.attrs`) of all tokens of some documents, shape (n_tokens,)."""
    return attributes_of_tokens(docs, [attribute])[:, 0]


def attributes_of_tokens(docs: Sequence[Doc], attributes: Sequence[int]) -> Keys:
    """Several of them, shape (n_tokens, n_attributes): one call for each document, not several."""
    arrays = [doc.to_array(list(attributes)) for doc in docs if len(doc)]
    found = numpy.concatenate(arrays) if arrays else numpy.zeros(0, dtype=numpy.uint64)
    return found.reshape(-1, len(attributes))
