"""Text classification for spaCy with a bidirectional LSTM and attention one can read."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .about import __version__

if TYPE_CHECKING:
    from .explanations.render import render

__all__ = ["__version__", "render"]

# Where the public functions are: imported when first used, so that this module stays cheap.
_FUNCTIONS = {"render": ".explanations.render"}


def __getattr__(name: str) -> Any:
    if name not in _FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FUNCTIONS[name], __name__), name)
