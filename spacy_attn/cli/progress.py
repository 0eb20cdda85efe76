"""A bar that shows how far a command has come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm  # type: ignore[import-untyped]

Item = TypeVar("Item")


def progress(
    docs: Iterable[Item],
    *,
    name: str | None = None,
    total: int | None = None,
    printing: bool = False,
) -> Iterator[Item]:
    """Go through documents with a bar on the standard error, if that is a terminal.

    Args:
        name: Of what is worked on.
        total: The number of documents, where it is known.
        printing: Whether results are printed meanwhile, which a bar on the same terminal would
            garble.
    """
    # disable=None looks whether the standard error is a terminal; where it is closed, it is None.
    garbles = printing and sys.stdout.isatty()
    disable = True if garbles or sys.stderr is None else None
    return iter(tqdm(docs, desc=name, total=total, unit=" docs", disable=disable, leave=False))
