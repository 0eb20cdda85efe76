"""Probabilities as labels and as scores."""

import numpy
from spacy.errors import Errors
from thinc.api import get_array_module
from thinc.types import Floats2d

# Keeps the loss finite where a probability has been rounded to 0.
TINY = float(numpy.finfo(numpy.float32).tiny)


def validate_probabilities(cats: dict[str, float]) -> None:
    """RAISES: ValueError (E851) for a label that is neither false, true, nor a probability."""
    for value in cats.values():
        if not 0.0 <= value <= 1.0:
            raise ValueError(Errors.E851.format(val=value))


def safe_log(probabilities: Floats2d) -> Floats2d:
    xp = get_array_module(probabilities)
    return xp.log(xp.maximum(probabilities, TINY))
