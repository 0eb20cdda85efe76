"""The gradients that a model has gathered: copied, put back and forgotten."""

from collections.abc import Iterator

from thinc.api import Model, PyTorchShim
from torch import Tensor

from .to_torch import to_torch

# Of each parameter of a model, in order; None where there is no gradient.
Gradients = list[Tensor | None]


def parameters(model: Model) -> Iterator[tuple[str, Tensor, Tensor | None]]:
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


def copy_gradients(model: Model) -> Gradients:
    return [None if old is None else old.clone() for _, _, old in parameters(model)]


def put_back_gradients(model: Model, gradients: Gradients) -> None:
    """Undo what has been added to the gradients since `copy_gradients`."""
    for (_, _, gradient), old in zip(parameters(model), gradients, strict=True):
        if gradient is not None and old is not None:
            gradient.copy_(old)
        elif gradient is not None:
            gradient.zero_()


def clear_gradients(model: Model) -> None:
    """Forget the gradients that a step would use."""
    for _, _, gradient in parameters(model):
        if gradient is not None:
            gradient.zero_()
