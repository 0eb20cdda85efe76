"""The argument TEXT of commands: a text, texts of a file or data set, or the standard input."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..data.paths import FORMATS, extension
from ..text_files import decoded, read_lines
from .options import DEFAULTS, DataOptions, make_reader

_JSON_LINES = ".jsonl"
_OWN_SUFFIXES = (".txt", _JSON_LINES)
_SUFFIXES = (*_OWN_SUFFIXES, ".spacy", *FORMATS)


def read_texts(
    argument: str, nlp: Language, options: DataOptions = DEFAULTS
) -> Iterator[str | Doc]:
    """Go through the texts that an argument stands for. Empty lines are passed over.

    Args:
        nlp: Makes the documents of a data set.

    Raises:
        ValueError: For a folder, a file that is missing, a line that holds no text, or options of
            data for what is none.
    """
    if options.split is not None and argument != "-":
        yield from _documents(argument, nlp, options)
        return
    path = None if argument == "-" else _as_file(argument)
    if options.given and path is None:
        raise ValueError(
            f"--text-column and other options of data are given, but '{argument:.60}' is no file: "
            f"leave them out, or add --split if it is a data set on the hub."
        )
    if argument == "-":
        yield from _lines(_standard_input())
    elif path is None:
        yield _as_text(argument)
    elif path.suffix.lower() not in _OWN_SUFFIXES or options.given:
        yield from _documents(argument, nlp, options)
    elif path.suffix.lower() == _JSON_LINES:
        yield from _json_texts(path)
    else:
        yield from _lines(read_lines(path))


def _as_file(argument: str) -> Path | None:
    """The file that an argument names, if it does."""
    path = Path(argument)
    looks_like_one = extension(argument) in _SUFFIXES and not any(map(str.isspace, argument))
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError):  # A text can be longer than any path, or hold a null character.
        is_file = is_folder = False
    if is_folder and argument:
        raise ValueError(
            f"'{argument}' is a folder, not a text: name a file in it, or add --split if it is a "
            f"data set. If the word is meant, pass it in through '-'."
        )
    if looks_like_one and not is_file:
        raise ValueError(f"There is no file '{argument}'.")
    return path if is_file else None


def _as_text(argument: str) -> str:
    """A text from the command line, which the shell passes on in UTF-8 whatever the locale."""
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        raise ValueError(f"The text {argument!a:.60} is not UTF-8: pass it in a file.") from None


def _documents(data: str, nlp: Language, options: DataOptions) -> Iterator[Doc]:
    """The documents of a data set. Labels are read, and checked, only where options name them."""
    labelled = options.label_column is not None or options.labels is not None
    for example in make_reader(data, options, labelled=labelled)(nlp):
        yield example.predicted


def _standard_input() -> Iterator[tuple[int, str]]:
    if sys.stdin is None:
        raise ValueError("The standard input is closed: name a file, or pipe texts in.")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # decoded() says which line is wrong
    return decoded(sys.stdin, "the standard input", sys.stdin.encoding)


def _lines(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    for _, line in lines:
        if line.strip():
            yield line.rstrip("\n")


def _json_texts(path: Path) -> Iterator[str]:
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"'{path}', line {number} is not JSON: {error}.") from None
        text = row.get("text") if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise ValueError(f"'{path}', line {number} has no string under the key 'text'.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"'{path}', line {number} has {text[error.start]!a}, half a character, in its "
                f"text: write it again with what stood there."
            ) from None
        yield text
