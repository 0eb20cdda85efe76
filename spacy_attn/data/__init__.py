"""Hugging Face data sets as spaCy Examples."""

from .errors import DatasetError
from .pair_reader import HFPairs
from .reader import HFDataset
from .token_reader import HFTokens

__all__ = ["DatasetError", "HFDataset", "HFPairs", "HFTokens"]
