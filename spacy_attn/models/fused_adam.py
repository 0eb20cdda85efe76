"""Adam, for all weights of a model at once."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from thinc.api import Model, Optimizer, torch2xp
from thinc.optimizers import FloatOrSeq
from thinc.types import FloatsXd
from torch import Tensor
from torch.optim.adamw import adamw

from ..nn.runtime import keep_forked_child_to_one_thread, with_gradients
from .arrays import to_torch
from .shim import TorchShim

Key = tuple[int, str]

# How slowly averages follow the weights, at most: that of Thinc.
_MAX_DECAY = 0.9999


class Parameter(NamedTuple):
    """Weights and their gradient, of the same shape, and the key of their state in an optimizer."""

    key: Key
    weights: Tensor
    gradient: Tensor


class FusedAdam(Optimizer):
    """Marks that `finish_update` makes the step of all weights at once; see there.

    Called for a single parameter, as other components do, it is Thinc's Adam.
    """

    __slots__ = []


def FusedAdam_v1(
    learn_rate: FloatOrSeq = 0.001,
    *,
    L2: FloatOrSeq = 0.0,
    beta1: FloatOrSeq = 0.9,
    beta2: FloatOrSeq = 0.999,
    eps: FloatOrSeq = 1e-8,
    grad_clip: FloatOrSeq = 1.0,
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> FusedAdam:
    """Adam that goes over the weights of a component of this package in one call of torch.

    Several times faster on large tables than `Adam.v1`, whose settings it has. Two details are
    those of torch's `AdamW`: weight decay comes before the step and not after it (Loshchilov and
    Hutter 2019, "Decoupled Weight Decay Regularization", have both at once), and `eps` is added
    after the correction of the bias and not before it, so that the first steps of gradients near
    `eps` are larger. For the components of other packages it is `Adam.v1`.

    Args:
        learn_rate, L2, beta1, beta2, eps, grad_clip, L2_is_weight_decay, use_averages: As in
            Thinc's `Adam.v1`; numbers, or schedules where it takes them.
    """
    return FusedAdam(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )


@with_gradients()
def finish_update(model: Model, optimizer: Optimizer) -> None:
    """Update a model's weights from its gradients, and clear these.

    With `FusedAdam`, in one call of torch for all of them, whose state lies where Thinc has it, in
    the optimizer. An interrupt comes before the step or after it. With another optimizer, or for
    a torch module that another package has wrapped, as Thinc does.
    """
    if not isinstance(optimizer, FusedAdam):
        model.finish_update(optimizer)
        return
    keep_forked_child_to_one_thread()
    shims = [shim for node in model.walk() for shim in node.shims]
    own = [shim for shim in shims if isinstance(shim, TorchShim) and shim.has_module]
    _step(optimizer, [*_torch_parameters(own), *_array_parameters(model)])
    for shim in own:
        shim.clear_gradients()
    for other in shims:
        if not isinstance(other, TorchShim):
            other.finish_update(optimizer)


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


def _step(optimizer: FusedAdam, parameters: list[Parameter]) -> None:
    parameters = [parameter for parameter in parameters if len(parameter.gradient)]
    if not parameters:
        return
    for parameter in parameters:
        if optimizer.L2 and not optimizer.L2_is_weight_decay:
            parameter.gradient.add_(parameter.weights, alpha=optimizer.L2)
        if optimizer.grad_clip:
            _clip(parameter.gradient, optimizer.grad_clip)
    steps = [_Step(optimizer, parameter) for parameter in parameters]
    # On each device a weight that nobody uses, whose squared gradient tells of a step there.
    told = [_tell(device) for device in {parameter.weights.device for parameter in parameters}]
    parts = [_parts(optimizer, parameter) for parameter in parameters] + told
    weights, gradients, moments, squares, n_updates = map(list, zip(*parts, strict=True))
    try:
        adamw(
            weights,
            gradients,
            moments,
            squares,
            [],
            n_updates,
            fused=True,
            amsgrad=False,
            beta1=optimizer.b1,
            beta2=optimizer.b2,
            lr=optimizer.learn_rate,
            weight_decay=optimizer.L2 if optimizer.L2_is_weight_decay else 0.0,
            eps=optimizer.eps,
            maximize=False,
        )
        for step in steps:
            step.complete()
    except BaseException:
        # Python interrupts between two calls of torch, of which one makes the step of a device.
        devices = {part.squares.device for part in told if part.squares.any()}
        for step in steps:
            if step.device in devices:
                step.complete()
        raise


class _Step:
    """What belongs to a step of one parameter beside its weights and moments."""

    def __init__(self, optimizer: FusedAdam, parameter: Parameter) -> None:
        self._optimizer = optimizer
        self._key, self._weights, self._gradient = parameter
        self.device = self._weights.device
        self._n_updates = optimizer.nr_update[self._key] + 1
        # Not in the optimizer before there is a step: a model would predict with it.
        known = (optimizer.averages or {}).get(self._key)
        self._average = torch.zeros_like(self._weights) if known is None else to_torch(known)

    def complete(self) -> None:
        """Do what is left to do; once more, if an interrupt came while this was done."""
        self._optimizer.nr_update[self._key] = self._n_updates
        self._gradient.zero_()
        averages = self._optimizer.averages
        if averages is None:
            return
        # Torch counts the changes of this tensor, which has been made for this step.
        if self._average._version == 0:
            decay = min((1.0 + self._n_updates) / (10.0 + self._n_updates), _MAX_DECAY)
            self._average.lerp_(self._weights, 1.0 - decay)
        averages.setdefault(self._key, cast(FloatsXd, torch2xp(self._average)))


def _clip(gradient: Tensor, threshold: float) -> None:
    norm = float(torch.linalg.vector_norm(gradient))
    if norm >= threshold:
        gradient.mul_(threshold / norm)


class _Parts(NamedTuple):
    """What torch's step takes of one parameter; all but the last of one shape."""

    weights: Tensor
    gradient: Tensor
    moments: Tensor
    squares: Tensor
    n_updates: Tensor


def _parts(optimizer: Optimizer, parameter: Parameter) -> _Parts:
    key, weights, gradient = parameter
    # In single precision: half of it could not count updates.
    n_updates = torch.full((), optimizer.nr_update[key], dtype=torch.float32, device=weights.device)
    moments, squares = _state(optimizer.mom1, parameter), _state(optimizer.mom2, parameter)
    return _Parts(weights, gradient, moments, squares, n_updates)


def _tell(device: torch.device) -> _Parts:
    zero, one = (torch.full((1,), v, dtype=torch.float32, device=device) for v in (0.0, 1.0))
    return _Parts(zero, one, zero.clone(), zero.clone(), zero[0].clone())


def _state(table: dict[Key, FloatsXd], parameter: Parameter) -> Tensor:
    """Moments of the optimizer, which Thinc keeps as one row, as a tensor of the weights' shape.

    Zeros where there are none yet.
    """
    weights = parameter.weights
    if parameter.key not in table:
        table[parameter.key] = cast(FloatsXd, torch2xp(torch.zeros_like(weights.flatten())))
    return to_torch(table[parameter.key]).view(weights.shape)
