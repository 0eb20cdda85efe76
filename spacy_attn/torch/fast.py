"""Operations that other libraries do several times as fast as torch, for prediction on a CPU.

With gradients, in other precisions and on other devices they are torch's own.
"""

import numpy
import torch
from torch import Tensor, nn

# For fewer rows, handing them over takes longer than it saves.
_FEW_ROWS = 200


def linear(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """What a linear layer makes of inputs, shape (n, width), to rounding.

    By oneDNN, of which torch otherwise uses the LSTM: MKL's product, which torch takes for single
    precision, is half as fast on processors that are not Intel's.
    """
    if len(inputs) < _FEW_ROWS or not _is_plain(inputs) or not torch.backends.mkldnn.is_available():
        return layer(inputs)
    return nn.functional.linear(inputs.to_mkldnn(), layer.weight, layer.bias).to_dense()


def tanh(values: Tensor) -> Tensor:
    """The hyperbolic tangent, to rounding; `values` are overwritten where that can be done.

    By NumPy, which takes a tenth of torch's time.
    """
    if not _is_plain(values):
        return torch.tanh(values)
    array = values.numpy()
    numpy.tanh(array, out=array)
    return values


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor holds numbers of single precision on the CPU, and needs no gradients."""
    return (
        not torch.is_grad_enabled()
        and tensor.device.type == "cpu"
        and tensor.dtype == torch.float32
        and not tensor.requires_grad
    )
