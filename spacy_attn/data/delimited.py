"""Delimited text, such as CSV and TSV: every row has the fields of the header, or is refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress, islice
from typing import Any

from .decoding import OpenFile, open_text
from .errors import FileProblem, no_column
from .label_strings import value_of

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
_QUOTES = (
    'set quoting = "none" if double quotes are text; otherwise double each quote within a field, '
    "or set 'escape' if a character such as a backslash stands before it"
)

Row = list[str]


@dataclass(frozen=True)
class Dialect:
    """How a CSV file separates and encloses its fields; None leaves a setting to the file.

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
        """Return what is wrong with a setting, if anything is."""
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


@dataclass
class DelimitedFile:
    """Reads columns of a CSV file.

    Args:
        open_file: Opens the file.
        name: The name of the file, for errors.
        columns: The columns to read.
        label_columns: Those of them that hold labels.
        dialect: How the file is written.
        default_delimiter: What separates the fields of such files unless the dialect says so.
        all_columns: Whether to read all other columns, too.
    """

    open_file: OpenFile
    name: str
    columns: Sequence[str]
    label_columns: Collection[str]
    dialect: Dialect
    default_delimiter: str
    all_columns: bool = False

    def read_names(self) -> list[str]:
        """Return the names of the columns that will be read, in the order of the header.

        Raises:
            FileProblem: If the header cannot be used.
        """
        file = replace(self)
        with open_text(self.open_file, self.name, self.dialect.encoding, newline="") as lines:
            file._read_header(lines)
        return list(file.columns)

    def batches(self) -> Iterator[dict[str, list[str]]]:
        """Go through the values of each column, some thousand rows at a time.

        Raises:
            FileProblem: If the header lacks a column; at a row that has not the fields of the
                header, at a quote that is not closed or seems to enclose rows, and at bytes that
                are no text.
        """
        guesses_quoting = self.dialect.quoting is None
        # The labels met so far, by which rows are known.
        self.seen: dict[str, set[str]] = {column: set() for column in self.label_columns}
        with open_text(self.open_file, self.name, self.dialect.encoding, newline="") as lines:
            may_have_names = self._read_header(lines)
            reader = csv.reader(lines, **_format(self.dialect))
            while self._read_rows(reader):
                if not self.rows:
                    continue
                if may_have_names:
                    self.has_names = _have_names(self.rows, len(self.header))
                    may_have_names = False
                self._check_widths()
                positions = {column: self._position(column) for column in self.columns}
                values = {name: [row[at] for row in self.rows] for name, at in positions.items()}
                if guesses_quoting and self.dialect.quoting == "none":
                    self._refuse_written_quotes()
                elif guesses_quoting:
                    for column, labels in self.seen.items():
                        if len(labels) < _REMEMBERED:
                            labels.update(values[column])
                    if self.may_hold_rows:
                        self._refuse_swallowed_rows()
                yield values

    def _read_header(self, lines: Iterator[str]) -> bool:
        """Settle by the header what the dialect leaves open. Return whether rows may have names."""
        self.header_line, first = self._first_line(lines)
        delimiters = [self.dialect.delimiter or self.default_delimiter]
        if not self.dialect.delimiter:
            delimiters += _DELIMITERS
        parsed = [_parse_header(first, self.dialect, delimiter) for delimiter in delimiters]
        complete = [each for each in parsed if set(self.columns) <= set(each[1])]
        self.dialect, self.header = (complete or parsed)[0]
        self.has_names = False
        if self.all_columns:
            self.columns = list(dict.fromkeys([*self.header, *self.columns]))
        if complaint := self._complaint():
            raise FileProblem(self.name, self.header_line, complaint)
        # R encloses the header in quotes wherever it writes row names by default.
        return first.lstrip().startswith('"')

    def _first_line(self, lines: Iterator[str]) -> tuple[int, str]:
        for number, line in enumerate(lines, 1):
            if "\0" in line:
                reason = "it holds a null character; set 'encoding', probably to \"utf-16-le\""
                raise FileProblem(self.name, number, reason)
            if line.strip():
                return number, line
        raise FileProblem(self.name, None, "it is empty; its first line must name the columns")

    def _complaint(self) -> str | None:
        """Return what is wrong with the header, if anything is."""
        if not self.header:
            return "the quotes in the header do not match; correct them"
        for column in self.columns:
            if column not in self.header:
                return f"{no_column(column, self.header)}, or 'delimiter' to what separates them"
            if self.header.count(column) > 1:
                shown = ", ".join(map(repr, self.header))
                return f"several columns are named '{column}' ({shown}); rename all but one"
        return None

    def _position(self, column: str) -> int:
        return self.header.index(column) + self.has_names

    def _read_rows(self, reader: Any) -> bool:
        """Read the next rows, and the lines on which they begin, but for blank lines.

        The rows and their lines are kept apart: pairs would double the time.
        """
        rows: list[Row] = []
        lines: list[int] = []
        before = self.header_line + 1
        line = before + reader.line_num
        # The module `csv` has one limit for the whole process.
        limit = csv.field_size_limit(_LONGEST_FIELD)
        try:
            for row in islice(reader, _ROWS):
                rows.append(row)
                lines.append(line)
                line = before + reader.line_num
        except csv.Error as error:
            raise FileProblem(self.name, line, f"{_meaning(error)}; {_QUOTES}") from None
        finally:
            csv.field_size_limit(limit)
        # Of a single column, "" is an empty text.
        is_one = len(self.header) == 1
        filled = [row != [] and (len(row) > 1 or is_one or row[0].strip() != "") for row in rows]
        self.rows = list(compress(rows, filled))
        self.lines = list(compress(lines, filled))
        self.may_hold_rows = bool(rows) and line - lines[0] > len(rows)  # some take several lines
        return bool(rows)

    def _check_widths(self) -> None:
        if self.has_names and self.all_columns:
            reason = "the rows begin with a name that the header has no field for; name that column"
            raise FileProblem(self.name, self.header_line, reason)
        width = len(self.header) + self.has_names
        wanted = f"the header has {len(self.header)}"
        if self.has_names:
            wanted += " and the rows before have a row name besides"
        for line, row in zip(self.lines, self.rows, strict=True):
            if len(row) != width:
                advice = f"enclose fields that contain {self.dialect.delimiter!r} in double quotes"
                if self.dialect.quoting == "none" and any('"' in value for value in row):
                    advice = 'set quoting = "minimal" if double quotes enclose fields'
                reason = f"there are {len(row)} fields where {wanted}; {advice}"
                raise FileProblem(self.name, line, reason)
        for line, row in zip(self.lines, self.rows, strict=True) if self.has_names else ():
            if not _INTEGER.fullmatch(row[0]):
                raise FileProblem(
                    self.name,
                    line,
                    f"there are {width} fields where the header has {len(self.header)}, and the "
                    "first is no integer, as in the rows before",
                )

    def _refuse_written_quotes(self) -> None:
        """Refuse quotes that were read as text and must have been written to enclose a field."""
        checks = [
            (column, self._position(column), _ENCLOSED if column in self.seen else _WRITTEN_QUOTES)
            for column in self.columns
        ]
        for line, row in zip(self.lines, self.rows, strict=True):
            for column, position, written in checks:
                value = row[position]
                if value[:1] == '"' and written.fullmatch(value):
                    raise FileProblem(
                        self.name,
                        line,
                        f"column '{column}' holds {value!r:.40}, as programs write a text with "
                        'quotes; set quoting = "minimal" to read it as that text, or "none" to '
                        "keep all quotes",
                    )

    def _refuse_swallowed_rows(self) -> None:
        """Refuse a field that was read as enclosed by quotes and seems to hold rows."""
        for line, row in zip(self.lines, self.rows, strict=True):
            for i, value in enumerate(row):
                n_lines = len(_LINE_BREAK.findall(value))
                if n_lines and self._holds_rows(row, i):
                    raise FileProblem(
                        self.name,
                        line,
                        f"a field that begins with a quote takes in {n_lines} lines "
                        'that look like rows; set quoting = "none" if double quotes are text, or '
                        '"minimal" if they enclose this field',
                    )

    def _holds_rows(self, row: Row, i: int) -> bool:
        """Return whether the lines of a field, and what stands around it, are rows by themselves.

        Each must have as many fields as the header, and a label that other rows have or a number
        where other rows have numbers. Of a single column, every line would be a row.
        """
        if len(self.header) == 1:
            return False
        first, *others = [line.split(self.dialect.delimiter) for line in _LINE_BREAK.split(row[i])]
        lines = [[*row[:i], *first], *others]
        lines[-1] = [*lines[-1], *row[i + 1 :]]
        width = len(self.header) + self.has_names
        labels = [(self._position(column), seen - {""}) for column, seen in self.seen.items()]
        return all(
            len(fields) == width and all(_is_like(fields[at], known) for at, known in labels)
            for fields in lines
        )


