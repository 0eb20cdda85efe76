"""The update of `Adam.v1`, for all weights of a model at once."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from thinc.api import Model, Optimizer, torch2xp
from thinc.types import FloatsXd
from torch import Tensor
from torch.optim.adamw import adamw

from ..torch.threads import keep_forked_child_to_one_thread
from .shim import TorchShim
from .to_torch import to_torch

Key = tuple[int, str]

# How slowly averages follow the weights, at most: that of Thinc.
_MAX_DECAY = 0.9999


class Parameter(NamedTuple):
    """Weights and their gradient, of the same shape, and the key of their state in an optimizer."""

    key: Key
    weights: Tensor
    gradient: Tensor


def finish_update(model: Model, optimizer: Optimizer) -> None:
    """Update a model's weights from its gradients, and clear these.

    The same as `model.finish_update(optimizer)` but for rounding and two details of torch's
    `AdamW`: weight decay comes before the step and not after it (Loshchilov and Hutter 2019,
    "Decoupled Weight Decay Regularization", have both at once), and `eps` is added after the
    correction of the bias and not before it, so that the first steps of gradients near `eps` are
    larger. Several times faster on large tables, since torch goes over each weight once, with all
    threads. Other optimizers than Adam with decoupled weight decay are called as Thinc does. State
    lies where Thinc has it, in the optimizer.
    """
    shims = [shim for node in model.walk() for shim in node.shims]
    if not _is_adam(optimizer) or not all(isinstance(shim, TorchShim) for shim in shims):
        model.finish_update(optimizer)
        return
    keep_forked_child_to_one_thread()
    torch_shims = [shim for shim in cast(list[TorchShim], shims) if shim.has_module]
    _step(optimizer, [*_torch_parameters(torch_shims), *_array_parameters(model)])
    for shim in torch_shims:
        shim.clear_gradients()


def _is_adam(optimizer: Optimizer) -> bool:
    return (
        type(optimizer) is Optimizer
        and not optimizer.use_radam
        and optimizer.b1 > 0.0
        and optimizer.b2 > 0.0
        and (optimizer.L2 == 0.0 or optimizer.L2_is_weight_decay)
    )


def _torch_parameters(shims: Sequence[TorchShim]) -> Iterator[Parameter]:
    for shim in shims:
        for key, parameter in shim.learned_parameters():
            yield Parameter(key, parameter.data, cast(Tensor, parameter.grad))


def _array_parameters(model: Model) -> Iterator[Parameter]:
    for node in model.walk():
        for name in node.param_names:
            if node.has_grad(name):
                weights, gradient = node.get_param(name), node.get_grad(name)
                yield Parameter((node.id, name), to_torch(weights), to_torch(gradient))


def _step(optimizer: Optimizer, parameters: list[Parameter]) -> None:
    parameters = [parameter for parameter in parameters if len(parameter.gradient)]
    if not parameters:
        return
    if optimizer.grad_clip:
        for parameter in parameters:
            _clip(parameter.gradient, optimizer.grad_clip)
    adamw(
        [parameter.weights for parameter in parameters],
        [parameter.gradient for parameter in parameters],
        [_state(optimizer.mom1, parameter) for parameter in parameters],
        [_state(optimizer.mom2, parameter) for parameter in parameters],
        [],
        [_n_updates(optimizer, parameter) for parameter in parameters],
        fused=True,
        amsgrad=False,
        beta1=optimizer.b1,
        beta2=optimizer.b2,
        lr=optimizer.learn_rate,
        weight_decay=optimizer.L2,
        eps=optimizer.eps,
        maximize=False,
    )
    for key, weights, gradient in parameters:
        gradient.zero_()
        optimizer.nr_update[key] += 1
        if optimizer.averages is not None:
            n_updates = optimizer.nr_update[key]
            decay = min((1.0 + n_updates) / (10.0 + n_updates), _MAX_DECAY)
            average = _state(optimizer.averages, Parameter(key, weights, gradient), flat=False)
            average.lerp_(weights, 1.0 - decay)


def _clip(gradient: Tensor, threshold: float) -> None:
    norm = float(torch.linalg.vector_norm(gradient))
    if norm >= threshold:
        gradient.mul_(threshold / norm)


def _state(table: dict[Key, FloatsXd], parameter: Parameter, *, flat: bool = True) -> Tensor:
    """An array of the optimizer as a tensor of the weights' shape; zeros where there is none yet.

    flat: Whether Thinc keeps it as one row of numbers.
    """
    weights = parameter.weights
    if parameter.key not in table:
        zeros = torch.zeros_like(weights.flatten() if flat else weights)
        table[parameter.key] = cast(FloatsXd, torch2xp(zeros))
    return to_torch(table[parameter.key]).view(weights.shape)


def _n_updates(optimizer: Optimizer, parameter: Parameter) -> Tensor:
    n_updates = float(optimizer.nr_update[parameter.key])
    return torch.tensor(n_updates, device=parameter.weights.device)
