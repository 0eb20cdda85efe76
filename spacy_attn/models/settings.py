"""Settings that weights were trained with, which a config may not contradict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import srsly
from thinc.api import Model, deserialize_attr, serialize_attr


class SettingError(ValueError):
    """Weights do not fit the config."""


@dataclass(frozen=True)
class Setting:
    """An attribute of a layer that is stored with its weights, and compared when they are loaded.

    Attributes:
        name: What the setting is called in the config.
        value: What the config says.
    """

    name: str
    value: Any


# Settings that are dimensions of layers: what they are called in the config, and how many times the
# setting the dimension is.
_DIMENSIONS = {
    ("bilstm_encoder", "nO"): ("hidden_width", 2),
    ("token_vectors", "nO"): ("width", 1),
    ("ngram_embedding", "nV"): ("ngram_rows", 1),
}
_LAYERS = {
    "word_embedding",
    "ngram_embedding",
    "projected_static_vectors",
    "token_vectors",
    "bilstm_encoder",
    "attention_head",
    "attention_decoder",
    "encoder_decoder",
}


@serialize_attr.register(Setting)
def _serialize(_: Any, setting: Setting, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(setting.value)


@deserialize_attr.register(Setting)
def _deserialize(setting: Setting, data: bytes, name: str, model: Model) -> Setting:
    check_setting(setting.name, setting.value, srsly.msgpack_loads(data))
    return setting


def check_setting(name: str, value: Any, stored: Any) -> None:
    """Raise a `SettingError` if weights were trained with another value than the config has."""
    if stored != value:
        raise SettingError(
            f"'{name}' is {value!r} in the config, but the weights were trained with {stored!r}. "
            f"Set '{name}' back to {stored!r}, or train again."
        )


def check_layers(model: Model, stored: Sequence[Mapping[str, Any]]) -> None:
    """Compare the layers that a config makes with those that were stored, before loading them.

    Args:
        stored: What Thinc stores of each layer, in the order of `model.walk()`.

    Raises:
        SettingError: If there are others, or some have other dimensions.
    """
    # Layers of other packages may be called otherwise in other versions.
    layers = list(model.walk())
    names, stored_names = [layer.name for layer in layers], [layer["name"] for layer in stored]
    known = [name if name in _LAYERS else None for name in names]
    if known != [name if name in _LAYERS else None for name in stored_names]:
        raise SettingError(
            f"The config makes the layers {names}, but the weights are those of {stored_names}. "
            f"Put 'tok2vec' and its settings back as they were, or train again."
        )
    for layer, info in zip(layers, stored, strict=True):
        for (name, dimension), (setting, factor) in _DIMENSIONS.items():
            if layer.name == name:
                own, size = layer.maybe_get_dim(dimension), info["dims"].get(dimension)
                if own is not None and size is not None:
                    check_setting(setting, own // factor, size // factor)
