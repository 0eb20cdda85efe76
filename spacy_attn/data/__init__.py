"""Hugging Face data sets as spaCy Examples."""

from .errors import DatasetError
from .reader import HFDataset

__all__ = ["DatasetError", "HFDataset"]
