"""Which of a model's weights and gradients have become NaN or infinite."""

import math

from thinc.api import Model
from torch import Tensor

from .weights import parameters


def find_spoilt_weights(model: Model) -> str | None:
    """RETURNS: The name of weights of which one is NaN or infinite; None where all are finite."""
    for name, weights, _ in parameters(model):
        if not _is_finite(weights):
            return name
    return None


def find_spoilt_gradient(model: Model) -> str | None:
    """RETURNS: The name of weights whose gradient is NaN or infinite in a place; or None."""
    for name, _, gradient in parameters(model):
        if gradient is not None and not _is_finite(gradient):
            return name
    return None


def _is_finite(values: Tensor) -> bool:
    # The sum is NaN or infinite if a value is, and takes a fiftieth of the time of looking at each.
    return math.isfinite(float(values.sum()))
