"""What the layers with a torch module have in common: they are made and run alike."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d

from ..nn.runtime import with_gradients
from ..nn.stored import StoredModule
from .settings import Setting
from .shim import TorchShim


def torch_layer(
    name: str,
    forward: Callable,
    init: Callable,
    module_class: type[StoredModule],
    *,
    dims: dict[str, int | None],
    settings: Mapping[str, Any],
    dropout: float | None,
    mixed_precision: bool,
    grad_scaler_config: Mapping[str, Any] | None,
) -> Model[Any, Any]:
    """Make a layer that runs a torch module.

    Args:
        settings: What its weights are trained with, beside the dimensions.
        dropout: A rate of its own; None to follow the rate set on the model, `[training] dropout`.
    """
    shim = TorchShim(
        module_class, mixed_precision=mixed_precision, grad_scaler_config=grad_scaler_config
    )
    return Model(
        name,
        # Not an attribute: those are stored with the model, and would undo what its config says.
        partial(forward, own_dropout=dropout),
        init=init,
        dims=dims,
        attrs={
            **{key: Setting(key, value) for key, value in settings.items()},
            "dropout_rate": 0.0,  # what thinc.api.set_dropout_rate looks for
        },
        shims=[shim],
    )


@with_gradients()
def run_module(
    model: Model,
    floats: Floats2d,
    *others: Any,
    is_train: bool,
    own_dropout: float | None,
    **options: Any,
) -> tuple[list[Any], Callable[..., Floats2d]]:
    """Run a layer's module.

    Args:
        floats: Its first argument, as an array.
        others: Its further arguments, of which gradients are not wanted.
        options: Those that have names, beside the dropout.

    Returns:
        The module's output, in arrays, and a callback from the gradients with respect to the first
        of them, as many as there are, to the one with respect to `floats`.
    """
    shim = cast(TorchShim, model.shims[0])
    rate = model.attrs["dropout_rate"] if own_dropout is None else own_dropout
    tensor = xp2torch(floats, requires_grad=is_train, device=shim.device)
    inputs = ArgsKwargs((tensor, *others), {"dropout": rate if is_train else 0.0, **options})
    outputs, backprop_torch = shim(inputs, is_train)
    tensors = outputs if isinstance(outputs, tuple) else (outputs,)

    @with_gradients()
    def backprop(*d_outputs: Floats2d) -> Floats2d:
        of_outputs = [
            (output, xp2torch(d_output, device=shim.device))
            for output, d_output in zip(tensors, d_outputs, strict=False)
            if output.requires_grad  # unlike one without any values
        ]
        roots, gradients = zip(*of_outputs, strict=True)
        found = ArgsKwargs((roots,), {"grad_tensors": gradients})
        return cast(Floats2d, torch2xp(backprop_torch(found).args[0]))

    return [torch2xp(tensor.detach()) for tensor in tensors], backprop
