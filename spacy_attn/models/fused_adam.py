"""Adam, for all weights of a model at once."""

from collections.abc import Iterator
from typing import cast

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


class FusedAdam(Optimizer):
    """Thinc's Adam, but `finish_update` makes the step of all weights of a model at once."""

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
    """Make an Adam that updates all weights of a component of this package in one call of torch.

    It is several times faster on large tables than `Adam.v1`, whose settings it has. For the
    components of other packages it is `Adam.v1`. Two details are those of torch's `AdamW`. Weight
    decay comes before the step and not after it (Loshchilov and Hutter 2019, "Decoupled Weight
    Decay Regularization", have both at once). And `eps` is added after the correction of the bias
    and not before it, so that the first steps of gradients near `eps` are larger.

    Args:
        learn_rate: How far a step goes, a number or a schedule. Lower it if the loss grows or is
            not finite.
        L2: The rate at which weights decay, a number or a schedule. Raise it against learning by
            heart.
        beta1: How slowly the average of gradients follows them, below 1.
        beta2: How slowly the average of squared gradients follows them, below 1.
        eps: What is added to the root of that average, so that it divides nothing by zero.
        grad_clip: The largest norm of a gradient. Larger gradients are scaled down. 0 clips none.
        L2_is_weight_decay: Whether `L2` shrinks the weights, or else is added to the gradients.
        use_averages: Whether predictions use the average of the weights over the steps. It evens
            out the noise of single steps.
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

    `FusedAdam` does it in one call of torch for all weights. Its state lies where Thinc has it, in
    the optimizer. An interrupt comes before the step or after it. Thinc does the step with another
    optimizer, and that of a torch module that another package has wrapped.
    """
    if not isinstance(optimizer, FusedAdam):
        model.finish_update(optimizer)
        return
    keep_forked_child_to_one_thread()
    _step(optimizer, [_Step(optimizer, *found) for found in _gradients(model) if len(found[2])])
    for shim in (shim for node in model.walk() for shim in node.shims):
        if not isinstance(shim, TorchShim):
            shim.finish_update(optimizer)
        elif shim.has_module:
            shim.clear_gradients()


def _gradients(model: Model) -> Iterator[tuple[Key, Tensor, Tensor]]:
    """The key, the weights and the gradient of each parameter that has one."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_grad(name):
                weights, gradient = node.get_param(name), node.get_grad(name)
                yield (node.id, name), to_torch(weights), to_torch(gradient)
        for shim in node.shims:
            if isinstance(shim, TorchShim) and shim.has_module:
                for key, parameter in shim.learned_parameters():
                    yield key, parameter.data, cast(Tensor, parameter.grad)


class _Step:
    """The step of one parameter: what torch needs for it, and what is left to do after it."""

    def __init__(self, optimizer: FusedAdam, key: Key, weights: Tensor, gradient: Tensor) -> None:
        if optimizer.L2 and not optimizer.L2_is_weight_decay:
            gradient.add_(weights, alpha=optimizer.L2)
        if optimizer.grad_clip:
            norm = float(torch.linalg.vector_norm(gradient))
            if norm >= optimizer.grad_clip:
                gradient.mul_(optimizer.grad_clip / norm)
        self._optimizer, self._key = optimizer, key
        self._weights, self._gradient = weights, gradient
        self._n_updates = optimizer.nr_update[key] + 1
        # Not in the optimizer before there is a step: a model would predict with it.
        known = (optimizer.averages or {}).get(key)
        self._average = torch.zeros_like(weights) if known is None else to_torch(known)

    def tensors(self) -> tuple[Tensor, ...]:
        """Weights, gradient, both moments, all of one shape, and the number of steps before."""
        moments = []
        for table in (self._optimizer.mom1, self._optimizer.mom2):
            if self._key not in table:
                zeros = torch.zeros_like(self._weights.flatten())
                table[self._key] = cast(FloatsXd, torch2xp(zeros))
            # Thinc keeps them as one row.
            moments.append(to_torch(table[self._key]).view(self._weights.shape))
        # In single precision: half of it could not count updates.
        n_before = torch.full(
            (), self._n_updates - 1, dtype=torch.float32, device=self._weights.device
        )
        return self._weights, self._gradient, *moments, n_before

    @property
    def device(self) -> torch.device:
        return self._weights.device

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


def _step(optimizer: FusedAdam, steps: list[_Step]) -> None:
    if not steps:
        return
    # On each device a weight that nobody uses, whose squared gradient tells of a step there.
    told = [_tell(device) for device in {step.device for step in steps}]
    tensors = [*(step.tensors() for step in steps), *told]
    weights, gradients, moments, squares, n_updates = map(list, zip(*tensors, strict=True))
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
        devices = {squares.device for _, _, _, squares, _ in told if squares.any()}
        for step in steps:
            if step.device in devices:
                step.complete()
        raise


def _tell(device: torch.device) -> tuple[Tensor, ...]:
    """The tensors of a weight whose gradient is 1."""
    zero, one = (torch.full((1,), v, dtype=torch.float32, device=device) for v in (0.0, 1.0))
    return zero, one, zero.clone(), zero.clone(), zero[0].clone()
