"""Between one array for each document and one for all of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar

Item = TypeVar("Item")


def split(array: Any, lengths: Sequence[int]) -> list[Any]:
    """Views of an array's rows: so many for each document, shapes (length, ...)."""
    return [array[end - n : end] for end, n in zip(accumulate(lengths), lengths, strict=True)]


def runs(
    items: Iterable[Item], max_tokens: int, length: Callable[[Any], int] = len
) -> Iterator[list[Item]]:
    """Cut documents, or what stands for them, into runs of at most so many tokens, in order.

    A longer document forms a run of its own.

    Args:
        length: The number of tokens of an item.
    """
    run: list[Item] = []
    size = 0
    for item in items:
        n_tokens = length(item)
        if run and size + n_tokens > max_tokens:
            yield run
            run, size = [], 0
        run.append(item)
        size += n_tokens
    if run:
        yield run
