"""The route of a batch of documents to their logits, for prediction alone.

It exists for speed and memory: each sub-batch of like length goes all the way before the next one
does. Its hidden states stay in the processor's cache, and nobody keeps those of the whole batch.
Whoever wants hidden states or gradients calls the encoder and then the head, the third route; the
second is that of one document.
"""

from collections.abc import Sequence

from torch import Tensor

from .batching import sub_batches
from .bilstm import BiLSTM
from .head import AttentionHead
from .one_document import classify_one


def classify(
    encoder: BiLSTM,
    head: AttentionHead,
    vectors: Tensor,
    lengths: Sequence[int],
    rows: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what `head(encoder(tokens))` does, to rounding.

    Args:
        vectors: Those that the tokens have, shape (n, input_width).
        lengths: Number of tokens of each document, adding up to N; 0 is allowed.
        rows: Which of the vectors each token of the documents, concatenated, has, shape (N,); None
            where they have one each, in this order.

    Returns:
        Logits, shape (n_docs, n_labels), and attention weights, shape (N,).
    """
    n_tokens = len(vectors if rows is None else rows)
    if len(lengths) == 1 and n_tokens and vectors.device.type == "cpu":
        return classify_one(encoder, head, vectors if rows is None else vectors[rows])
    # That of a document without tokens.
    logits = head.output.bias.expand(len(lengths), -1).clone()
    attention = vectors.new_zeros(n_tokens)
    for group in sub_batches(lengths, vectors.device):
        own_rows = group.tokens if rows is None else rows.index_select(0, group.tokens)
        hidden = encoder.encode(vectors, group, rows=own_rows)
        logits[group.documents], attention[group.tokens] = head(hidden, group.lengths)
    return logits, attention
