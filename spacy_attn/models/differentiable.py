"""The model above its embedding as one differentiable function, without training it."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from thinc.api import Model
from torch import Tensor

from .shim import TorchShim

TorchClassifier = Callable[[Tensor, Sequence[int]], Tensor]


def torch_classifier(model: Model[Any, Any]) -> TorchClassifier:
    """From token vectors to logits, as prediction computes them, without dropout.

    In full precision, and made for gradients with respect to the token vectors. Ask
    `torch.autograd.grad` for these alone, so that the gradients that training collects in the
    parameters stay as they are.

    Args:
        model: Of `spacy-attn.BiLSTMAttention.v1`, with weights.

    Returns:
        A function of the vectors of all documents, concatenated, shape (N, width), and the number
        of tokens of each document, adding up to N. It returns logits, shape (n_docs, nO).
    """
    bilstm, head = (
        cast(TorchShim, model.get_ref(ref).shims[0]) for ref in ("bilstm", "output_layer")
    )

    def logits(vectors: Tensor, lengths: Sequence[int]) -> Tensor:
        return head.module(bilstm.module(vectors, lengths), lengths)[0]

    return logits
