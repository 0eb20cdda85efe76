"""The registered architecture: documents to logits and attention."""

from collections.abc import Callable
from typing import Any, cast

import numpy
import torch
from spacy.ml.models.textcat import get_tok2vec_width
from spacy.tokens import Doc
from thinc.api import Model, chain, torch2xp, xp2torch
from thinc.types import Floats1d, Floats2d

from ..checks import check_choice, check_not_negative, check_positive, check_rate
from ..nn.attention import SCORINGS, Scoring
from ..nn.predict import classify
from .arrays import TokenArrays
from .attention_layer import attention_head, resize
from .bilstm_layer import bilstm_encoder
from .contract import (
    Output,
    begin_classification,
    begin_embedding,
    torch_shims,
)
from .embeddings.token_vectors import find_vectors
from .weights import is_initialized

# The odds that a label added to a trained model starts with, as a share of those of the least
# likely label: so small that the other scores stay, and so large that ordinary training learns it.
NEW_LABEL_ODDS = 1e-3


def BiLSTMAttention_v1(
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 128,
    depth: int = 1,
    dropout: float | None = None,
    attention: Scoring = "additive_query",
    attention_width: int | None = 64,
    evidence: float = 1.0,
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] | None = None,
    nO: int | None = None,
) -> Model[list[Doc], Output]:
    """Classify documents with a bidirectional LSTM and attention.

    The model's output is a pair: logits, shape (n_docs, n_labels), and for each document its
    attention weights, shape (n_tokens,), which sum to 1. The callback takes the gradient with
    respect to the logits. The part up to the hidden states, of shape (n_tokens, 2H) for each
    document, is the layer "encoder", which `spacy pretrain` can train. What components need of a
    model is in `spacy_attn.models.contract`.

    Args:
        tok2vec: A layer that makes token vectors, of any kind that spaCy has.
        hidden_width: The width H of each direction of the LSTM. A wider one can learn more from
            much data. A narrower one is faster, and makes a smaller pipeline.
        depth: The number of LSTM layers. Each takes as long as the first.
        dropout: The dropout rate in training: of token vectors, between LSTM layers, and of the
            pooled vector. None follows `[training] dropout`. Raise it if accuracy on validation
            data falls while the training loss falls.
        attention: The scoring function, see `spacy_attn.nn.attention.Attention`. "uniform" is mean
            pooling, to see what attention is good for.
        attention_width: The width in which "additive" and "additive_query" compare. None is 2H.
            Other scoring functions do not use it.
        evidence: How much attention follows what tokens have to say. It is an exponent of a norm:
            that of what the hidden state of a token would add to the logits on its own. The power
            multiplies the scoring function's weight of the token. 0 leaves attention to the scoring
            function, as "uniform" always does. Set it to 0 to compare with published models.
        mixed_precision: Whether to run the torch part in mixed precision. Try it on a GPU.
        grad_scaler_config: The arguments of `thinc.api.PyTorchGradScaler`, which mixed precision
            needs: init_scale, backoff_factor, growth_factor, growth_interval.
        nO: The number of labels. Leave it null: it is inferred at initialization.

    Raises:
        ValueError: If a setting is out of its range.
    """
    where = "spacy-attn.BiLSTMAttention.v1"
    check_positive(where, hidden_width=hidden_width, depth=depth, attention_width=attention_width)
    check_not_negative(where, evidence=evidence)
    check_rate(where, dropout=dropout)
    check_choice(where, "attention", attention, SCORINGS)
    of_torch: dict[str, Any] = {
        "dropout": dropout,
        "mixed_precision": mixed_precision,
        "grad_scaler_config": grad_scaler_config,
    }
    bilstm = bilstm_encoder(hidden_width=hidden_width, depth=depth, **of_torch)
    head = attention_head(
        width=2 * hidden_width,
        attention=attention,
        attention_width=attention_width,
        evidence=evidence,
        **of_torch,
    )
    encoder: Model[list[Doc], list[Floats2d]] = chain(tok2vec, bilstm)
    return Model(
        "bilstm_attention",
        forward,
        init=init,
        dims={"nO": None},
        layers=[encoder, head],
        refs={"tok2vec": tok2vec, "bilstm": bilstm, "encoder": encoder, "output_layer": head},
        attrs={"resize_output": resize_output, "expected_nO": nO},
    )


def forward(
    model: Model[list[Doc], Output], docs: list[Doc], is_train: bool
) -> tuple[Output, Callable[[Floats2d], list[Doc]]]:
    if not is_train:
        return _predict(model, docs), lambda d_logits: []
    vectors, backprop_vectors = begin_embedding(model, docs)
    output, backprop = begin_classification(model, vectors)
    return output, lambda d_logits: backprop_vectors(backprop(d_logits))


def _predict(model: Model[list[Doc], Output], docs: list[Doc]) -> Output:
    found, token_rows = find_vectors(model.get_ref("tok2vec"), docs)
    bilstm, head = torch_shims(model)
    lengths = [len(doc) for doc in docs]
    with bilstm.predicting() as encoder_module, head.predicting() as head_module:
        vectors = xp2torch(found, device=bilstm.device)
        rows = None if token_rows is None else torch.from_numpy(token_rows).to(bilstm.device)
        logits, weights = classify(encoder_module, head_module, vectors, lengths, rows)
    return cast(Floats2d, torch2xp(logits)), TokenArrays(torch2xp(weights), lengths)


def init(model: Model[list[Doc], Output], X: Any = None, Y: Any = None) -> None:
    """Make new weights, where documents or labels, or an earlier call, have told the widths."""
    tok2vec, bilstm = model.get_ref("tok2vec"), model.get_ref("bilstm")
    head = model.get_ref("output_layer")
    tok2vec.initialize(X)
    width = get_tok2vec_width(model)
    if width is None and X:
        width = tok2vec.predict(X)[0].shape[1]
    if width is not None:
        bilstm.set_dim("nI", width, force=True)
    if Y is not None:
        n_labels, expected = Y.shape[1], model.attrs["expected_nO"]
        if expected not in (None, n_labels):
            raise ValueError(
                f"The model was configured with 'nO' = {expected}, but there are {n_labels} "
                f"labels: leave 'nO' null to have it inferred."
            )
        head.set_dim("nO", n_labels, force=True)
    if bilstm.has_dim("nI") and head.has_dim("nO"):
        bilstm.initialize()
        head.initialize()
        model.set_dim("nO", head.get_dim("nO"), force=True)


def resize_output(model: Model[list[Doc], Output], nO: int) -> Model[list[Doc], Output]:
    """Change the number of labels of a model, without changing the logits of those it has."""
    resize(model.get_ref("output_layer"), nO, new_label_bias)
    if is_initialized(model):
        model.attrs["expected_nO"] = None
    model.set_dim("nO", nO, force=True)
    return model


def new_label_bias(bias: Floats1d) -> float:
    """Return the bias that an untrained label starts with, from those of the present labels."""
    return float(bias.min() + numpy.log(NEW_LABEL_ODDS))
