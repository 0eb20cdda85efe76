"""Figures as text, and tables of them in Markdown."""

from collections.abc import Iterable, Sequence

import pandas as pd

NONE = "-"


def number(value: float | None, digits: int, sign: str = "") -> str:
    return NONE if value is None or pd.isna(value) else f"{value:{sign},.{digits}f}"


def spread(values: Iterable[float], digits: int) -> str:
    """Write the mean and the standard deviation; the mean alone where there is but one."""
    found = pd.Series(values, dtype=float).dropna()
    if found.empty:
        return NONE
    mean = number(found.mean(), digits)
    return mean if len(found) == 1 else f"{mean} ± {number(found.std(), digits)}"


def median_and_range(values: Iterable[float], digits: int) -> str:
    found = pd.Series(values, dtype=float)
    middle, low, high = (number(x, digits) for x in (found.median(), found.min(), found.max()))
    return f"{middle} ({low} to {high})"


def markdown(rows: pd.DataFrame | Sequence[dict[str, str]]) -> str:
    """Make a table. Figures are text already: no reading them, which would drop zeros."""
    table = pd.DataFrame(rows)
    align = ["left", *["right"] * (len(table.columns) - 1)]
    return str(table.fillna(NONE).to_markdown(index=False, colalign=align, disable_numparse=True))
