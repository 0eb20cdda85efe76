"""The attention head as a Thinc layer: hidden states to logits and attention."""

from collections.abc import Callable
from typing import Any, cast

from thinc.api import Model
from thinc.types import Floats1d, Floats2d

from ..nn.attention import Scoring
from ..nn.head import AttentionHead
from ..nn.runtime import with_gradients
from .arrays import TokenArrays
from .contract import Output
from .shim import TorchShim
from .torch_layer import run_module, torch_layer

Head = Model[list[Floats2d], Output]


def attention_head(
    *,
    width: int,
    attention: Scoring,
    attention_width: int | None,
    evidence: float,
    **of_torch: Any,
) -> Head:
    """Make attention and a linear layer (see `spacy_attn.nn.head.AttentionHead`).

    Input: the hidden states of each document, shape (n_tokens, nI). Output: logits, shape
    (n_docs, nO), and for each document its attention weights, shape (n_tokens,). The gradient
    passed to the callback is the one with respect to the logits.

    Args:
        width: Width nI of the hidden states.
        attention_width: Width in which the additive scoring functions compare; None for nI.
        evidence: How much a token's weight follows the size of what it adds to the logits.
        of_torch: As in `spacy_attn.models.torch_layer.torch_layer`: dropout, mixed_precision,
            grad_scaler_config.
    """
    return torch_layer(
        "attention_head",
        forward,
        init,
        AttentionHead,
        dims={"nI": width, "nO": None},
        settings={
            "attention": attention,
            "attention_width": attention_width,
            "evidence": evidence,
        },
        **of_torch,
    )


def forward(
    model: Head, X: list[Floats2d], is_train: bool, *, own_dropout: float | None
) -> tuple[Output, Callable[[Floats2d], list[Floats2d]]]:
    hidden = TokenArrays.join(model.ops, X)
    (logits, weights), backprop_joined = run_module(
        model, hidden.joined, hidden.lengths, is_train=is_train, own_dropout=own_dropout
    )

    def backprop(d_logits: Floats2d) -> list[Floats2d]:
        return TokenArrays(backprop_joined(d_logits), hidden.lengths)

    return (logits, TokenArrays(weights, hidden.lengths)), backprop


def init(model: Head, X: Any = None, Y: Any = None) -> None:
    """Make new weights, for the number of labels that the enclosing model has set."""
    cast(TorchShim, model.shims[0]).build_module(
        width=model.get_dim("nI"),
        n_labels=model.get_dim("nO"),
        **{name: model.attrs[name].value for name in ("attention", "attention_width", "evidence")},
    )


@with_gradients()
def resize(model: Head, nO: int, new_bias: Callable[[Floats1d], float]) -> None:
    """Add labels, and keep the weights of the present ones. Without weights, note the number.

    Args:
        new_bias: From the present biases, the bias that the new labels start with.
    """
    shim = cast(TorchShim, model.shims[0])
    if shim.has_module and nO != model.get_dim("nO"):
        module = cast(AttentionHead, shim.module)
        bias = new_bias(cast(Floats1d, module.output.bias.detach().cpu().numpy()))
        shim.set_module(module.with_labels(nO, bias))
    model.set_dim("nO", nO, force=True)
