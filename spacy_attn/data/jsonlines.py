"""JSON: the wanted columns of objects, one on each line or in one array, and nothing else."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import IO, Any, NamedTuple

from .delimited import codec, undecodable
from .errors import FileProblem

# Characters that are read, and objects of an array that are taken, at a time.
_CHUNK = 10 << 20
_OBJECTS = 10_000

Object = dict[str, Any]


class Batch(NamedTuple):
    """The wanted values of some objects.

    Attributes:
        columns: The values of each wanted column, None where there is none.
        keys: The keys of the objects, in the order in which they come.
        place: Tells where in the file an object is.
    """

    columns: dict[str, list[Any]]
    keys: list[str]
    place: Callable[[int], str]


def read_json(
    open_file: Callable[[], IO[bytes]], name: str, wanted: Collection[str], encoding: str | None
) -> Iterator[Batch]:
    """Read the wanted columns of a file, some megabytes at a time unless it is one array.

    Args:
        open_file: Opens the file.
        name: The name of the file, for errors.
        wanted: The columns.
        encoding: By default UTF-8.

    Yields:
        The values.

    Raises:
        FileProblem: At a line that holds no object, and at bytes that are not text.
    """
    try:
        with open_file() as file:
            lines = io.TextIOWrapper(file, encoding=codec(encoding), newline="\n")
            for objects, place in _objects(lines, name):
                for i, each in enumerate(objects):
                    if not isinstance(each, dict):
                        raise FileProblem(
                            name, place(i), f"it holds {each!r:.80} where an object is wanted"
                        )
                columns = {column: [each.get(column) for each in objects] for column in wanted}
                yield Batch(columns, list(dict.fromkeys(chain.from_iterable(objects))), place)
    except UnicodeDecodeError:
        raise FileProblem(name, *undecodable(open_file, encoding)) from None


def _objects(
    lines: io.TextIOWrapper, name: str
) -> Iterator[tuple[list[Object], Callable[[int], str]]]:
    """The objects of a file in batches, and what tells where in the file each is."""
    n_lines = 0
    while chunk := lines.readlines(_CHUNK):
        if not n_lines and "".join(chunk[:100]).lstrip().startswith("["):
            yield from _array("".join([*chunk, *lines]), name)
            return
        filled = [(n_lines + i, line) for i, line in enumerate(chunk, 1) if line.strip()]
        n_lines += len(chunk)
        if filled:
            numbers = [number for number, _ in filled]
            yield _parse_lines(filled, name), partial(_line, numbers)


def _line(numbers: Sequence[int], i: int) -> str:
    return f"line {numbers[i]}"


def _entry(start: int, i: int) -> str:
    return f"entry {start + i}"


def _array(text: str, name: str) -> Iterator[tuple[list[Object], Callable[[int], str]]]:
    try:
        values = _parse(text)
    except ValueError as error:
        raise FileProblem(name, None, f"it is not JSON ({error}); correct it") from None
    for start in range(0, len(values), _OBJECTS):
        yield values[start : start + _OBJECTS], partial(_entry, start)


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
            raise FileProblem(
                name,
                number,
                f"it is not JSON ({error}); write one object on each line, or all in one array",
            ) from None
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
