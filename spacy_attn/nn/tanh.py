"""The hyperbolic tangent."""

import numpy
import torch
from torch import Tensor


def tanh(values: Tensor) -> Tensor:
    """The hyperbolic tangent, to rounding; `values` are overwritten where that can be done.

    By NumPy, which takes a tenth of torch's time; but with gradients, in other precisions and on
    other devices by torch.
    """
    if torch.is_grad_enabled() or values.device.type != "cpu" or values.dtype != torch.float32:
        return torch.tanh(values)
    array = values.numpy()
    numpy.tanh(array, out=array)
    return values
