"""Hugging Face data sets as spaCy Examples."""

from .errors import DatasetError
from .reader import HFDataset
from .token_reader import HFTokens

__all__ = ["DatasetError", "HFDataset", "HFTokens"]
