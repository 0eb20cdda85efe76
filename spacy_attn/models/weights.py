"""All weights of a model and their gradients: copied, put back, and checked."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from thinc.api import Model, PyTorchShim
from torch import Tensor

from ..nn.stored import StoredModule
from .arrays import to_torch
from .contract import torch_shims
from .embeddings.vocabulary import is_word_embedding
from .shim import TorchShim

# Of each parameter of a model, in order; None where there is no gradient.
Gradients = list[Tensor | None]


def parameters(model: Model) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Yield the name, the weights and the gradient of each parameter."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                gradient = to_torch(node.get_grad(name)) if node.has_grad(name) else None
                yield f"{node.name}.{name}", to_torch(node.get_param(name)), gradient
        for shim in node.shims:
            if isinstance(shim, PyTorchShim) and shim._model is not None:
                for name, parameter in shim._model.named_parameters():
                    yield f"{node.name}.{name}", parameter.data, parameter.grad


def add_zero_gradients(model: Model, wanted: Sequence[bool]) -> None:
    """Give zeros to parameters that are to have a gradient, of all in order, and have none."""
    is_wanted = iter(wanted)
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name) and next(is_wanted) and not node.has_grad(name):
                node.set_grad(name, node.ops.alloc(node.get_param(name).shape))
        for shim in node.shims:
            if isinstance(shim, PyTorchShim) and shim._model is not None:
                for parameter in shim._model.parameters():
                    if next(is_wanted) and parameter.grad is None:
                        parameter.grad = torch.zeros_like(parameter)


def is_initialized(model: Model) -> bool:
    """Return whether the torch modules of a model have weights, so that it can be used."""
    shims = (shim for node in model.walk() for shim in node.shims)
    return all(shim.has_module for shim in shims if isinstance(shim, TorchShim))


def copy_gradients(model: Model) -> Gradients:
    """Copy the gradients that have been gathered."""
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


def find_spoilt_weights(model: Model) -> str | None:
    """Return the name of weights of which one is NaN or infinite; None where all are finite."""
    return next((name for name, weights, _ in parameters(model) if not _is_finite(weights)), None)


def find_spoilt_gradient(model: Model) -> str | None:
    """Return the name of weights whose gradient is NaN or infinite in a place; or None."""
    found = ((name, gradient) for name, _, gradient in parameters(model) if gradient is not None)
    return next((name for name, gradient in found if not _is_finite(gradient)), None)


def _is_finite(values: Tensor) -> bool:
    # The sum is NaN or infinite if a value is, and takes a fiftieth of the time of looking at each.
    return math.isfinite(float(values.sum()))


def check_loaded(model: Model[Any, Any]) -> None:
    """Check the weights of a model that was loaded.

    The torch modules have compared their shapes and types themselves, before they took memory.

    Raises:
        ValueError: If a weight is not in single precision or not finite, or if an embedding has
            more or fewer rows than words.
    """
    for layer in model.walk():
        for name in layer.param_names:
            if layer.has_param(name):
                _check_parameter(layer, name)
    spoilt = find_spoilt_weights(model)
    if spoilt is not None:
        raise ValueError(f"the weights '{spoilt}' are not finite")


def _check_parameter(layer: Model[Any, Any], name: str) -> None:
    values = layer.get_param(name)
    what = f"the weight '{name}' of '{layer.name}'"
    if values.dtype != "float32":
        raise ValueError(f"{what} must be of float32, but is of {values.dtype}")
    if is_word_embedding(layer):
        shape = (len(layer.attrs["vocabulary"]) + 1, layer.get_dim("nO"))
    elif layer.name == "ngram_embedding":
        shape = (layer.get_dim("nV"), layer.get_dim("nO"))
    else:
        return
    if values.shape != shape:
        raise ValueError(f"{what} must have the shape {shape}, but has {values.shape}")


def check_widths(model: Model[Any, Any]) -> None:
    """Check that the modules of a classifier have the widths that the layers around them have.

    Args:
        model: Of `spacy-attn.BiLSTMAttention.v1`, with weights.

    Raises:
        ValueError: If one has another.
    """
    bilstm, head = model.get_ref("bilstm"), model.get_ref("output_layer")
    of_bilstm, of_head = torch_shims(model)
    for layer, shim, name, width in (
        (bilstm, of_bilstm, "input_width", bilstm.get_dim("nI")),
        (bilstm, of_bilstm, "hidden_width", bilstm.get_dim("nO") // 2),
        (head, of_head, "width", head.get_dim("nI")),
        (head, of_head, "n_labels", model.get_dim("nO")),
    ):
        found = cast(StoredModule, shim.module).sizes[name]
        if found != width:
            raise ValueError(
                f"'{name}' of '{layer.name}' must be {width}, as in the layers around it, but is "
                f"{found}"
            )
