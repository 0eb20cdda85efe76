"""Data files as text of any encoding. Bytes that are no text are refused with their line."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from .errors import FileProblem

OpenFile = Callable[[], IO[bytes]]


@contextmanager
def open_text(
    open_file: OpenFile, name: str, encoding: str | None, newline: str
) -> Iterator[io.TextIOWrapper]:
    """Open a file as text. A byte order mark is no part of UTF-8 text.

    Args:
        open_file: Opens the file, a second time if the line at fault has to be found.
        name: The name of the file, for errors.
        encoding: Its encoding; None for UTF-8.
        newline: What ends a line, as for `open`.

    Raises:
        FileProblem: If the block meets bytes that are no text in the encoding.
    """
    is_utf8 = codecs.lookup(encoding or "utf-8").name == "utf-8"
    try:
        with open_file() as file:
            codec = "utf-8-sig" if is_utf8 else encoding
            yield io.TextIOWrapper(file, encoding=codec, newline=newline)
    except UnicodeError:
        raise _undecodable(open_file, name, encoding) from None


def _undecodable(open_file: OpenFile, name: str, encoding: str | None) -> FileProblem:
    """Find the line whose bytes are no text."""
    with open_file() as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return FileProblem(name, 1, 'it is not UTF-8; set encoding = "utf-16"')
    if encoding is None:
        with open_file() as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    return FileProblem(
                        name,
                        number,
                        f"it is not UTF-8 (byte 0x{error.object[error.start]:02x}); set 'encoding' "
                        'to the one it was written in, say "latin-1" or "cp1252"',
                    )
    reason = f"it is not text in the encoding '{encoding}'; set 'encoding' to the right one"
    return FileProblem(name, None, reason)
