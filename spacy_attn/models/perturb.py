"""Adversarial perturbation of token vectors, as a regulariser."""

from thinc.api import Ops
from thinc.types import Floats2d


def perturb(
    ops: Ops, vectors: list[Floats2d], gradients: list[Floats2d], size: float
) -> list[Floats2d]:
    """Move the token vectors of each document in the direction in which its loss grows.

    The direction is that of the gradient, over the document as a whole, after Miyato, Dai and
    Goodfellow 2017, "Adversarial Training Methods for Semi-Supervised Text Classification". Instead
    of normalising the embeddings, the size is taken relative to them.

    Args:
        vectors: For each document, shape (n_tokens, width).
        gradients: Of the loss with respect to these, of the same shapes.
        size: Norm of a document's perturbation, in root mean squares of the batch's vectors.

    Returns:
        The vectors moved; those without a gradient as they are.
    """
    values = ops.flatten(vectors)
    length = size * float(ops.xp.linalg.norm(values)) / max(1, values.size) ** 0.5
    moved = []
    for vector, gradient in zip(vectors, gradients, strict=True):
        norm = float(ops.xp.linalg.norm(gradient))
        moved.append(vector + gradient * (length / norm) if norm > 0 else vector)
    return moved
