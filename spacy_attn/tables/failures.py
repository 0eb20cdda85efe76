"""Rows of a table that cannot be annotated: the first is an error, or all are counted."""

from __future__ import annotations

import logging
from typing import Any

import numpy

from ..results.explanation import shorten
from .table_kinds import read_row

_logger = logging.getLogger(__name__)

# To find a row again, so many values of other columns are shown, of so many characters each.
_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 3, 40
_SHOWN_TYPES = str | int | float | numpy.number


class RowError(ValueError):
    """A row of a table cannot be annotated.

    Args:
        row: Its number in the table that was given, counted from 0.
        problem: What is wrong with it, a sentence.
        values: Values of its other columns, as they are shown.

    Attributes:
        row: Its number.
        problem: What is wrong with it.
    """

    def __init__(self, row: int, problem: str, values: str = "") -> None:
        # All of them, so that it can be pickled: workers send it back.
        super().__init__(row, problem, values)
        self.row, self.problem, self.values = row, problem, values

    def __str__(self) -> str:
        """Return the message."""
        return f"Row {self.row} of this table (counted from 0{self.values}): {self.problem}"


class Failures:
    """The rows of a table that have failed.

    Args:
        table: The table.
        text_column: Its column of texts.
        raise_first: Whether the first one is an error.

    Attributes:
        errors: What is wrong with rows, by their number.
    """

    def __init__(self, table: Any, text_column: str, raise_first: bool) -> None:
        self.errors: dict[int, RowError] = {}
        self._table = table
        self._text_column = text_column
        self._raise_first = raise_first

    def add(self, row: int, problem: str, cause: Exception | None = None) -> None:
        """Note that a row has failed.

        Raises:
            RowError: If that is an error.
        """
        if self._raise_first:
            raise RowError(row, problem, self._show(row)) from cause
        self.errors[row] = RowError(row, problem)

    def warn(self, n_rows: int) -> None:
        """Log how many rows have failed, with the first of them."""
        if self.errors:
            row = min(self.errors)
            error = RowError(row, self.errors[row].problem, self._show(row))
            _logger.warning(
                "%d of %d rows could not be annotated. %s", len(self.errors), n_rows, error
            )

    def _show(self, row: int) -> str:
        """Return what to say of other columns, such as "; id: 7"."""
        values = {
            name: value
            for name, value in read_row(self._table, row).items()
            if name != self._text_column and isinstance(value, _SHOWN_TYPES)
        }
        shown = list(values.items())[:_SHOWN_COLUMNS]
        return "".join(
            f"; {name}: {shorten(str(value), _SHOWN_CHARACTERS)}" for name, value in shown
        )
