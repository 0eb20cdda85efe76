"""What the components need of a model: their contract with an architecture.

`spacy-attn.BiLSTMAttention.v1` meets it. So does any Thinc model with these properties:

- It takes a list of `Doc` and returns a pair: logits, shape (n_docs, n_labels), and for each
  document the attention weights of its tokens, shape (n_tokens,). A logit is the bias, plus the sum
  over the tokens of weight times hidden state times output weights.
- It has four references to layers of it:
  `tok2vec`, from documents to their token vectors, of any kind;
  `bilstm`, from these to the tokens' hidden states, shape (n_tokens, width) for each document;
  `encoder`, both in one, which `spacy pretrain` can train;
  `output_layer`, from hidden states to what the model returns, with the dimensions `nI` and `nO`.
- `bilstm` and `output_layer` each hold a `spacy_attn.models.shim.TorchShim`. The torch module of
  the latter has its linear layer in the attribute `output`.
- For labels to be added after its initialisation, it has Thinc's attribute `resize_output`.
"""

from typing import Any

from thinc.api import Model

from .shim import TorchShim

REFS = ("tok2vec", "bilstm", "encoder", "output_layer")
_WITH_TORCH = ("bilstm", "output_layer")


def check_model(where: str, model: Any) -> None:
    """RAISES: ValueError naming the model and what it lacks, if it does not meet the contract."""
    if not isinstance(model, Model):
        raise ValueError(f"{where}: its model must be a Thinc model, but is {model!r}.")
    missing = [name for name in REFS if not model.has_ref(name)]
    if missing:
        _refuse(where, model, f"no reference to its layers {missing}")
    for name in _WITH_TORCH:
        shims = model.get_ref(name).shims
        if not (shims and isinstance(shims[0], TorchShim)):
            _refuse(where, model, f"a layer '{name}' without a TorchShim")


def _refuse(where: str, model: Model, what: str) -> None:
    raise ValueError(
        f"{where}: it cannot use the model '{model.name}', which has {what}. Set '@architectures' "
        f"of its model to spacy-attn.BiLSTMAttention.v1, or see spacy_attn.models.contract for "
        f"what a model of your own must have."
    )
