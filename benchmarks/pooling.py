"""What attention is compared with: the mean and the maximum over the tokens."""

from typing import Any, cast

import spacy
import torch
from spacy.language import Language
from thinc.api import Model
from torch import Tensor

from spacy_attn.models.shim import TorchShim
from spacy_attn.nn.attention import Attention, Scoring
from spacy_attn.nn.batching import Layout
from spacy_attn.nn.head import AttentionHead


class MaxPooling(Attention):
    """The largest value in each dimension of the hidden states.

    The weight of a token is the share of the dimensions that have their largest value there.
    """

    def forward(
        self, keys: Tensor, queries: Tensor, documents: Layout, evidence: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Shapes as in `spacy_attn.nn.attention.Attention`, for one query."""
        parts = keys.split(documents.lengths.tolist())
        largest = [part.max(dim=0) for part in parts if len(part)]
        n_documents, width = len(documents), keys.shape[1]
        filled = documents.lengths.nonzero().squeeze(1)
        contexts = keys.new_zeros(n_documents, width)
        contexts = contexts.index_copy(0, filled, torch.stack([found.values for found in largest]))
        rows = torch.cat(
            [found.indices + documents.starts[i] for i, found in zip(filled, largest, strict=True)]
        )
        weights = torch.bincount(rows, minlength=len(keys)).to(keys.dtype) / width
        return contexts.unsqueeze(1), weights.unsqueeze(1)


class MaxPoolingHead(AttentionHead):
    def __init__(self, width: int, attention: Scoring, n_labels: int, **settings: Any) -> None:
        super().__init__(width, attention, n_labels, **settings)
        self.attention = MaxPooling(width, "uniform")


@spacy.registry.architectures("spacy-attn-benchmarks.MaxPooling.v1")
def MaxPooling_v1(model: Model) -> Model:
    """Our model with max pooling in place of attention.

    Args:
        model: As of `spacy-attn.BiLSTMAttention.v1`, with `attention = "uniform"`.
    """
    head = model.get_ref("output_layer")
    head.shims[:] = [TorchShim(MaxPoolingHead)]
    return model


def equal_weights(nlp: Language, component: str = "attn_textcat") -> None:
    """Give every token of a document the same weight from now on, and change nothing else."""
    head = nlp.get_pipe(component).model.get_ref("output_layer")  # type: ignore[attr-defined]
    module = cast(AttentionHead, head.shims[0].module)
    module.attention.scoring = "uniform"
