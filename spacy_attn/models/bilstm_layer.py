"""The bidirectional LSTM as a Thinc layer: token vectors to hidden states."""

from collections.abc import Callable
from typing import Any, cast

from thinc.api import Model
from thinc.types import Floats2d

from ..nn.bilstm import BiLSTM
from .arrays import TokenArrays
from .shim import TorchShim
from .torch_layer import run_module, torch_layer

Arrays = list[Floats2d]


def bilstm_encoder(*, hidden_width: int, depth: int, **of_torch: Any) -> Model[Arrays, Arrays]:
    """Make a bidirectional LSTM (see `spacy_attn.nn.bilstm.BiLSTM`).

    Input: the token vectors of each document, shape (n_tokens, nI). Output: their hidden states,
    shape (n_tokens, nO), where nO is twice the hidden width.

    Args:
        of_torch: As in `spacy_attn.models.torch_layer.torch_layer`: dropout, mixed_precision,
            grad_scaler_config.
    """
    return torch_layer(
        "bilstm_encoder",
        forward,
        init,
        BiLSTM,
        dims={"nI": None, "nO": 2 * hidden_width},
        settings={"hidden_width": hidden_width, "depth": depth},
        **of_torch,
    )


def forward(
    model: Model[Arrays, Arrays], X: Arrays, is_train: bool, *, own_dropout: float | None
) -> tuple[Arrays, Callable[[Arrays], Arrays]]:
    vectors = TokenArrays.join(model.ops, X)
    if not any(vectors.lengths):
        empty = model.ops.alloc2f(0, model.get_dim("nO"))
        return TokenArrays(empty, vectors.lengths), lambda d_hidden: vectors
    (hidden,), backprop_joined = run_module(
        model, vectors.joined, vectors.lengths, is_train=is_train, own_dropout=own_dropout
    )

    def backprop(d_hidden: Arrays) -> Arrays:
        d_joined = TokenArrays.join(model.ops, d_hidden).joined
        return TokenArrays(backprop_joined(d_joined), vectors.lengths)

    return TokenArrays(hidden, vectors.lengths), backprop


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
