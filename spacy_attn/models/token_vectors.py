"""A vector for each token, from one or several embeddings."""

from collections.abc import Callable, Sequence
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .context import CONTEXT_FREE, is_context_free
from .ragged import split

Embedding = Model[list[Doc], Floats2d]
Vectors = list[Floats2d]


def token_vectors(layers: Sequence[Embedding], width: int) -> Model[list[Doc], Vectors]:
    """Add up what embeddings give each token: shape (n_tokens, width) for each document.

    The embeddings return the vectors of the tokens of all documents, concatenated, as a new array:
    adding up goes over one large array and not over many small ones.
    """
    return Model(
        "token_vectors",
        forward,
        init=init,
        dims={"nO": width},
        layers=layers,
        attrs={CONTEXT_FREE: all(map(is_context_free, layers))},
    )


def forward(
    model: Model[list[Doc], Vectors], docs: list[Doc], is_train: bool
) -> tuple[Vectors, Callable[[Vectors], list[Doc]]]:
    (total, backprop_first), *others = [layer(docs, is_train) for layer in model.layers]
    for vectors, _ in others:
        total += vectors
    lengths = [len(doc) for doc in docs]

    def backprop(d_vectors: Vectors) -> list[Doc]:
        d_total = model.ops.flatten(d_vectors)
        for backprop_layer in (backprop_first, *(backprop for _, backprop in others)):
            backprop_layer(d_total)
        return []

    return split(total, lengths), backprop


def init(model: Model[list[Doc], Vectors], X: list[Doc] | None = None, Y: Any = None) -> None:
    for layer in model.layers:
        layer.initialize(X)
