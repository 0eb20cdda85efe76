"""Sum of several layers that give each token a vector."""

from collections.abc import Callable
from typing import Any

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .context import CONTEXT_FREE, is_context_free

Vectors = list[Floats2d]


def sum_vectors(
    name: str, layers: list[Model[list[Doc], Vectors]], width: int
) -> Model[list[Doc], Vectors]:
    """Add up what several layers give each token: shape (n_tokens, width) for each document.

    Thinc's own `add` would put the lists of documents one behind the other.
    """
    context_free = all(map(is_context_free, layers))
    return Model(
        name,
        forward,
        init=init,
        dims={"nO": width},
        layers=layers,
        attrs={CONTEXT_FREE: context_free},
    )


def forward(
    model: Model[list[Doc], Vectors], docs: list[Doc], is_train: bool
) -> tuple[Vectors, Callable[[Vectors], list[Doc]]]:
    first, *others = [layer(docs, is_train) for layer in model.layers]
    total = first[0]
    for vectors, _ in others:
        total = [a + b for a, b in zip(total, vectors, strict=True)]

    def backprop(d_vectors: Vectors) -> list[Doc]:
        for _, backprop_layer in (first, *others):
            backprop_layer(d_vectors)
        return []

    return total, backprop


def init(model: Model[list[Doc], Vectors], X: list[Doc] | None = None, Y: Any = None) -> None:
    for layer in model.layers:
        layer.initialize(X)
