"""What the layers with a torch module have in common: they are made and run alike."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d

from ..nn.runtime import with_gradients
from ..nn.stored import StoredModule
from .arrays import TokenArrays
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
    model: Model, X: TokenArrays, is_train: bool, own_dropout: float | None
) -> tuple[Any, Callable[[Floats2d], TokenArrays]]:
    """Run a layer's module on what the tokens of all documents have.

    Returns:
        The module's output, in arrays, and a callback from the gradient with respect to the first
        of them to the one with respect to `X`.
    """
    shim = cast(TorchShim, model.shims[0])
    rate = model.attrs["dropout_rate"] if own_dropout is None else own_dropout
    tokens = xp2torch(X.joined, requires_grad=is_train, device=shim.device)
    inputs = ArgsKwargs((tokens, X.lengths), {"dropout": rate if is_train else 0.0})
    outputs, backprop_torch = shim(inputs, is_train)
    tensors = outputs if isinstance(outputs, tuple) else (outputs,)

    @with_gradients()
    def backprop(d_first: Floats2d) -> TokenArrays:
        gradient = xp2torch(d_first, device=shim.device)
        d_inputs = backprop_torch(ArgsKwargs((tensors[:1],), {"grad_tensors": (gradient,)}))
        return TokenArrays(torch2xp(d_inputs.args[0]), X.lengths)

    return [torch2xp(tensor.detach()) for tensor in tensors], backprop
