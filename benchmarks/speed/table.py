"""Timings as tables."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

NONE = "-"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def thousands(values: Sequence[float]) -> str:
    """The median and the range of words a second, in thousands."""
    low, middle, high = (
        f"{value / 1000:.1f}" for value in (min(values), median(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> str:
    """The median and the range of the ratio, round by round."""
    values = [a / b for a, b in zip(numerators, denominators, strict=True)]
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def megabytes(value: float | None) -> str:
    return NONE if value is None else f"{value / 1e6:,.0f}"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown. Figures are text already: no reading them, which would drop zeros."""
    header = list(rows[0])
    align = ["left", *["right"] * (len(header) - 1)]
    cells = [list(row.values()) for row in rows]
    return tabulate(cells, header, tablefmt="pipe", colalign=align, disable_numparse=True)
