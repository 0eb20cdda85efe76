"""Prediction with an encoder and an attention head, sub-batch by sub-batch."""

from collections.abc import Sequence

from torch import Tensor

from .attention_head import AttentionHead
from .batching import sub_batches
from .bilstm import BiLSTM


def classify(
    encoder: BiLSTM, head: AttentionHead, tokens: Tensor, lengths: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """What `head(encoder(tokens))` returns, for prediction.

    Each sub-batch of like length goes all the way before the next one does: its hidden states stay
    in the processor's cache, and those of the whole batch need no memory.

    tokens: Vectors of the tokens of all documents, concatenated, shape (N, input_width).
    lengths: Number of tokens of each document, adding up to N; 0 is allowed.
    RETURNS: Logits, shape (n_docs, n_labels), and attention weights, shape (N,).
    """
    if len(lengths) == 1 and len(tokens):
        return head(encoder.encode_alone(tokens), lengths)
    # That of a document without tokens.
    logits = head.output.bias.expand(len(lengths), -1).clone()
    attention = tokens.new_zeros(len(tokens))
    for group in sub_batches(lengths, tokens.device):
        hidden = encoder.encode(tokens.index_select(0, group.tokens), group)
        logits[group.documents], attention[group.tokens] = head(hidden, group.lengths)
    return logits, attention
