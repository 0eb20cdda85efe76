"""A vector for each token, from one or several embeddings."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import IDS
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..arrays import TokenArrays
from .lookup import Keys, attributes_of_tokens, strings_of

Embedding = Model[list[Doc], Floats2d]
Vectors = list[Floats2d]
Rows = NDArray[numpy.int64]

# The attribute of a layer in which the vector of a token depends on that token alone.
CONTEXT_FREE = "context_free"
# The attribute of an embedding that knows a token by its attribute "attr" (a `Setting`) alone: a
# function of the embedding, of keys in string stores and of what gives a key's string. It returns
# the vectors of the keys, shape (n, width).
VECTORS_OF_KEYS = "vectors_of_keys"
_DISTINCT = "distinct_vectors"

# Of fewer tokens, looking for those that repeat takes longer than it saves.
_FEW_TOKENS = 100
# An odd number that mixes bits well: the one of Knuth's multiplicative hashing.
_MULTIPLIER = numpy.uint64(0x9E3779B97F4A7C15)


def token_vectors(layers: Sequence[Embedding], width: int) -> Model[list[Doc], Vectors]:
    """Add up what embeddings give each token: shape (n_tokens, width) for each document.

    Each embedding returns a new array with the vectors of the tokens of all documents.
    """
    by_key = all(VECTORS_OF_KEYS in layer.attrs for layer in layers)
    return Model(
        "token_vectors",
        forward,
        init=init,
        dims={"nO": width},
        layers=layers,
        attrs={
            CONTEXT_FREE: all(map(is_context_free, layers)),
            **({_DISTINCT: _distinct_vectors} if by_key else {}),
        },
    )


def forward(
    model: Model[list[Doc], Vectors], docs: list[Doc], is_train: bool
) -> tuple[Vectors, Callable[[Vectors], list[Doc]]]:
    (total, backprop_first), *others = [layer(docs, is_train) for layer in model.layers]
    for vectors, _ in others:
        total += vectors
    lengths = [len(doc) for doc in docs]

    def backprop(d_vectors: Vectors) -> list[Doc]:
        d_total = TokenArrays.join(model.ops, d_vectors).joined
        for backprop_layer in (backprop_first, *(backprop for _, backprop in others)):
            backprop_layer(d_total)
        return []

    return TokenArrays(total, lengths), backprop


def init(model: Model[list[Doc], Vectors], X: list[Doc] | None = None, Y: Any = None) -> None:
    for layer in model.layers:
        layer.initialize(X)


def find_vectors(model: Model[list[Doc], Vectors], docs: list[Doc]) -> tuple[Floats2d, Rows | None]:
    """Find the vectors of the tokens of some documents, for prediction, each of them once.

    Args:
        model: Any layer from documents to token vectors.
        docs: Documents with at least one token among them.

    Returns:
        Vectors, shape (n, width), and which of them each token of the documents, concatenated, has,
        shape (n_tokens,); None where each token has one of its own.
    """
    if _DISTINCT in model.attrs:
        return cast(tuple[Floats2d, Rows | None], model.attrs[_DISTINCT](model, docs))
    return TokenArrays.join(model.ops, model.predict(docs)).joined, None


def _distinct_vectors(
    model: Model[list[Doc], Vectors], docs: list[Doc]
) -> tuple[Floats2d, Rows | None]:
    """Put the vector of each word together once, since a batch repeats its words."""
    of_layers = [IDS[layer.attrs["attr"].value] for layer in model.layers]
    attributes = sorted(set(of_layers))
    keys, rows = distinct(attributes_of_tokens(docs, attributes))
    strings = strings_of(docs)
    first, *others = [
        layer.attrs[VECTORS_OF_KEYS](layer, keys[:, attributes.index(attribute)], strings)
        for layer, attribute in zip(model.layers, of_layers, strict=True)
    ]
    for vectors in others:
        first += vectors
    return first, rows


def distinct(keys: Keys) -> tuple[Keys, Rows | None]:
    """Find the distinct rows of an array of keys, and which of them each row is.

    Args:
        keys: Shape (n, n_attributes).

    Returns:
        Shapes (n_distinct, n_attributes) and (n,); `keys` and None where there are few.
    """
    if len(keys) < _FEW_TOKENS:
        return keys, None
    mixed = keys[:, 0]
    for column in keys.T[1:]:
        mixed = mixed * _MULTIPLIER + column
    found, rows = numpy.unique(mixed, return_inverse=True)
    example = numpy.empty(len(found), dtype=numpy.int64)
    example[rows] = numpy.arange(len(keys))
    distinct_keys = keys[example]
    # Two rows that are not the same could have been mixed into the same number.
    if keys.shape[1] > 1 and not numpy.array_equal(distinct_keys[rows], keys):
        return keys, None
    return distinct_keys, rows


def is_context_free(model: Model[Any, Any]) -> bool:
    """Return whether a layer says that the vector of a token depends on that token alone."""
    return bool(model.attrs.get(CONTEXT_FREE, False))
