"""Hidden states of documents to logits and attention."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, Scoring
from .batching import Layout
from .fast_ops import dropout as dropout_values
from .stored import StoredModule

# In logits. What adds less still has a weight, by its score.
LEAST_EVIDENCE = 0.1


class AttentionHead(StoredModule):
    r"""Attention asked once with the final states of the encoder, and a linear layer.

    .. math::
        z = W \sum_t a_t h_t + b, \quad
        a_t \propto e^{s_t} (\lVert W h_t \rVert + \epsilon)^\gamma

    It is linear after pooling, so that the logits decompose exactly over tokens:
    :math:`z_c = b_c + \sum_t a_t (w_c \cdot h_t)`. The weight of a token follows the score s, and
    the size of what the token adds to the logits, :math:`\lVert W h_t \rVert`. For a weight says
    little where the vectors that it weighs differ in size (Kobayashi et al. 2020, "Attention is Not
    Only a Weight").

    Args:
        width: Width D of the hidden states, one half from each direction of the encoder.
        attention: Name of the scoring function.
        n_labels: Number of labels.
        attention_width: Width in which the additive scoring functions compare; None for D.
        evidence: The exponent :math:`\gamma`; 0 for attention by the scoring function alone.
            "uniform" takes no notice of it.
    """

    def __init__(
        self,
        width: int,
        attention: Scoring,
        n_labels: int,
        attention_width: int | None = None,
        evidence: float = 0.0,
    ) -> None:
        super().__init__()
        self.sizes = {
            "width": width,
            "attention": attention,
            "n_labels": n_labels,
            "attention_width": attention_width,
            "evidence": evidence,
        }
        self.attention = Attention(width, attention, attention_width)
        self.output = nn.Linear(width, n_labels, dtype=torch.float32)

    def forward(
        self, hidden: Tensor, lengths: Sequence[int], dropout: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Classify documents of any length. A document's results depend on that document alone.

        Args:
            hidden: Hidden states h of the tokens of all documents, concatenated, shape (N, D).
            lengths: Number of tokens of each document, adding up to N; 0 is allowed.
            dropout: Rate for the pooled vector; 0 in prediction.

        Returns:
            Logits, shape (n_docs, n_labels), the bias for a document without tokens; and the
            attention weights of all documents, concatenated, shape (N,).
        """
        if len(hidden):
            documents = Layout(lengths, hidden.device)
            queries = final_states(hidden, documents).unsqueeze(1)
            contexts, weights = self.attention(hidden, queries, documents, self._evidence(hidden))
            pooled, weights = contexts.squeeze(1), weights.squeeze(1)
        else:
            # Zeros that are connected to the input, so that it has a gradient, too.
            pooled, weights = hidden.sum(0).expand(len(lengths), -1), hidden.new_zeros(0)
        pooled = dropout_values(pooled, dropout)
        # In mixed precision, back to the precision that gradients are scaled in.
        return self.output(pooled).to(hidden.dtype), weights

    @property
    def evidence(self) -> float:
        """The exponent, which is 0 for uniform attention."""
        return 0.0 if self.attention.scoring == "uniform" else self.sizes["evidence"]

    def _evidence(self, hidden: Tensor) -> Tensor | None:
        """What is added to the score of each token, shape (N,)."""
        if not self.evidence:
            return None
        size = torch.linalg.vector_norm(F.linear(hidden, self.output.weight), dim=1)
        return self.evidence * torch.log(size + LEAST_EVIDENCE)

    def with_labels(self, n_labels: int, new_bias: float) -> "AttentionHead":
        """Return a copy with more labels, whose weights are 0 and whose bias is `new_bias`.

        Raises:
            ValueError: If it would have fewer labels.
        """
        state, n_new = self.state_dict(), n_labels - self.output.out_features
        if n_new < 0:
            raise ValueError(
                f"There are {self.output.out_features} labels, not {n_labels} or less."
            )
        resized = AttentionHead(**{**self.sizes, "n_labels": n_labels})
        state["output.weight"] = F.pad(state["output.weight"], (0, 0, 0, n_new))
        state["output.bias"] = F.pad(state["output.bias"], (0, n_new), value=new_bias)
        resized.load_state_dict(state)
        return resized.to(self.output.weight.device)


def final_states(hidden: Tensor, documents: Layout) -> Tensor:
    """Return [forward state at the last token ; backward state at the first] of each document.

    Args:
        hidden: Shape (N, D), N at least 1; each direction has a half of the width.
        documents: Which of them belong to which document.

    Returns:
        Shape (n_docs, D), arbitrary for a document without tokens.
    """
    ahead, behind = hidden.chunk(2, dim=1)
    return torch.cat(
        (ahead.index_select(0, documents.last), behind.index_select(0, documents.first)), dim=1
    )
