"""The bidirectional LSTM as a Thinc layer: token vectors to hidden states."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d

from ..nn.bilstm import BiLSTM
from ..nn.runtime import with_gradients
from .arrays import TokenArrays
from .settings import Setting
from .shim import TorchShim

Arrays = list[Floats2d]


def bilstm_encoder(
    *,
    hidden_width: int,
    depth: int,
    dropout: float | None,
    mixed_precision: bool,
    grad_scaler_config: Mapping[str, Any] | None,
) -> Model[Arrays, Arrays]:
    """Bidirectional LSTM (see `spacy_attn.nn.bilstm.BiLSTM`).

    Input: the token vectors of each document, shape (n_tokens, nI). Output: their hidden states,
    shape (n_tokens, nO), where nO is twice the hidden width.

    Args:
        dropout: A rate of its own; None to follow the rate set on the model, `[training] dropout`.
    """
    model: Model[Arrays, Arrays] = Model(
        "bilstm_encoder",
        # Not an attribute: those are stored with the model, and would undo what its config says.
        partial(forward, own_dropout=dropout),
        init=init,
        dims={"nI": None, "nO": 2 * hidden_width},
        attrs={
            "hidden_width": Setting("hidden_width", hidden_width),
            "depth": Setting("depth", depth),
            "dropout_rate": 0.0,  # what thinc.api.set_dropout_rate looks for
        },
        shims=[
            TorchShim(
                BiLSTM,
                mixed_precision=mixed_precision,
                grad_scaler_config=grad_scaler_config,
            )
        ],
    )
    return model


@with_gradients()
def forward(
    model: Model[Arrays, Arrays], X: Arrays, is_train: bool, *, own_dropout: float | None
) -> tuple[Arrays, Callable[[Arrays], Arrays]]:
    shim = cast(TorchShim, model.shims[0])
    vectors = TokenArrays.join(model.ops, X)
    lengths = vectors.lengths
    if not any(lengths):
        empty = model.ops.alloc2f(0, model.get_dim("nO"))
        return TokenArrays(empty, lengths), lambda d_hidden: vectors
    tokens = xp2torch(vectors.joined, requires_grad=is_train, device=shim.device)
    rate = model.attrs["dropout_rate"] if own_dropout is None else own_dropout
    dropout = rate if is_train else 0.0
    hidden, backprop_torch = shim(ArgsKwargs((tokens, lengths), {"dropout": dropout}), is_train)

    @with_gradients()
    def backprop(d_hidden: Arrays) -> Arrays:
        joined = TokenArrays.join(model.ops, d_hidden).joined
        grad = xp2torch(joined, device=shim.device)
        d_inputs = backprop_torch(ArgsKwargs(((hidden,),), {"grad_tensors": (grad,)}))
        return TokenArrays(torch2xp(d_inputs.args[0]), lengths)

    return TokenArrays(torch2xp(hidden.detach()), lengths), backprop


def init(model: Model[Arrays, Arrays], X: Arrays | None = None, Y: Any = None) -> None:
    """Make new weights, if the width of the token vectors is set, or seen in `X`."""
    if X:
        model.set_dim("nI", X[0].shape[1], force=True)
    if model.has_dim("nI"):
        cast(TorchShim, model.shims[0]).build_module(
            input_width=model.get_dim("nI"),
            hidden_width=model.attrs["hidden_width"].value,
            depth=model.attrs["depth"].value,
        )
