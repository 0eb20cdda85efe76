"""Cross-entropy from logits, with weighted targets, and its gradient."""

import numpy
from thinc.api import get_array_module
from thinc.types import Floats1d, Floats2d

# A loss, summed over documents, and its gradient with respect to logits, shape (n_docs, n_labels).
Loss = tuple[float, Floats2d]

# Keeps a loss finite where a probability has been rounded to 0.
TINY = float(numpy.finfo(numpy.float32).tiny)


def safe_log(probabilities: Floats2d) -> Floats2d:
    """Return logarithms, which are finite for probabilities that have been rounded to 0."""
    xp = get_array_module(probabilities)
    return xp.log(xp.maximum(probabilities, TINY))


def softmax_cross_entropy(
    logits: Floats2d, targets: Floats2d, known: Floats2d, weights: Floats1d
) -> Loss:
    """Return the loss of exclusive classes, of which exactly one applies.

    Args:
        logits: Shape (n_docs, n_labels).
        targets: Probabilities, of the same shape; a row of zeros has no loss and no gradient.
        known: 1 where a target counts, otherwise 0, of the same shape. Where labels are left out,
            the remaining ones share the probability among themselves.
        weights: What each label's share of the loss is multiplied by, shape (n_labels,).

    Returns:
        The loss, summed over the documents, and its gradient with respect to the logits.
    """
    xp = get_array_module(logits)
    targets = targets * weights
    wide = xp.where(known > 0, logits, -xp.inf).astype("float64")
    shifted = wide - xp.max(wide, axis=1, keepdims=True)
    log_scores = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    loss = -float(xp.sum(targets * xp.where(targets > 0, log_scores, 0.0)))
    gradient = xp.exp(log_scores) * xp.sum(targets, axis=1, keepdims=True) - targets
    return loss, gradient.astype("float32")


def sigmoid_cross_entropy(
    logits: Floats2d, targets: Floats2d, known: Floats2d, weights: Floats1d
) -> Loss:
    """Return the loss of independent labels, of which any number applies.

    Takes and returns the same as `softmax_cross_entropy`, but that a label's weight multiplies the
    loss where it applies, and not where it does not.
    """
    xp = get_array_module(logits)
    wide = logits.astype("float64")
    positive, negative = known * weights * targets, known * (1.0 - targets)
    loss = xp.sum(positive * xp.logaddexp(0.0, -wide) + negative * xp.logaddexp(0.0, wide))
    # The sigmoid in a form that does not overflow.
    scores = 0.5 * (1.0 + xp.tanh(0.5 * wide))
    gradient = (positive + negative) * scores - positive
    return float(loss), gradient.astype("float32")
