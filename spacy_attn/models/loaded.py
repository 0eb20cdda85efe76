"""Whether weights that were loaded are numbers, and fit together."""

from typing import Any, cast

from thinc.api import Model

from .bilstm_attention import is_initialized
from .embeddings.words import is_word_embedding
from .finite import find_spoilt_weights
from .shim import TorchShim


def check_loaded(model: Model[Any, Any]) -> None:
    """Check the weights of a model that was loaded.

    The torch modules have compared their shapes and types themselves, before they took memory.

    Args:
        model: Of `spacy-attn.BiLSTMAttention.v1`.

    Raises:
        ValueError: If a weight is not in single precision or not finite, if an embedding has more
            or fewer rows than words, or if the layers do not fit one another.
    """
    for layer in model.walk():
        for name in layer.param_names:
            if layer.has_param(name):
                _check_parameter(layer, name)
    spoilt = find_spoilt_weights(model)
    if spoilt is not None:
        raise ValueError(f"the weights '{spoilt}' are not finite")
    if is_initialized(model):
        _check_widths(model)


def _check_parameter(layer: Model[Any, Any], name: str) -> None:
    values = layer.get_param(name)
    what = f"the weight '{name}' of '{layer.name}'"
    if values.dtype != "float32":
        raise ValueError(f"{what} must be of float32, but is of {values.dtype}")
    if is_word_embedding(layer):
        shape = (len(layer.attrs["vocabulary"]) + 1, layer.get_dim("nO"))
    elif layer.name == "ngram_embedding":
        shape = (layer.get_dim("nV"), layer.get_dim("nO"))
    else:
        return
    if values.shape != shape:
        raise ValueError(f"{what} must have the shape {shape}, but has {values.shape}")


def _check_widths(model: Model[Any, Any]) -> None:
    """Whether the modules have the widths that the layers around them have."""
    bilstm, head = model.get_ref("bilstm"), model.get_ref("output_layer")
    modules = {layer.name: cast(TorchShim, layer.shims[0]).module for layer in (bilstm, head)}
    for layer, name, width in (
        (bilstm, "input_width", bilstm.get_dim("nI")),
        (bilstm, "hidden_width", bilstm.get_dim("nO") // 2),
        (head, "width", head.get_dim("nI")),
        (head, "n_labels", model.get_dim("nO")),
    ):
        found = cast(dict[str, Any], modules[layer.name].sizes)[name]
        if found != width:
            raise ValueError(
                f"'{name}' of '{layer.name}' must be {width}, as in the layers around it, but is "
                f"{found}"
            )
