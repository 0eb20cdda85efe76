"""Delimited text, such as CSV and TSV: every row has the fields of the header, or is refused."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any, NamedTuple

from .label_strings import value_of
from .errors import FileProblem

# Rows that are held in memory at a time.
_ROWS = 10_000
# The module `csv` wants a limit, and a quote that is never closed would take in a whole file.
_LONGEST_FIELD = 2**24
# Different labels that are remembered, to know a row when one is seen.
_REMEMBERED = 10_000
_DELIMITERS = (",", "\t", ";", "|")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_INTEGER = re.compile(r"[+-]?[0-9]+")
# A field as programs write it that contains quotes: enclosed, with each of them doubled.
_WRITTEN_QUOTES = re.compile(r'"(?:[^"]|"")*""(?:[^"]|"")*"')
# Of a label, these are never its own.
_ENCLOSED = re.compile(r'".+"')

Row = list[str]


@dataclass(frozen=True)
class Dialect:
    """How a file separates and encloses its fields; None leaves a setting to the file.

    Attributes:
        delimiter: What separates fields. By default a comma, in .tsv files a tab, or another usual
            one if it is with that one that the header has the wanted columns.
        quoting: "minimal" if double quotes enclose fields, "none" if they are text. By default they
            are text between tabs, and enclose fields otherwise.
        escape: A character that takes its meaning from the next one.
        encoding: By default UTF-8.
    """

    delimiter: str | None = None
    quoting: str | None = None
    escape: str | None = None
    encoding: str | None = None

    def complaint(self) -> str | None:
        """What is wrong with a setting, if anything is."""
        for name, value in (("delimiter", self.delimiter), ("escape", self.escape)):
            if value is not None and (len(value) != 1 or value in '\r\n"'):
                return f"'{name}' must be one character and no quote, but is {value!r}"
        if self.quoting not in (None, "minimal", "none"):
            return f"'quoting' must be \"minimal\", \"none\" or null, but is '{self.quoting}'"
        try:
            "".encode(self.encoding or "utf-8")
        except LookupError:
            return f"'encoding' is '{self.encoding}', which Python does not know"
        return None


class Wanted(NamedTuple):
    """The columns to read: all of them, and those that hold labels."""

    columns: Sequence[str]
    labels: Collection[str]


def read_delimited(
    open_file: Callable[[], IO[bytes]],
    name: str,
    wanted: Wanted,
    dialect: Dialect,
    default_delimiter: str = ",",
) -> Iterator[list[list[str]]]:
    """Read the wanted columns of a file, some thousand rows at a time.

    Args:
        open_file: Opens the file.
        name: The name of the file, for errors.
        wanted: The columns.
        dialect: How the file is written.
        default_delimiter: What separates the fields of such files unless the dialect says so.

    Yields:
        The values of each wanted column.

    Raises:
        FileProblem: If the header lacks a column; at a row that has not the fields of the header,
            at a quote that is not closed or seems to enclose rows, and at bytes that are not text.
    """
    try:
        with open_file() as file:
            lines = io.TextIOWrapper(file, encoding=codec(dialect.encoding), newline="")
            yield from _Table(name, lines, wanted, dialect, default_delimiter).batches()
    except UnicodeError:
        raise FileProblem(name, *undecodable(open_file, dialect.encoding)) from None


class _Table:
    """A file that is being read."""

    def __init__(
        self,
        name: str,
        lines: Iterator[str],
        wanted: Wanted,
        dialect: Dialect,
        default_delimiter: str,
    ) -> None:
        """Read the header, and settle by it what the dialect leaves open."""
        self.name = name
        self.lines = lines
        self.wanted = wanted
        self.by_default = dialect.quoting is None
        self.line, first = self._first_line()
        given = dialect.delimiter
        candidates = [given] if given else [default_delimiter, *_DELIMITERS]
        parsed = [_parse_header(first, dialect, delimiter) for delimiter in candidates]
        complete = [each for each in parsed if set(wanted.columns) <= set(each[1])]
        self.dialect, self.header = (complete or parsed)[0]
        self._require_columns()
        # R encloses the header in quotes wherever it writes row names by default.
        self.may_have_names = first.lstrip().startswith('"')
        self.row_names = False
        self.seen: dict[str, set[str]] = {column: set() for column in wanted.labels}

    def batches(self) -> Iterator[list[list[str]]]:
        """Go through the rows after the header."""
        reader = csv.reader(self.lines, **_format(self.dialect))
        first = True
        while rows := self._next_rows(reader):
            filled = [row for row in rows if not self._is_blank(row)]
            if first and self.may_have_names:
                self.row_names = _have_names(filled, len(self.header))
            self._check_widths(rows, filled)
            columns = [
                [row[position] for row in filled]
                for position in map(self._position, self.wanted.columns)
            ]
            self._check_quotes(rows, columns)
            self.line = self.next_line
            first = first and not filled
            if filled:
                yield columns

    def _problem(self, line: int, reason: str) -> FileProblem:
        return FileProblem(self.name, line, reason)

    def _first_line(self) -> tuple[int, str]:
        for number, line in enumerate(self.lines, 1):
            if "\0" in line:
                raise self._problem(
                    number, "it holds a null character; set 'encoding', probably to \"utf-16-le\""
                )
            if line.strip():
                return number, line
        raise FileProblem(self.name, None, "it is empty; its first line must name the columns")

    def _require_columns(self) -> None:
        if not self.header:
            raise self._problem(self.line, "the quotes in the header do not match; correct them")
        shown = ", ".join(repr(name) for name in self.header)
        for column in self.wanted.columns:
            if column not in self.header:
                raise self._problem(
                    self.line,
                    f"there is no column '{column}'; set 'text_column' and 'label_column' to some "
                    f"of {shown}, or 'delimiter' to what separates them",
                )
            if self.header.count(column) > 1:
                raise self._problem(
                    self.line, f"several columns are named '{column}' ({shown}); rename all but one"
                )

    def _position(self, column: str) -> int:
        return self.header.index(column) + self.row_names

    def _next_rows(self, reader: Any) -> list[Row]:
        """Take the next rows, blank lines among them, and note at which line they end."""
        rows: list[Row] = []
        before = reader.line_num
        try:
            with _long_fields():
                for row in islice(reader, _ROWS):
                    rows.append(row)
        except csv.Error as error:
            line = self.line + 1 + sum(map(_n_lines, rows))
            raise self._problem(line, f"{_meaning(error)}; {_QUOTES}") from None
        self.next_line = self.line + reader.line_num - before
        return rows

    def _numbered(self, rows: list[Row]) -> Iterator[tuple[int, Row]]:
        """The rows that are not blank, with their lines."""
        line = self.line + 1
        for row in rows:
            if not self._is_blank(row):
                yield line, row
            line += _n_lines(row)

    def _check_widths(self, rows: list[Row], filled: list[Row]) -> None:
        width = len(self.header) + self.row_names
        if all(len(row) == width for row in filled):
            self._check_row_names(rows, filled)
            return
        line, row = next((at, row) for at, row in self._numbered(rows) if len(row) != width)
        wanted = f"the header has {len(self.header)}"
        if self.row_names:
            wanted += " and the rows before have a row name besides"
        advice = f"enclose fields that contain {self.dialect.delimiter!r} in double quotes"
        if self.dialect.quoting == "none" and any('"' in value for value in row):
            advice = 'set quoting = "minimal" if double quotes enclose fields'
        raise self._problem(line, f"there are {len(row)} fields where {wanted}; {advice}")

    def _check_row_names(self, rows: list[Row], filled: list[Row]) -> None:
        if self.row_names and not all(_INTEGER.fullmatch(row[0]) for row in filled):
            line = next(at for at, row in self._numbered(rows) if not _INTEGER.fullmatch(row[0]))
            raise self._problem(
                line,
                f"there are {len(self.header) + 1} fields where the header has {len(self.header)}, "
                "and the first is no integer, as in the rows before",
            )

    def _check_quotes(self, rows: list[Row], columns: list[list[str]]) -> None:
        """Refuse what was written with other quotes than those it was read with."""
        if not self.by_default:
            return
        if self.dialect.quoting == "none":
            for column, values in zip(self.wanted.columns, columns, strict=True):
                if any(self._is_enclosed(column, value) for value in {*values}):
                    self._refuse_written_quotes(rows)
            return
        for column, values in zip(self.wanted.columns, columns, strict=True):
            if column in self.seen and len(self.seen[column]) < _REMEMBERED:
                self.seen[column].update(values)
        if self.next_line - self.line > len(rows):
            self._refuse_swallowed_rows(rows)

    def _is_enclosed(self, column: str, value: str) -> bool:
        """Whether quotes that were read as text must have been written to enclose a field."""
        written = _ENCLOSED if column in self.seen else _WRITTEN_QUOTES
        return value[:1] == '"' and written.fullmatch(value) is not None

    def _refuse_written_quotes(self, rows: list[Row]) -> None:
        for line, row in self._numbered(rows):
            for column in self.wanted.columns:
                value = row[self._position(column)]
                if self._is_enclosed(column, value):
                    raise self._problem(
                        line,
                        f"column '{column}' holds {value!r:.40}, as programs write a text with "
                        'quotes; set quoting = "minimal" to read it as that text, or "none" to '
                        "keep all quotes",
                    )

    def _refuse_swallowed_rows(self, rows: list[Row]) -> None:
        for line, row in self._numbered(rows):
            for i, value in enumerate(row):
                if _LINE_BREAK.search(value) and self._holds_rows(row, i):
                    raise self._problem(
                        line,
                        f"a field that begins with a quote takes in {len(_split(value)) - 1} lines "
                        'that look like rows; set quoting = "none" if double quotes are text, or '
                        '"minimal" if they enclose this field',
                    )

    def _is_blank(self, row: Row) -> bool:
        """Whether a row is a blank line. Of a single column, "" is an empty text."""
        return not row or (len(row) == 1 < len(self.header) and not row[0].strip())

    def _holds_rows(self, row: Row, i: int) -> bool:
        """Whether the lines of a field, and what stands around it, are rows by themselves.

        They are if each has as many fields as the header and a label that other rows have, or a
        number where other rows have numbers. Of a single column, every line would be a row.
        """
        if len(self.header) == 1:
            return False
        first, *others = [line.split(self.dialect.delimiter) for line in _split(row[i])]
        lines = [[*row[:i], *first], *others]
        lines[-1] = [*lines[-1], *row[i + 1 :]]
        width = len(self.header) + self.row_names
        return all(
            len(fields) == width
            and all(
                _is_like(fields[self._position(column)], labels - {""})
                for column, labels in self.seen.items()
            )
            for fields in lines
        )


_QUOTES = (
    'set quoting = "none" if double quotes are text; otherwise double each quote within a field, '
    "or set 'escape' if a character such as a backslash stands before it"
)


def _meaning(error: csv.Error) -> str:
    """What the module `csv` says, in words that help to find it."""
    if str(error) == "unexpected end of data":
        return "the quote that begins a field is never closed"
    if str(error).endswith("expected after '\"'"):
        return "text follows the quote that closes a field"
    return str(error)


def _parse_header(first: str, dialect: Dialect, delimiter: str) -> tuple[Dialect, Row]:
    """Read the header with a delimiter, and settle by it whether quotes enclose fields.

    Returns:
        The dialect, and the names of the columns; none if there is a quote in the wrong place.
    """
    fields = first.strip("\r\n").split(delimiter)
    enclosed = any(len(name) > 1 and name[0] == name[-1] == '"' for name in fields)
    quoting = dialect.quoting or ("none" if delimiter == "\t" and not enclosed else "minimal")
    settled = replace(dialect, delimiter=delimiter, quoting=quoting)
    try:
        return settled, next(csv.reader([first], **_format(settled)))
    except csv.Error:
        return settled, []


def _format(dialect: Dialect) -> dict[str, Any]:
    """The arguments of `csv.reader`."""
    quoting = csv.QUOTE_NONE if dialect.quoting == "none" else csv.QUOTE_MINIMAL
    return {
        "delimiter": dialect.delimiter,
        "quoting": quoting,
        "escapechar": dialect.escape,
        "strict": True,
    }


@contextmanager
def _long_fields() -> Iterator[None]:
    """Raise the limit of the module `csv`, which is one for the whole process, for a moment."""
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _is_like(label: str, others: Collection[str]) -> bool:
    """Whether a string is one of other labels, or a number among numbers."""
    return label in others or (_is_number(label) and any(map(_is_number, others)))


def _is_number(value: str) -> bool:
    return isinstance(value_of(value), int | float)


def _split(value: str) -> list[str]:
    return _LINE_BREAK.split(value)


def _n_lines(row: Row) -> int:
    return 1 + sum(len(_LINE_BREAK.findall(value)) for value in row)


def _have_names(rows: list[Row], width: int) -> bool:
    """Whether the rows begin with a row name that the header has no field for, as R writes them.

    Only integers that differ are taken for names: in files with text or with labels in the first
    column, a comma too many in each row gives rows of the same length.
    """
    names = {row[0] for row in rows if len(row) == width + 1 and _INTEGER.fullmatch(row[0])}
    return 0 < len(rows) == len(names)


def codec(encoding: str | None) -> str:
    """The codec of an encoding; that of UTF-8 passes over a byte order mark.

    Args:
        encoding: The encoding, by default UTF-8.
    """
    return "utf-8-sig" if codecs.lookup(encoding or "utf-8").name == "utf-8" else str(encoding)


def undecodable(open_file: Callable[[], IO[bytes]], encoding: str | None) -> tuple[int | None, str]:
    """Find the bytes of a file that are not text.

    Args:
        open_file: Opens the file.
        encoding: That which was tried; None for UTF-8.

    Returns:
        The line, and what is wrong with it and what to do.
    """
    with open_file() as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return 1, 'it is not UTF-8; set encoding = "utf-16"'
    if encoding is None:
        with open_file() as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    byte = f"0x{error.object[error.start]:02x}"
                    return number, (
                        f"it is not UTF-8 (byte {byte}); set 'encoding' to the one it was written "
                        'in, say "latin-1" or "cp1252"'
                    )
    return None, f"it is not text in the encoding '{encoding}'; set 'encoding' to the right one"
