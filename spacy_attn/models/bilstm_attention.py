"""The registered architecture: documents to logits and attention."""

from typing import Any

import numpy
from spacy.ml.models.textcat import get_tok2vec_width
from spacy.tokens import Doc
from thinc.api import Model, chain
from thinc.types import Floats1d, Floats2d

from ..errors import check_choice, check_positive
from ..torch.attention import SCORINGS, Scoring
from . import attention_classifier as classifier_layer
from .attention_classifier import Output

# What a label added to a trained model starts with, as a share of the odds of the least likely
# present label: small enough to leave the others' scores alone, large enough to be learned in
# ordinary training.
NEW_LABEL_ODDS = 1e-3


def BiLSTMAttention_v1(
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 128,
    depth: int = 1,
    dropout: float | None = None,
    attention: Scoring = "additive_query",
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] | None = None,
    nO: int | None = None,
) -> Model[list[Doc], Output]:
    """Classify documents with a bidirectional LSTM and attention.

    The model's output is a pair: logits, shape (n_docs, n_labels), and for each document its
    attention weights, shape (n_tokens,), which sum to 1. The callback takes the gradient with
    respect to the logits.

    tok2vec (Model[List[Doc], List[Floats2d]]): Token vectors, of any kind spaCy has.
    hidden_width (int): Width H of each direction of the LSTM.
    depth (int): Number of LSTM layers.
    dropout (Optional[float]): Dropout rate for the token vectors, between LSTM layers and for the
        pooled vector, in training. None to follow `[training] dropout`.
    attention (str): Scoring function: "dot", "scaled_dot", "general", "additive" or
        "additive_query" (see `spacy_attn.torch.attention.Attention`).
    mixed_precision (bool): Run the torch part in mixed precision, on a GPU.
    grad_scaler_config (Optional[Dict[str, Any]]): Arguments of `thinc.api.PyTorchGradScaler`, which
        mixed precision needs: init_scale, backoff_factor, growth_factor, growth_interval.
    nO (Optional[int]): Number of labels; inferred at initialisation.
    RAISES: ValueError if a setting is out of its range.
    """
    _check_settings(hidden_width, depth, dropout, attention)
    classifier = classifier_layer.attention_classifier(
        hidden_width=hidden_width,
        depth=depth,
        dropout=dropout,
        attention=attention,
        mixed_precision=mixed_precision,
        grad_scaler_config=grad_scaler_config,
    )
    model: Model[list[Doc], Output] = chain(tok2vec, classifier)
    model.name = "bilstm_attention"
    model.init = init
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", classifier)
    model.attrs["resize_output"] = resize_output
    model.attrs["expected_nO"] = nO
    return model


def _check_settings(hidden_width: int, depth: int, dropout: float | None, attention: str) -> None:
    where = "spacy-attn.BiLSTMAttention.v1"
    check_positive(where, hidden_width=hidden_width, depth=depth)
    if dropout is not None and not 0.0 <= dropout < 1.0:
        raise ValueError(
            f"{where}: 'dropout' must be at least 0 and below 1, or null to follow "
            f"'[training] dropout', but is {dropout}."
        )
    check_choice(where, "attention", attention, SCORINGS)


def init(model: Model[list[Doc], Output], X: Any = None, Y: Any = None) -> None:
    tok2vec, classifier = model.get_ref("tok2vec"), model.get_ref("output_layer")
    tok2vec.initialize(X)
    width = get_tok2vec_width(model)
    if width is None and X:
        width = tok2vec.predict(X)[0].shape[1]
    if width is not None:
        classifier.set_dim("nI", width, force=True)
    if Y is not None:
        n_labels, expected = Y.shape[1], model.attrs["expected_nO"]
        if expected not in (None, n_labels):
            raise ValueError(
                f"The model was configured with 'nO' = {expected}, but there are {n_labels} "
                f"labels: leave 'nO' null to have it inferred."
            )
        classifier.set_dim("nO", n_labels, force=True)
    if classifier.has_dim("nI") and classifier.has_dim("nO"):
        classifier.initialize()
        model.set_dim("nO", classifier.get_dim("nO"), force=True)


def is_initialized(model: Model[list[Doc], Output]) -> bool:
    """Whether the model has weights, so that it can be used."""
    return classifier_layer.has_weights(model.get_ref("output_layer"))


def resize_output(model: Model[list[Doc], Output], nO: int) -> Model[list[Doc], Output]:
    """Change the number of labels of a model, without changing the logits of those it has."""
    classifier_layer.resize(model.get_ref("output_layer"), nO, new_label_bias)
    if is_initialized(model):
        model.attrs["expected_nO"] = None
    model.set_dim("nO", nO, force=True)
    return model


def new_label_bias(bias: Floats1d) -> float:
    """The bias an untrained label starts with beside labels of some biases, shape (n_labels,)."""
    return float(bias.min() + numpy.log(NEW_LABEL_ODDS))
