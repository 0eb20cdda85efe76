"""Probabilities as labels and as scores."""

import numpy
from thinc.api import get_array_module
from thinc.types import Floats2d

# Keeps the loss finite where a probability has been rounded to 0.
TINY = float(numpy.finfo(numpy.float32).tiny)


def safe_log(probabilities: Floats2d) -> Floats2d:
    xp = get_array_module(probabilities)
    return xp.log(xp.maximum(probabilities, TINY))
