"""What the labels of a CSV file stand for, in which everything is spelt as a string."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .labels import Cats, Encoder, is_integer

Read = Callable[[str], Any]

# A leading zero, as in "007", makes a name of a number.
_NUMBER = re.compile(r"([+-]?(?:0|[1-9][0-9]*))(\.0*)?|[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")
_PADDED = re.compile(r"[+-]?0[0-9]")
_BOOLEANS = {
    spelling: value
    for value, name in ((True, "true"), (False, "false"))
    for spelling in (name, name.upper(), name.title())
}


class SpelledEncoder:
    """Labels out of columns of strings, some of which spell integers, booleans or probabilities.

    Args:
        encode: Reads the labels once the strings have become values.
        read: For each label column, what turns a string into a value.
    """

    def __init__(self, encode: Encoder, read: Mapping[str, Read]) -> None:
        self.encode = encode
        self.read = read

    def __call__(self, row: Mapping[str, Any]) -> Cats:
        """Read the labels of a row.

        Args:
            row: The row.

        Returns:
            The value of each label.

        Raises:
            RowProblem: As the encoder.
        """
        values = dict(row)
        for column, read in self.read.items():
            if row[column] is not None:
                values[column] = read(row[column])
        return self.encode(values)


def value_of(spelling: str) -> Any:
    """The number or the boolean that a string spells, or the string.

    Args:
        spelling: The string.

    Returns:
        A bool, an int, a float or a str.
    """
    stripped = spelling.strip()
    if stripped in _BOOLEANS:
        return _BOOLEANS[stripped]
    # Python refuses to turn thousands of digits into an integer.
    number = _NUMBER.fullmatch(stripped) if len(stripped) < 100 else None
    if number is None or _PADDED.match(stripped):
        return spelling
    return int(number[1]) if number[1] else float(stripped)


def as_written(spelling: str) -> str:
    """Every string is the name of a label."""
    return spelling


def read_column(spellings: Collection[str] | None, labels: Sequence[str] | None) -> Read:
    """Decide what the strings of a column stand for that holds one label in each row.

    The decision is one for the whole column. They are ids of the labels if all of them spell
    integers, and booleans if all of them spell these, unless a label is spelt like one of them.
    Without labels, booleans are names like any other, so that no part of a data set has other
    labels than the whole; plain integers remain integers, for the encoder to refuse.

    Args:
        spellings: The distinct strings of the column; None if it is streamed. Then each string is
            by itself what the labels allow: one of them, or else an id or a boolean.
        labels: All labels, as the user gave them.

    Returns:
        What turns a string into a value.
    """
    names = frozenset(labels or ())
    # Where some labels are numbers and others are not, "1" would be a label or the id of another.
    may_be_ids = all(map(is_integer, names)) or not any(map(_NUMBER.fullmatch, names))
    truths = sum(name.strip() in _BOOLEANS for name in names)
    may_be_booleans = bool(names) and truths in (0, len(names))

    def read(spelling: str) -> Any:
        value = value_of(spelling)
        allowed = may_be_booleans if isinstance(value, bool) else may_be_ids
        return value if allowed and spelling not in names else spelling

    if spellings is None:
        return read
    values = [read(spelling) for spelling in spellings]
    alike = all(map(_is_number, values)) or all(isinstance(value, bool) for value in values)
    return read if alike else as_written


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
