"""Attributes of the tokens of several documents."""

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc


def attribute_of_tokens(docs: Sequence[Doc], attribute: int) -> NDArray[numpy.uint64]:
    """An attribute (of `spacy.attrs`) of all tokens of some documents, shape (n_tokens,)."""
    arrays = [doc.to_array(attribute) for doc in docs if len(doc)]
    return numpy.concatenate(arrays) if arrays else numpy.zeros(0, dtype=numpy.uint64)
