"""The argument TEXT of commands: a text, a file of texts, or the standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

HELP = (
    "A text; a file of texts, .txt with one a line or .jsonl with the key 'text'; or '-' to read "
    "texts from the standard input, one a line"
)
_SUFFIXES = (".txt", ".jsonl")


def read_texts(argument: str) -> Iterator[str]:
    """Go through the texts that an argument stands for. Empty lines are passed over.

    RAISES: ValueError for a file that is missing or of another kind, or a line that holds no text.
    """
    if argument == "-":
        yield from _lines(sys.stdin)
    elif path := _as_file(argument):
        with path.open(encoding="utf-8-sig") as file:
            yield from _json_texts(path, file) if path.suffix == ".jsonl" else _lines(file)
    else:
        yield argument


def _as_file(argument: str) -> Path | None:
    """The file that an argument names, if it does."""
    path = Path(argument)
    looks_like_one = path.suffix in _SUFFIXES and not any(map(str.isspace, argument))
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # A text can be longer than any path, or hold a null character.
        is_file = False
    if looks_like_one and not is_file:
        raise ValueError(f"There is no file '{argument}'.")
    if is_file and path.suffix not in _SUFFIXES:
        raise ValueError(
            f"The file '{argument}' is neither .txt, with a text a line, nor .jsonl, with the key "
            f"'text': rename or convert it, or pipe its lines in with '-'."
        )
    return path if is_file else None


def _lines(file: Iterable[str]) -> Iterator[str]:
    for line in file:
        if line.strip():
            yield line.rstrip("\n")


def _json_texts(path: Path, file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"'{path}', line {number} is not JSON: {error}.") from None
        text = row.get("text") if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise ValueError(f"'{path}', line {number} has no string under the key 'text'.")
        yield text
