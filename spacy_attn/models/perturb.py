"""Adversarial perturbation of token vectors, as a regularizer."""

from thinc.api import Ops
from thinc.types import Floats2d

from .arrays import TokenArrays
from .processes import add_up


def perturb(ops: Ops, vectors: TokenArrays, gradients: TokenArrays, size: float) -> TokenArrays:
    """Move the token vectors of each document in the direction in which its loss grows.

    The direction is that of the gradient, over the document as a whole, after Miyato, Dai and
    Goodfellow 2017, "Adversarial Training Methods for Semi-Supervised Text Classification". Instead
    of normalizing the embeddings, the size is taken relative to them.

    Args:
        vectors: For each document, shape (n_tokens, width).
        gradients: Of the loss with respect to these, of the same shapes.
        size: Norm of a document's perturbation, in root mean squares of the batch's vectors.

    Returns:
        The vectors moved; those without a gradient as they are.
    """
    length = size * root_mean_square(ops, vectors.joined)
    moved = TokenArrays(vectors.joined.copy(), vectors.lengths)
    for vector, gradient in zip(moved, gradients, strict=True):
        own_norm = float(ops.xp.linalg.norm(gradient))
        if own_norm > 0:
            vector += gradient * (length / own_norm)
    return moved


def root_mean_square(ops: Ops, values: Floats2d) -> float:
    """Return that of all values of a batch, whose parts other processes may have."""
    squares, n_values = add_up(float(ops.xp.linalg.norm(values)) ** 2, values.size)
    return (squares / max(1.0, n_values)) ** 0.5
