"""What attention is compared with: the mean and the maximum over the tokens."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, cast

import spacy
import torch
from spacy.language import Language
from thinc.api import Model
from torch import Tensor, nn

from spacy_attn.models import attention_classifier
from spacy_attn.models.shim import TorchShim
from spacy_attn.torch.attention import Attention
from spacy_attn.torch.classifier import AttentionClassifier, Sizes

Pooling = Literal["mean", "max"]


class MeanPooling(nn.Module):
    """The mean of the hidden states: attention with equal weights."""

    def forward(self, keys: Tensor, queries: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes and meaning as in `spacy_attn.torch.attention.Attention`."""
        weights = mask.to(keys.dtype) / mask.sum(1, keepdim=True)
        weights = weights.unsqueeze(1).expand(-1, queries.shape[1], -1)
        return torch.bmm(weights, keys), weights


class MaxPooling(nn.Module):
    """The largest value in each dimension of the hidden states.

    The weight of a token is the share of the dimensions that have their largest value there.
    """

    def forward(self, keys: Tensor, queries: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes as in `spacy_attn.torch.attention.Attention`."""
        values, tokens = keys.masked_fill(~mask.unsqueeze(-1), -math.inf).max(dim=1)
        weights = keys.new_zeros(mask.shape)
        weights.scatter_add_(1, tokens, torch.full_like(values, 1 / values.shape[1]))
        n_queries = queries.shape[1]
        return (
            values.unsqueeze(1).expand(-1, n_queries, -1),
            weights.unsqueeze(1).expand(-1, n_queries, -1),
        )


POOLINGS: dict[Pooling, type[nn.Module]] = {"mean": MeanPooling, "max": MaxPooling}


class PooledClassifier(AttentionClassifier):
    """Our classifier with another layer in place of the attention."""

    def __init__(self, sizes: Sizes, pooling: Pooling) -> None:
        super().__init__(sizes)
        replace_attention(self, pooling)


def replace_attention(classifier: AttentionClassifier, pooling: Pooling) -> None:
    # It has the interface of the attention, as far as the classifier uses it.
    classifier.attention = cast(Attention, POOLINGS[pooling]())


@spacy.registry.architectures("spacy-attn-benchmarks.Pooled.v1")
def Pooled_v1(model: Model, pooling: Pooling) -> Model:
    """Our model, its attention replaced before it is initialised.

    model (Model): As of `spacy-attn.BiLSTMAttention.v1`.
    pooling (str): "mean" or "max".
    """
    classifier = model.get_ref("output_layer")
    classifier.shims[:] = [TorchShim(partial(build_module, pooling=pooling))]
    classifier.init = partial(init, pooling=pooling)
    return model


def build_module(sizes: Mapping[str, Any], *, pooling: Pooling) -> PooledClassifier:
    return PooledClassifier(Sizes(**sizes), pooling)


def init(model: Model, X: Any = None, Y: Any = None, *, pooling: Pooling) -> None:
    attention_classifier.init(model, X, Y)
    shim = cast(TorchShim, model.shims[0])
    replace_attention(cast(AttentionClassifier, shim.module), pooling)


def equal_weights(nlp: Language, component: str = "attn_textcat") -> None:
    """Give every token of a document the same weight from now on, and change nothing else."""
    classifier = nlp.get_pipe(component).model.get_ref("output_layer")  # type: ignore[attr-defined]
    replace_attention(classifier.shims[0].module, "mean")
