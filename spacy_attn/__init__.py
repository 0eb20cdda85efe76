"""Text classification for spaCy with a bidirectional LSTM and attention one can read."""

from .about import __version__

__all__ = ["__version__"]