def _meaning(error: csv.Error) -> str:
    """Say what the module `csv` says, in words that help to find it."""
    if str(error) == "unexpected end of data":
        return "the quote that begins a field is never closed"
    if str(error).endswith("expected after '\"'"):
        return "text follows the quote that closes a field"
    return str(error)


def _parse_header(first: str, dialect: Dialect, delimiter: str) -> tuple[Dialect, Row]:
    """Settle the dialect by the header, and read the names of the columns with it.

    There are none if there is a quote in the wrong place.
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
    """Return the arguments of `csv.reader`."""
    quoting = csv.QUOTE_NONE if dialect.quoting == "none" else csv.QUOTE_MINIMAL
    options = {"delimiter": dialect.delimiter, "escapechar": dialect.escape}
    return {**options, "quoting": quoting, "strict": True}


def _is_like(label: str, others: Collection[str]) -> bool:
    """Return whether a string is one of other labels, or a number among numbers."""
    return label in others or (_is_number(label) and any(map(_is_number, others)))


def _is_number(value: str) -> bool:
    return isinstance(value_of(value), int | float)


def _have_names(rows: list[Row], width: int) -> bool:
    """Return whether rows begin with a name that the header has no field for, as in R.

    Only integers that differ are taken for names. Elsewhere, a comma too many in each row gives
    rows of the same length.
    """
    names = {row[0] for row in rows if len(row) == width + 1 and _INTEGER.fullmatch(row[0])}
    return 0 < len(rows) == len(names)
