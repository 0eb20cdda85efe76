"""Text files: reading that names the line at fault, writing that is all or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

#: How the names of files end that are not complete yet.
TEMPORARY = ".tmp"
_BYTE_ORDER_MARK = "\ufeff"
# How the byte order marks of UTF-16 read where they are not UTF-8.
_UTF16_MARKS = ("\udcff\udcfe", "\udcfe\udcff")


def read_lines(path: Path, newline: str | None = None) -> Iterator[tuple[int, str]]:
    """Go through the lines of a UTF-8 file, with or without a byte order mark.

    Args:
        path: The file.
        newline: As that of `open`.

    Yields:
        The number of a line, from 1, and the line.

    Raises:
        ValueError: Naming the file, the line and the encoding, if it is not UTF-8.
    """
    with path.open(encoding="utf-8", errors="surrogateescape", newline=newline) as file:
        yield from decoded(file, f"'{path}'", "UTF-8")


def decoded(lines: Iterable[str], name: str, encoding: str) -> Iterator[tuple[int, str]]:
    """Number lines that were decoded with `errors="surrogateescape"`, and check them.

    Raises:
        ValueError: As `read_lines`.
    """
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if "\0" in line or (number == 1 and line.startswith(_UTF16_MARKS)):
            raise ValueError(
                f"{name}, line {number} cannot be read as {encoding}: it looks like UTF-16. "
                f"Convert it, say with 'iconv -f UTF-16 -t UTF-8'."
            )
        try:
            line.encode("utf-8")
        except UnicodeEncodeError as error:
            wrong = line[error.start].encode("utf-8", "surrogateescape").hex()
            raise ValueError(
                f"{name}, line {number} cannot be read as {encoding}: it has the byte 0x{wrong}. "
                f"Convert it, say with 'iconv -f LATIN1 -t UTF-8'."
            ) from None
        yield number, line


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, which appears under its name only when it is complete.

    The folder is made if it is missing. The text goes to another file of it first. A file that has
    the name already is replaced, with its permissions. A device or a pipe is written to.
    """
    write_bytes(path, text.encode("utf8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as `write_text` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with complete_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Have a file appear under its name only when it is complete.

    A file that has the name already is replaced, with its permissions.

    Args:
        path: The name, in a folder that exists.

    Yields:
        Another name in the same folder, which the block writes to. If the block fails, no such file
        is left.
    """
    path = path.resolve()  # a link stays one
    temporary = path.with_name(f".{uuid4().hex}{TEMPORARY}")
    try:
        yield temporary
        # A file that is renamed before it is on the disk can be empty after a power failure.
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
