"""Labels in strings: what spells a list and, in a CSV file, what spells a number or a boolean."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from .errors import RowProblem

Read = Callable[[Any], Any]

# A leading zero, as in "007", makes a name of a number.
_NUMBER = re.compile(r"([+-]?(?:0|[1-9][0-9]*))(\.0*)?|[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")
_PADDED = re.compile(r"[+-]?0[0-9]")
_BOOLEANS = dict.fromkeys(("true", "TRUE", "True"), True)
_BOOLEANS |= dict.fromkeys(("false", "FALSE", "False"), False)

_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_ITEM = r"(?:[+-]?[0-9]*\.?[0-9]+\.?(?:[eE][+-]?[0-9]+)?|True|False|true|false)"
_ITEMS = r"\s*{0}\s*(?:,\s*{0}\s*)*,?\s*"
_STRINGS, _NUMBERS = _ITEMS.format(_STRING), _ITEMS.format(_ITEM)
_LIST = re.compile(rf"\[(?:{_STRINGS}|{_NUMBERS}|\s*)\]|\({_STRINGS}\)|\{{{_STRINGS}\}}", re.DOTALL)
# NumPy writes no commas, ['a' 'b'], which Python would read as 'ab'; and there may be nulls.
_LOOKS_LIKE_ONE = re.compile(
    r"""[\[({]\s*['"].*[\])}]|\[[-+0-9.eE,\s]+\]|\[\s*(?:None|nan|null)\b.*\]""", re.DOTALL
)


def read_lists(column: str, labels: Collection[str] | None, separator: str | None) -> Read:
    """Make what turns a string that spells a list into that list.

    Args:
        column: The name of the column, for errors.
        labels: All labels, as the user gave them. They are no lists.
        separator: What stands between labels in a string; None if nothing does.

    Returns:
        A function that returns any other value as it is. It raises a RowProblem if a string looks
        like a list and cannot be read as one.
    """
    names = frozenset(labels or ())

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value in names:
            return value
        stripped = value.strip()
        if _LIST.fullmatch(stripped):
            return _parse_list(stripped)
        if _LOOKS_LIKE_ONE.fullmatch(stripped):
            raise RowProblem(
                column,
                f"holds {value!r:.80}, which looks like a list and cannot be read as one; write "
                """it as in Python or JSON, say ["a", "b"], or separate labels by another """
                "character and set 'label_separator'",
            )
        if separator is None or not value:
            return value
        return [name for part in value.split(separator) if (name := part.strip())]

    return read


def sort_out(strings: Iterable[str], read_list: Read) -> tuple[list[str], list[str]]:
    """Return the different names that strings spell, be it in lists, and those that are no lists.

    Strings that cannot be read are left out: their error comes with their row.
    """
    names: set[str] = set()
    alone = []
    for string in strings:
        with suppress(RowProblem):
            value = read_list(string)
            items = value if isinstance(value, list) else [value]
            names.update(item for item in items if isinstance(item, str) and item)
            if items is not value:
                alone.append(string)
    return sorted(names), alone


def read_column(strings: Collection[str] | None, labels: Sequence[str] | None) -> Read:
    """Decide what the strings of a CSV column stand for that holds one label in each row.

    The decision is one for the whole column. They are ids of the labels if all of them spell
    integers, and booleans if all of them spell these, unless a label is spelt like one of them.
    Without labels, booleans are names like any other, so that no part of a data set has other
    labels than the whole. Plain integers remain integers, for the encoder to refuse.

    Args:
        strings: The distinct strings of the column; None if it is streamed. Then each string is
            by itself what the labels allow: one of them, or else an id or a boolean.
        labels: All labels, as the user gave them.

    Returns:
        A function that turns a string into a value.
    """
    names = frozenset(labels or ())
    # Where some labels are numbers and others are not, "1" would be a label or the id of another.
    may_be_ids = all(map(is_integer, names)) or not any(map(_NUMBER.fullmatch, names))
    truths = sum(name.strip() in _BOOLEANS for name in names)
    may_be_booleans = bool(names) and truths in (0, len(names))

    def read(string: str) -> Any:
        value = value_of(string)
        allowed = may_be_booleans if isinstance(value, bool) else may_be_ids
        return value if allowed and string not in names else string

    kinds = {type(read(string)) for string in strings or ()}
    alike = strings is None or kinds <= {int, float} or kinds <= {bool}
    return read if alike else str


def value_of(string: str) -> Any:
    """Return the bool, the int or the float that a string spells, or else the string."""
    stripped = string.strip()
    if stripped in _BOOLEANS:
        return _BOOLEANS[stripped]
    # Python refuses to turn thousands of digits into an integer.
    number = _NUMBER.fullmatch(stripped) if len(stripped) < 100 else None
    if number is None or _PADDED.match(stripped):
        return string
    return int(number[1]) if number[1] else float(stripped)


def is_integer(name: str) -> bool:
    """Return whether a label is spelt like an integer, such as "3" or "03"."""
    return name.removeprefix("-").isdecimal()


def _parse_list(string: str) -> list[Any]:
    try:
        value = json.loads(string)
    except ValueError:
        value = ast.literal_eval(string)
    # A tuple of one string and no comma is a string.
    items = [value] if isinstance(value, str) else value
    items = sorted(items) if isinstance(items, set) else items
    # As Arrow has it, where lists are of one type: [0.5, 1] are probabilities, and 1 no class id.
    has_floats = any(isinstance(item, float) for item in items)
    return [float(item) if has_floats else item for item in items]
