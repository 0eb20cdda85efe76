"""Checks of settings that several modules make. A number that is not finite passes none of them."""

import math
from collections.abc import Collection


def check_choice(where: str, name: str, value: str, choices: Collection[str]) -> None:
    """RAISES: ValueError naming the setting and what it may be, if it is none of these."""
    if value not in choices:
        raise ValueError(
            f"{where}: '{name}' must be one of {', '.join(choices)}, but is {value!r}."
        )


def check_positive(where: str, **values: int | None) -> None:
    """RAISES: ValueError naming the setting that is below 1."""
    for name, value in values.items():
        if value is not None and not 1 <= value < math.inf:
            raise ValueError(f"{where}: '{name}' must be 1 or more, but is {value}.")


def check_not_negative(where: str, **values: float | None) -> None:
    """RAISES: ValueError naming the setting that is below 0, infinite or not a number."""
    for name, value in values.items():
        if value is not None and not 0 <= value < math.inf:
            raise ValueError(f"{where}: '{name}' must be 0 or more, but is {value}.")


def check_rate(where: str, **values: float | None) -> None:
    """RAISES: ValueError naming the setting that is not from 0 to below 1."""
    for name, value in values.items():
        if value is not None and not 0.0 <= value < 1.0:
            raise ValueError(f"{where}: '{name}' must be at least 0 and below 1, but is {value}.")
