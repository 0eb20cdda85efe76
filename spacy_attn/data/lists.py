"""Lists of labels that are spelt out in a string, as in a column of a CSV file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from .errors import RowProblem

_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_NUMBER = r"(?:[+-]?[0-9]*\.?[0-9]+\.?(?:[eE][+-]?[0-9]+)?|True|False|true|false)"
_ITEMS = r"\s*{0}\s*(?:,\s*{0}\s*)*,?\s*"
_STRINGS, _NUMBERS = _ITEMS.format(_STRING), _ITEMS.format(_NUMBER)
_LIST = re.compile(rf"\[(?:{_STRINGS}|{_NUMBERS}|\s*)\]|\({_STRINGS}\)|\{{{_STRINGS}\}}", re.DOTALL)
# NumPy writes no commas, ['a' 'b'], which Python would read as 'ab'; and there may be nulls.
_LOOKS_LIKE_ONE = re.compile(
    r"""[\[({]\s*['"].*[\])}]|\[[-+0-9.eE,\s]+\]|\[\s*(?:None|nan|null)\b.*\]""", re.DOTALL
)


def read_lists(
    column: str, labels: Collection[str] | None, separator: str | None
) -> Callable[[Any], Any]:
    """Make what turns a string that spells a list into that list.

    Args:
        column: The name of the column, for errors.
        labels: All labels, as the user gave them. They are no lists.
        separator: What stands between labels in a string; None if nothing does.

    Returns:
        Returns the list, or the value itself if it is none. Raises a RowProblem if it looks like a
        list and cannot be read as one.
    """
    names = frozenset(labels or ())

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value in names:
            return value
        stripped = value.strip()
        if _LIST.fullmatch(stripped):
            return _parse(stripped)
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


def read_items(read: Callable[[Any], Any], otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make what reads a list, or else another value.

    Args:
        read: What `read_lists` returned.
        otherwise: Reads what is no list.

    Returns:
        Both in one.
    """

    def read_either(value: Any) -> Any:
        items = read(value)
        return items if isinstance(items, list) else otherwise(items)

    return read_either


def names_in(spellings: Iterable[str], read: Callable[[Any], Any]) -> list[str]:
    """The names that strings spell, be it in lists.

    Args:
        spellings: The strings.
        read: What `read_lists` returned.

    Returns:
        The different names, sorted.
    """
    names: set[str] = set()
    for _, value in _readable(spellings, read):
        items = value if isinstance(value, list) else [value]
        names.update(item for item in items if isinstance(item, str) and item)
    return sorted(names)


def without_lists(spellings: Iterable[str] | None, read: Callable[[Any], Any]) -> list[str] | None:
    """The strings that spell no list.

    Args:
        spellings: The strings; None if they are not known.
        read: What `read_lists` returned.

    Returns:
        None if they are not known.
    """
    if spellings is None:
        return None
    return [each for each, value in _readable(spellings, read) if not isinstance(value, list)]


def _readable(spellings: Iterable[str], read: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    """Leave out what cannot be read: the error comes with the row."""
    for spelling in spellings:
        try:
            yield spelling, read(spelling)
        except RowProblem:
            continue


def _parse(spelling: str) -> list[Any]:
    try:
        value = json.loads(spelling)
    except ValueError:
        value = ast.literal_eval(spelling)
    items = (
        sorted(value) if isinstance(value, set) else [value] if isinstance(value, str) else value
    )
    # As Arrow has it, where lists are of one type: [0.5, 1] are probabilities, and 1 no class id.
    has_floats = any(isinstance(item, float) for item in items)
    return [float(item) if has_floats else item for item in items]
