"""What the components need of a model, and all that they do with it.

`spacy-attn.BiLSTMAttention.v1` meets it. So does any Thinc model with these properties:

- It takes a list of `Doc` and returns a pair. The first is the logits, shape (n_docs, n_labels).
  The second has the attention weights of each document, shape (n_tokens,). A logit is the bias,
  plus the sum over the tokens of weight times hidden state times output weights.
- It has four references to its layers.
  `tok2vec` maps documents to token vectors of any kind.
  `bilstm` maps these to hidden states, shape (n_tokens, width) for each document.
  `encoder` is both in one, which `spacy pretrain` can train.
  `output_layer` maps hidden states to the model's output. It has the dimensions `nI` and `nO`.
- `bilstm` and `output_layer` each hold a `spacy_attn.models.shim.TorchShim`. The torch module of
  the latter has its linear layer in the attribute `output`.
- For labels to be added after its initialization, it has Thinc's attribute `resize_output`.

Layers may read and return `spacy_attn.models.arrays.TokenArrays`, which are lists, too.

Three routes lead to the logits. `predict` takes the route of a batch (`spacy_attn.nn.predict`) or
of one document (`spacy_attn.nn.one_document`). These keep nothing. The third goes through the
layers one after another. It keeps the hidden states of all tokens, for contributions. It also
keeps what gradients need.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from spacy.tokens import Doc
from thinc.api import Model, torch2xp
from thinc.types import Floats1d, Floats2d
from torch import Tensor

from .arrays import TokenArrays
from .embeddings.token_vectors import is_context_free
from .shim import TorchShim

REFS = ("tok2vec", "bilstm", "encoder", "output_layer")
_WITH_TORCH = ("bilstm", "output_layer")

Output = tuple[Floats2d, list[Floats1d]]
TorchClassifier = Callable[[Tensor, Sequence[int]], Tensor]


def check_model(where: str, model: Any) -> None:
    """Check that a model meets the contract, as far as that can be seen before it is used.

    Raises:
        ValueError: If it does not, with its name and what it lacks.
    """
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


def torch_shims(model: Model) -> tuple[TorchShim, TorchShim]:
    """Return the shims of the encoder and of the output layer."""
    bilstm, head = (model.get_ref(name).shims[0] for name in _WITH_TORCH)
    return cast(TorchShim, bilstm), cast(TorchShim, head)


def output_weights(model: Model) -> tuple[Floats2d, Floats1d]:
    """Return the weights, shape (nO, nI), and the biases, shape (nO,), of the linear layer."""
    output = cast(Any, torch_shims(model)[1].module).output
    weight, bias = torch2xp(output.weight.detach()), torch2xp(output.bias.detach())
    return cast(Floats2d, weight), cast(Floats1d, bias)


def sees_tokens_alone(model: Model) -> bool:
    """Return whether the vector of a token depends on that token alone."""
    return is_context_free(model.get_ref("tok2vec"))


# Prediction. Some embeddings cannot do with no token at all: none is asked to.


def predict(model: Model, docs: list[Doc]) -> Output:
    """Return the logits and the attention of some documents."""
    if any(len(doc) for doc in docs):
        return model.predict(docs)
    return classify_states(model, encode(model, docs))


def embed(model: Model, docs: list[Doc]) -> TokenArrays:
    """Return the token vectors of each document, shape (n_tokens, width)."""
    return _predict_layer(model, "tok2vec", docs, model.get_ref("bilstm").get_dim("nI"))


def encode(model: Model, docs: list[Doc]) -> TokenArrays:
    """Return the hidden states of each document, shape (n_tokens, nI of the output layer)."""
    return _predict_layer(model, "encoder", docs, model.get_ref("output_layer").get_dim("nI"))


def _predict_layer(model: Model, name: str, docs: list[Doc], width: int) -> TokenArrays:
    if any(len(doc) for doc in docs):
        return TokenArrays.join(model.ops, model.get_ref(name).predict(docs))
    return TokenArrays(model.ops.alloc2f(0, width), [0] * len(docs))


def encode_vectors(model: Model, vectors: list[Floats2d]) -> TokenArrays:
    """Return the hidden states that follow from the token vectors of each document."""
    return TokenArrays.join(model.ops, model.get_ref("bilstm").predict(vectors))


def classify_states(model: Model, hidden: list[Floats2d]) -> Output:
    """Return the logits and the attention that follow from the hidden states of each document."""
    return model.get_ref("output_layer").predict(hidden)


# Gradients


def begin_embedding(
    model: Model, docs: list[Doc]
) -> tuple[TokenArrays, Callable[[TokenArrays], Any]]:
    """Return the token vectors, for training, and the callback for their gradient."""
    vectors, backprop = model.get_ref("tok2vec").begin_update(docs)
    return TokenArrays.join(model.ops, vectors), backprop


def begin_classification(
    model: Model, vectors: TokenArrays
) -> tuple[Output, Callable[[Floats2d], TokenArrays]]:
    """Run what is above the embedding, for training.

    Args:
        vectors: The token vectors of each document, shape (n_tokens, width).

    Returns:
        The model's output, and a callback from the gradient with respect to the logits to the one
        with respect to the vectors.
    """
    hidden, backprop_bilstm = model.get_ref("bilstm").begin_update(vectors)
    output, backprop_head = model.get_ref("output_layer").begin_update(hidden)

    def backprop(d_logits: Floats2d) -> TokenArrays:
        return TokenArrays.join(model.ops, backprop_bilstm(backprop_head(d_logits)))

    return output, backprop


def torch_classifier(model: Model) -> TorchClassifier:
    """Return what is above the embedding as one differentiable function, without dropout.

    It computes in full precision what prediction does. Ask `torch.autograd.grad` for gradients with
    respect to the token vectors alone: those that training collects in the parameters then stay.

    Returns:
        A function of the vectors of all documents, concatenated, shape (N, width), and the number
        of tokens of each document, adding up to N. It returns logits, shape (n_docs, nO).
    """
    bilstm, head = torch_shims(model)

    def logits(vectors: Tensor, lengths: Sequence[int]) -> Tensor:
        return head.module(bilstm.module(vectors, lengths), lengths)[0]

    return logits
