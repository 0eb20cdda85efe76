"""Between one array for each document and one for all of them."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any


def split(array: Any, lengths: Sequence[int]) -> list[Any]:
    """Views of an array's rows: so many for each document, shapes (length, ...)."""
    return [array[end - n : end] for end, n in zip(accumulate(lengths), lengths, strict=True)]
