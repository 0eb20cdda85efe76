"""JSON: the wanted columns of objects, one on each line or in one array, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple, TextIO

from .decoding import OpenFile, open_text
from .errors import FileProblem

# Characters that are read, and objects of an array that are taken, at a time.
_CHUNK = 10 << 20
_OBJECTS = 10_000

# Objects, and where in the file each is: "line" or "entry", and a number.
_Objects = tuple[list[Any], str, Sequence[int]]


class Batch(NamedTuple):
    """The wanted values of some objects.

    Attributes:
        columns: The values of each wanted column, None where there is none.
        keys: The keys of the objects, in the order in which they come.
        unit: What the numbers count: "line" or "entry".
        numbers: Where in the file each object is.
    """

    columns: dict[str, list[Any]]
    keys: list[str]
    unit: str
    numbers: Sequence[int]


def read_json(
    open_file: OpenFile, name: str, wanted: Collection[str] | None, encoding: str | None
) -> Iterator[Batch]:
    """Read columns of a file, some megabytes at a time unless it is one array.

    Args:
        open_file: Opens the file.
        name: The name of the file, for errors.
        wanted: The columns to read. None reads those of each batch.
        encoding: By default UTF-8.

    Yields:
        The values.

    Raises:
        FileProblem: At a line that holds no object, and at bytes that are not text.
    """
    with open_text(open_file, name, encoding, newline="\n") as lines:
        for objects, unit, numbers in _objects(lines, name):
            for number, each in zip(numbers, objects, strict=True):
                if not isinstance(each, dict):
                    reason = f"it holds {each!r:.80} where an object is wanted"
                    raise FileProblem(name, f"{unit} {number}", reason)
            keys = list(dict.fromkeys(chain.from_iterable(objects)))
            names = keys if wanted is None else wanted
            columns = {column: [each.get(column) for each in objects] for column in names}
            yield Batch(columns, keys, unit, numbers)


def _objects(lines: TextIO, name: str) -> Iterator[_Objects]:
    """Go through the objects of a file in batches."""
    n_lines = 0
    while chunk := lines.readlines(_CHUNK):
        if not n_lines and "".join(chunk[:100]).lstrip().startswith("["):
            try:
                values = _parse("".join([*chunk, *lines]))
            except ValueError as error:
                raise FileProblem(name, None, f"it is not JSON ({error}); correct it") from None
            for start in range(0, len(values), _OBJECTS):
                objects = values[start : start + _OBJECTS]
                yield objects, "entry", range(start, start + len(objects))
            return
        filled = [(n_lines + i, line) for i, line in enumerate(chunk, 1) if line.strip()]
        n_lines += len(chunk)
        if filled:
            yield _parse_lines(filled, name), "line", [number for number, _ in filled]


def _parse_lines(lines: list[tuple[int, str]], name: str) -> list[Any]:
    """Parse all lines at once, which is faster, and look for the one at fault if that fails."""
    with suppress(ValueError):
        values = _parse(f"[{','.join(line for _, line in lines)}]")
        if len(values) == len(lines):
            return values
    values = []
    for number, line in lines:
        try:
            values.append(_parse(line))
        except ValueError as error:
            reason = f"it is not JSON ({error}); write one object on each line, or all in one array"
            raise FileProblem(name, number, reason) from None
    return values


def _parse(text: str) -> Any:
    value = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            raise ValueError(f"{half!r} is half of a surrogate pair and no character") from None
    return value
