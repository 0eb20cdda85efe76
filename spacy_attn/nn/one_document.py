"""The route of one document alone to its logits, on a CPU, which is what `nlp(text)` takes.

It exists for speed: a call of torch costs more than what there is to compute. One document needs no
padding, so that both directions of the LSTM are one call. NumPy does the rest where it is short.
Products of matrices stay with torch, since NumPy's library would start threads of its own.
"""

import numpy
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .attention import Attention
from .bilstm import BiLSTM, hidden_states
from .head import LEAST_EVIDENCE, AttentionHead

Floats = NDArray[numpy.float32]

# Up to so many tokens, NumPy's calls are faster than torch's.
_FEW_TOKENS = 64


def classify_one(encoder: BiLSTM, head: AttentionHead, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `head(encoder(tokens))` does, to rounding, for prediction.

    Args:
        tokens: Vectors of the document's tokens, shape (T, input_width), T at least 1.

    Returns:
        Logits, shape (1, n_labels), and attention weights, shape (T,).
    """
    pairs = zip(encoder.forwards, encoder.backwards, strict=True)
    lstms = [lstm for pair in pairs for lstm in pair]
    hidden = hidden_states(tokens.unsqueeze(1), lstms).squeeze(1)
    # A subclass of the attention may compute something else.
    if len(hidden) > _FEW_TOKENS or type(head.attention) is not Attention:
        return head(hidden, [len(hidden)])
    keys = hidden.numpy()
    half = keys.shape[1] // 2
    query = numpy.concatenate((keys[-1, :half], keys[0, half:]))
    scores = _scores(head.attention, hidden, query).astype(numpy.float64)
    if head.evidence:
        scores += _evidence(head, hidden)
    exponentials = numpy.exp(scores - scores.max())
    weights = (exponentials / exponentials.sum()).astype(numpy.float32)
    logits = _array(head.output.weight) @ (weights @ keys) + _array(head.output.bias)
    return torch.from_numpy(logits[None]), torch.from_numpy(weights)


def _scores(attention: Attention, keys: Tensor, query: Floats) -> Floats:
    """As `Attention.scores`, for one query, shape (T,)."""
    if attention.scoring == "uniform":
        return numpy.zeros(len(keys), dtype=numpy.float32)
    if attention.scoring in ("general", "additive_query"):
        query = _array(attention.query.weight) @ query
    if attention.scoring in ("additive", "additive_query"):
        compared = attention.key(keys).numpy()
        if attention.scoring == "additive_query":
            compared += query
        return numpy.tanh(compared) @ _array(attention.energy.weight)[0]
    return keys.numpy() @ query * numpy.float32(attention.scale)


def _evidence(head: AttentionHead, hidden: Tensor) -> Floats:
    """As that of the head, shape (T,)."""
    added = F.linear(hidden, head.output.weight).numpy()
    return head.evidence * numpy.log(numpy.sqrt((added * added).sum(axis=1)) + LEAST_EVIDENCE)


def _array(parameter: Tensor) -> Floats:
    """The values of a parameter on the CPU, which share its memory."""
    return parameter.detach().numpy()
