"""The whole torch part: token vectors of documents to logits and attention."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, Scoring
from .batching import make_sub_batches
from .bilstm import BiLSTM


@dataclass(frozen=True)
class Sizes:
    """Everything that is needed to build an `AttentionClassifier` of the same parameters' shapes.

    input_width: Width of the token vectors.
    hidden_width: Width H of each direction of the LSTM.
    depth: Number of LSTM layers.
    attention: Name of the scoring function.
    n_labels: Number of labels.
    """

    input_width: int
    hidden_width: int
    depth: int
    attention: Scoring
    n_labels: int

    def to_dict(self) -> dict[str, int | str]:
        return asdict(self)


class AttentionClassifier(nn.Module):
    r"""Bidirectional LSTM, attention asked once with the final states, linear head.

    .. math::
        z = W \sum_t a_t h_t + b

    Because the head is linear, the logits decompose exactly over tokens:
    :math:`z_c = b_c + \sum_t a_t (w_c \cdot h_t)`.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = BiLSTM(sizes.input_width, sizes.hidden_width, sizes.depth)
        self.attention = Attention(2 * sizes.hidden_width, sizes.attention)
        self.head = nn.Linear(2 * sizes.hidden_width, sizes.n_labels)

    def forward(
        self, tokens: Tensor, lengths: Sequence[int], dropout: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Classify documents of any length. A document's results depend on that document alone.

        tokens: Vectors of the tokens of all documents, concatenated, shape (N, input_width).
        lengths: Number of tokens of each document, adding up to N; 0 is allowed.
        dropout: Rate for the token vectors, between LSTM layers and for the context, in training.
        RETURNS: Logits, shape (n_docs, n_labels), the head's bias for a document without tokens;
            and the attention weights of all documents, concatenated, shape (N,).
        """
        tokens = F.dropout(tokens, dropout, self.training)
        contexts, weights, documents, rows = [], [], [], []
        for batch in make_sub_batches(lengths, tokens.device):
            hidden, final = self.encoder(tokens, batch, dropout)
            mask = batch.mask.T
            context, attention = self.attention(hidden.transpose(0, 1), final.unsqueeze(1), mask)
            contexts.append(context.squeeze(1))
            documents.append(batch.documents)
            weights.append(attention.squeeze(1)[mask])
            rows.append(batch.forward.T[mask])
        width = 2 * self.sizes.hidden_width
        pooled = tokens.new_zeros(len(lengths), width)
        all_weights = tokens.new_zeros(len(tokens))
        if contexts:
            pooled = pooled.index_copy(
                0, torch.cat(documents), torch.cat(contexts).to(pooled.dtype)
            )
            all_weights = all_weights.index_copy(
                0, torch.cat(rows), torch.cat(weights).to(all_weights.dtype)
            )
        pooled = F.dropout(pooled, dropout, self.training)
        return self.head(pooled), all_weights

    def with_labels(self, n_labels: int, new_bias: float) -> "AttentionClassifier":
        """A copy with more labels: weights of the present ones kept, new rows 0 and `new_bias`."""
        sizes = Sizes(**{**asdict(self.sizes), "n_labels": n_labels})
        old = self.sizes.n_labels
        resized = AttentionClassifier(sizes).to(self.head.weight.device)
        state = self.state_dict()
        weight = torch.zeros_like(resized.head.weight)
        bias = torch.full_like(resized.head.bias, new_bias)
        weight[:old], bias[:old] = state["head.weight"], state["head.bias"]
        state.update({"head.weight": weight, "head.bias": bias})
        resized.load_state_dict(state)
        return resized
