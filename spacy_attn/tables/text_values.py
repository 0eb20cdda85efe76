"""A pipeline applied to the values of a column, among which there may be some that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow

from ..data.errors import RowProblem
from ..data.row_texts import check_text
from ..results.explanation import shorten
from .failures import Failures
from .loaded import LoadedPipeline

# So many characters of a text are shown in an error.
_SHOWN_CHARACTERS = 51


def annotate_values(
    pipeline: LoadedPipeline, values: list[Any], name: str, batch_size: int, failures: Failures
) -> tuple[pyarrow.Table, int]:
    """Return the columns for some values, and the number of tokens of all texts.

    There is a row for each value. That of one that fails is null.

    Args:
        pipeline: The pipeline.
        values: The values, which should be texts.
        name: That of their column.
        batch_size: So many texts go through the pipeline at once.
        failures: Is told of each one that fails.

    Raises:
        RowError: At a failure, if `failures` says so.
    """
    for row, value in enumerate(values):
        if problem := _problem(value, name, pipeline.nlp.max_length):
            failures.add(row, problem)
    rows = [row for row in range(len(values)) if row not in failures.errors]
    tables, n_words = [pipeline.columns.schema.empty_table()], 0
    for start in range(0, len(rows), batch_size):
        for part, n in _apply(pipeline, values, rows[start : start + batch_size], failures):
            tables.append(part)
            n_words += n
    table = pyarrow.concat_tables(tables)
    if not failures.errors:
        return table, n_words
    places = iter(range(len(values)))
    taken = [None if row in failures.errors else next(places) for row in range(len(values))]
    return table.take(pyarrow.array(taken, pyarrow.int64())), n_words


def _problem(value: Any, name: str, max_length: int) -> str | None:
    """Say why a value is no text that the pipeline can take, if it is none."""
    try:
        text = check_text(value, name, "text_column")
    except RowProblem as problem:
        return f"{problem}."
    if len(text) <= max_length:
        return None
    return (
        f"column '{name}' has a text of {len(text)} characters, more than nlp.max_length = "
        f"{max_length}: cut it, or raise that and give the pipeline itself."
    )


def _apply(
    pipeline: LoadedPipeline, values: list[Any], rows: list[int], failures: Failures
) -> Iterator[tuple[pyarrow.Table, int]]:
    """Apply the pipeline to some rows; to smaller parts of them where that fails."""
    try:
        yield pipeline.apply([values[row] for row in rows])
    except Exception as error:
        if len(rows) == 1:
            text = shorten(values[rows[0]], _SHOWN_CHARACTERS)
            problem = f"the text {text!r} fails: {type(error).__name__}: {error}"
            failures.add(rows[0], problem, error)
            return
        middle = len(rows) // 2
        for part in (rows[:middle], rows[middle:]):
            yield from _apply(pipeline, values, part, failures)
