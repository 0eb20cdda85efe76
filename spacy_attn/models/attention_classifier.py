"""The torch classifier as a Thinc layer: token vectors to logits and attention."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate
from typing import Any, cast

from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats1d, Floats2d

from ..torch.attention import Scoring
from ..torch.classifier import AttentionClassifier, Sizes
from .shim import TorchShim

Output = tuple[Floats2d, list[Floats1d]]


def attention_classifier(
    *,
    hidden_width: int,
    depth: int,
    dropout: float | None,
    attention: Scoring,
    mixed_precision: bool,
    grad_scaler_config: Mapping[str, Any] | None,
) -> Model[list[Floats2d], Output]:
    """Bidirectional LSTM, attention and linear head (see `spacy_attn.torch.AttentionClassifier`).

    Input: the token vectors of each document. Output: logits, shape (n_docs, nO), and for each
    document its attention weights, shape (n_tokens,). The gradient passed to the callback is the
    one with respect to the logits.

    dropout: A rate of its own; None to follow the rate set on the model, `[training] dropout`.
    """
    model: Model[list[Floats2d], Output] = Model(
        "attention_classifier",
        # Not an attribute: those are stored with the model, and would undo what its config says.
        partial(forward, own_dropout=dropout),
        init=init,
        dims={"nI": None, "nO": None},
        attrs={
            "hidden_width": hidden_width,
            "depth": depth,
            "attention": attention,
            "dropout_rate": 0.0,  # what thinc.api.set_dropout_rate looks for
        },
        shims=[
            TorchShim(
                build_module,
                mixed_precision=mixed_precision,
                grad_scaler_config=grad_scaler_config,
            )
        ],
    )
    return model


def build_module(sizes: Mapping[str, Any]) -> AttentionClassifier:
    """The module of some stored sizes, its weights arbitrary."""
    return AttentionClassifier(Sizes(**sizes))


def forward(
    model: Model[list[Floats2d], Output],
    X: list[Floats2d],
    is_train: bool,
    *,
    own_dropout: float | None,
) -> tuple[Output, Callable[[Floats2d], list[Floats2d]]]:
    shim = cast(TorchShim, model.shims[0])
    lengths = [len(x) for x in X]
    tokens = xp2torch(model.ops.xp.concatenate(X), requires_grad=is_train, device=shim.device)
    dropout = model.attrs["dropout_rate"] if own_dropout is None else own_dropout
    inputs = ArgsKwargs((tokens, lengths), {"dropout": dropout})
    (logits, weights), backprop_torch = shim(inputs, is_train)

    def backprop(d_logits: Floats2d) -> list[Floats2d]:
        grad = xp2torch(d_logits, device=shim.device).to(logits.dtype)
        d_inputs = backprop_torch(ArgsKwargs(((logits,),), {"grad_tensors": (grad,)}))
        return split(torch2xp(d_inputs.args[0]))

    def split(array: Any) -> list[Any]:
        return [array[end - n : end] for end, n in zip(accumulate(lengths), lengths, strict=True)]

    logits_xp = cast(Floats2d, torch2xp(logits.detach().float()))
    return (logits_xp, split(torch2xp(weights.detach().float()))), backprop


def init(model: Model[list[Floats2d], Output], X: Any = None, Y: Any = None) -> None:
    """Make new weights. Both dimensions must be set; the enclosing model knows them."""
    sizes = Sizes(
        input_width=model.get_dim("nI"),
        hidden_width=model.attrs["hidden_width"],
        depth=model.attrs["depth"],
        attention=model.attrs["attention"],
        n_labels=model.get_dim("nO"),
    )
    cast(TorchShim, model.shims[0]).set_module(AttentionClassifier(sizes))


def has_weights(model: Model[list[Floats2d], Output]) -> bool:
    return cast(TorchShim, model.shims[0]).has_module


def resize(
    model: Model[list[Floats2d], Output], nO: int, new_bias: Callable[[Floats1d], float]
) -> None:
    """Add labels, the present ones' weights untouched; before initialisation just note the number.

    new_bias: From the present biases, the bias that the new labels start with.
    """
    shim = cast(TorchShim, model.shims[0])
    if shim.has_module and nO != model.get_dim("nO"):
        module = cast(AttentionClassifier, shim.module)
        bias = new_bias(cast(Floats1d, module.head.bias.detach().cpu().numpy()))
        shim.set_module(module.with_labels(nO, bias))
    model.set_dim("nO", nO, force=True)
