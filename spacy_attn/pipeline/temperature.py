"""The temperature that calibrates scores."""

import math
from collections.abc import Callable

from thinc.api import get_array_module
from thinc.types import Floats2d

# Temperatures are looked for within these. Documents that are classified no better than by chance,
# as by a model that has not been trained yet, would want infinity.
LOWEST, HIGHEST = 0.05, 20.0


def fit_temperature(logits: Floats2d, get_gradient: Callable[[Floats2d], Floats2d]) -> float:
    """Return the temperature T for which the loss of `logits / T` is least.

    One number for all labels, which leaves their order in every document as it was. After Guo et
    al. 2017, "On Calibration of Modern Neural Networks".

    Args:
        logits: Shape (n_docs, n_labels).
        get_gradient: The gradient of a cross-entropy with respect to logits, for logits of that
            shape.

    Returns:
        T; 1 where nothing depends on it.
    """
    xp = get_array_module(logits)

    def slope(log_inverse: float) -> float:
        return float(xp.sum(get_gradient(logits * math.exp(log_inverse)) * logits))

    # The cross-entropy is convex in 1/T, so that its slope has one zero.
    low, high = -math.log(HIGHEST), -math.log(LOWEST)
    if slope(low) == slope(high) == 0.0:
        return 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return math.exp(-low)
