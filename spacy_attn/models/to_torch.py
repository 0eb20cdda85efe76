"""Arrays as tensors of the device they are on."""

from typing import Any

import numpy
import torch
from thinc.api import xp2torch
from torch import Tensor


def to_torch(array: Any) -> Tensor:
    """A tensor that shares the memory of a NumPy or CuPy array.

    Thinc's `xp2torch` alone takes the device that is in use now, which need not be the array's:
    after `spacy.require_gpu()`, or in another thread, it would make a copy.
    """
    if isinstance(array, numpy.ndarray):
        return torch.from_numpy(array)
    return xp2torch(array, device=torch.device("cuda", array.device.id))
