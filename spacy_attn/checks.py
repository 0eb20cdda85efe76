"""Checks of settings. A number that is not finite passes none of them."""

import math
from collections.abc import Collection


def check_choice(where: str, name: str, value: str, choices: Collection[str]) -> None:
    """Raise a ValueError that names a setting and its choices, if its value is none of them."""
    if value not in choices:
        raise ValueError(
            f"{where}: '{name}' must be one of {', '.join(choices)}, but is {value!r}."
        )


def check_positive(where: str, **values: int | None) -> None:
    """Raise a ValueError that names the setting that is below 1 or no whole number."""
    for name, value in values.items():
        if value is None:
            continue
        if not 1 <= value < math.inf:
            raise ValueError(f"{where}: '{name}' must be 1 or more, but is {value}.")
        if value % 1:
            raise ValueError(f"{where}: '{name}' must be a whole number, but is {value}.")


def check_not_negative(where: str, **values: float | None) -> None:
    """Raise a ValueError that names the setting below 0, infinite or not a number."""
    for name, value in values.items():
        if value is not None and not 0 <= value < math.inf:
            raise ValueError(f"{where}: '{name}' must be 0 or more, but is {value}.")


def check_above_zero(where: str, **values: float) -> None:
    """Raise a ValueError that names the setting that is not above 0, infinite or not a number."""
    for name, value in values.items():
        if not 0.0 < value < math.inf:
            raise ValueError(f"{where}: '{name}' must be a number above 0, but is {value}.")


def check_rate(where: str, **values: float | None) -> None:
    """Raise a ValueError that names the setting that is not from 0 to below 1."""
    for name, value in values.items():
        if value is not None and not 0.0 <= value < 1.0:
            raise ValueError(f"{where}: '{name}' must be at least 0 and below 1, but is {value}.")
