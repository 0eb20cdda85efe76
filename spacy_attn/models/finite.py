"""Which of a model's weights and gradients have become NaN or infinite, and how to go on."""

import math
from collections.abc import Iterator

from thinc.api import Model, PyTorchShim
from torch import Tensor

from .to_torch import to_torch


def find_spoilt_weights(model: Model) -> str | None:
    """RETURNS: The name of weights of which one is NaN or infinite; None where all are finite."""
    for name, weights, _ in _parameters(model):
        if not _is_finite(weights):
            return name
    return None


def find_spoilt_gradient(model: Model) -> str | None:
    """RETURNS: The name of weights whose gradient is NaN or infinite in a place; or None."""
    for name, _, gradient in _parameters(model):
        if gradient is not None and not _is_finite(gradient):
            return name
    return None


def clear_gradients(model: Model) -> None:
    """Forget the gradients that a step would use."""
    for _, _, gradient in _parameters(model):
        if gradient is not None:
            gradient.zero_()


def _parameters(model: Model) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """The name, the weights and the gradient of each parameter."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                gradient = to_torch(node.get_grad(name)) if node.has_grad(name) else None
                yield f"{node.name}.{name}", to_torch(node.get_param(name)), gradient
        for shim in node.shims:
            if isinstance(shim, PyTorchShim) and shim._model is not None:
                for name, parameter in shim._model.named_parameters():
                    yield f"{node.name}.{name}", parameter.data, parameter.grad


def _is_finite(values: Tensor) -> bool:
    # The sum is NaN or infinite if a value is, and takes a fiftieth of the time of looking at each.
    return math.isfinite(float(values.sum()))
