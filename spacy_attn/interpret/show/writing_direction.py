"""The order in which tokens of several scripts stand on a line, after the bidirectional algorithm.

It is what a browser does of itself, and Matplotlib does within a token only.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "ltr", "rtl"
_DIRECTIONS = {"L": LEFT_TO_RIGHT, "R": RIGHT_TO_LEFT, "AL": RIGHT_TO_LEFT}


def direction_of(text: str) -> str | None:
    """Return the direction of the first character of a text that has one, "ltr" or "rtl"."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((_DIRECTIONS[kind] for kind in kinds if kind in _DIRECTIONS), None)


def direction_of_texts(texts: Iterable[str]) -> str:
    """Return the direction of a document, as browsers find it."""
    return next(filter(None, map(direction_of, texts)), LEFT_TO_RIGHT)


def visual_order(texts: Sequence[str], direction: str) -> list[int]:
    """Return the numbers of the tokens of a line from left to right.

    Args:
        texts: The tokens, in the order in which they are read.
        direction: Of the document: "ltr" or "rtl".
    """
    order: list[int] = []
    for run_direction, run in groupby(enumerate(_resolve(texts, direction)), key=lambda p: p[1]):
        numbers = [number for number, _ in run]
        # A document from right to left is put together from its end, with each run as it is read.
        numbers = numbers if run_direction == LEFT_TO_RIGHT else numbers[::-1]
        order = [*order, *numbers] if direction == LEFT_TO_RIGHT else [*numbers, *order]
    return order


def _resolve(texts: Sequence[str], direction: str) -> list[str]:
    """Give tokens without a direction that of their neighbours, or else that of the document."""
    own = [direction_of(text) for text in texts]
    before, after = list(own), list(own)
    for i in range(len(own)):
        before[i] = own[i] or (before[i - 1] if i else direction)
        j = len(own) - 1 - i
        after[j] = own[j] or (after[j + 1] if i else direction)
    return [
        (one if one == other else direction) or direction
        for one, other in zip(before, after, strict=True)
    ]
