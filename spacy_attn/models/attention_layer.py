"""The attention head as a Thinc layer: hidden states to logits and attention."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats1d, Floats2d

from ..nn.attention import Scoring
from ..nn.head import AttentionHead
from ..nn.runtime import with_gradients
from .arrays import TokenArrays
from .contract import Output
from .settings import Setting
from .shim import TorchShim


def attention_head(
    *,
    width: int,
    attention: Scoring,
    attention_width: int | None,
    evidence: float,
    dropout: float | None,
    mixed_precision: bool,
    grad_scaler_config: Mapping[str, Any] | None,
) -> Model[list[Floats2d], Output]:
    """Attention and linear layer (see `spacy_attn.nn.head.AttentionHead`).

    Input: the hidden states of each document, shape (n_tokens, nI). Output: logits, shape
    (n_docs, nO), and for each document its attention weights, shape (n_tokens,). The gradient
    passed to the callback is the one with respect to the logits.

    Args:
        width: Width nI of the hidden states.
        attention_width: Width in which the additive scoring functions compare; None for nI.
        evidence: How much a token's weight follows the size of what it adds to the logits.
        dropout: A rate of its own; None to follow the rate set on the model, `[training] dropout`.
    """
    model: Model[list[Floats2d], Output] = Model(
        "attention_head",
        # Not an attribute: those are stored with the model, and would undo what its config says.
        partial(forward, own_dropout=dropout),
        init=init,
        dims={"nI": width, "nO": None},
        attrs={
            "attention": Setting("attention", attention),
            "attention_width": Setting("attention_width", attention_width),
            "evidence": Setting("evidence", evidence),
            "dropout_rate": 0.0,  # what thinc.api.set_dropout_rate looks for
        },
        shims=[
            TorchShim(
                AttentionHead,
                mixed_precision=mixed_precision,
                grad_scaler_config=grad_scaler_config,
            )
        ],
    )
    return model


@with_gradients()
def forward(
    model: Model[list[Floats2d], Output],
    X: list[Floats2d],
    is_train: bool,
    *,
    own_dropout: float | None,
) -> tuple[Output, Callable[[Floats2d], list[Floats2d]]]:
    shim = cast(TorchShim, model.shims[0])
    states = TokenArrays.join(model.ops, X)
    lengths = states.lengths
    hidden = xp2torch(states.joined, requires_grad=is_train, device=shim.device)
    rate = model.attrs["dropout_rate"] if own_dropout is None else own_dropout
    dropout = rate if is_train else 0.0
    inputs = ArgsKwargs((hidden, lengths), {"dropout": dropout})
    (logits, weights), backprop_torch = shim(inputs, is_train)

    @with_gradients()
    def backprop(d_logits: Floats2d) -> list[Floats2d]:
        grad = xp2torch(d_logits, device=shim.device)
        d_inputs = backprop_torch(ArgsKwargs(((logits,),), {"grad_tensors": (grad,)}))
        return TokenArrays(torch2xp(d_inputs.args[0]), lengths)

    logits_xp = cast(Floats2d, torch2xp(logits.detach()))
    return (logits_xp, TokenArrays(torch2xp(weights.detach()), lengths)), backprop


def init(model: Model[list[Floats2d], Output], X: Any = None, Y: Any = None) -> None:
    """Make new weights. The number of labels must be set; the enclosing model knows it."""
    cast(TorchShim, model.shims[0]).build_module(
        width=model.get_dim("nI"),
        attention=model.attrs["attention"].value,
        attention_width=model.attrs["attention_width"].value,
        evidence=model.attrs["evidence"].value,
        n_labels=model.get_dim("nO"),
    )


@with_gradients()
def resize(
    model: Model[list[Floats2d], Output], nO: int, new_bias: Callable[[Floats1d], float]
) -> None:
    """Add labels, the present ones' weights untouched; before initialisation just note the number.

    Args:
        new_bias: From the present biases, the bias that the new labels start with.
    """
    shim = cast(TorchShim, model.shims[0])
    if shim.has_module and nO != model.get_dim("nO"):
        module = cast(AttentionHead, shim.module)
        bias = new_bias(cast(Floats1d, module.output.bias.detach().cpu().numpy()))
        shim.set_module(module.with_labels(nO, bias))
    model.set_dim("nO", nO, force=True)
