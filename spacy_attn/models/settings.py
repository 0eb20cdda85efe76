"""Settings of layers beside their weights: what a model file may not contradict."""

from dataclasses import dataclass
from typing import Any

import srsly
from thinc.api import Model, deserialize_attr, serialize_attr


@dataclass(frozen=True)
class Setting:
    """An attribute of a layer that its weights were trained with.

    It is stored with the weights. Loading weights that were trained with another value fails, so
    that a config does not say one thing and the model do another.

    name: What the setting is called in the config.
    """

    name: str
    value: Any


@serialize_attr.register(Setting)
def _serialize(_: Any, setting: Setting, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(setting.value)


@deserialize_attr.register(Setting)
def _deserialize(setting: Setting, data: bytes, name: str, model: Model) -> Setting:
    """RAISES: ValueError if another value was stored."""
    check_setting(setting.name, setting.value, srsly.msgpack_loads(data))
    return setting


def check_setting(name: str, value: Any, stored: Any) -> None:
    """RAISES: ValueError if weights were trained with another value than the config has."""
    if stored != value:
        raise ValueError(
            f"'{name}' is {value!r} in the config, but the weights were trained with {stored!r}. "
            f"Set '{name}' back to {stored!r}, or train again."
        )
