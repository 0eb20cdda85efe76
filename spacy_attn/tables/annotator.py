"""`spacy_attn.Annotator`: a pipeline as a function from table to table, for any engine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import pyarrow
from spacy.language import Language

from ..checks import check_choice, check_positive
from ..data.errors import RowProblem, listing, no_column
from ..data.row_texts import check_text
from ..explanation import shorten
from .document_columns import Wanted
from .loaded import LoadedPipeline, load_once
from .model_source import find_source
from .table_kinds import add_columns, add_fields, column_names, read_column
from .workers import prepare_worker

Batch = TypeVar("Batch")
_Problems = dict[int, str]

_WHERE = "spacy_attn.Annotator"
_ON_ERROR = ("raise", "null")
# So many characters of a text are shown in an error.
_SHOWN_CHARACTERS = 51
_logger = logging.getLogger(__name__)


class RowError(ValueError):
    """A row of a table cannot be annotated.

    Attributes:
        row: Its number in the table that was given, counted from 0.
        problem: What is wrong with it.
    """

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(row, problem)
        self.row, self.problem = row, problem

    def __str__(self) -> str:
        """Return the message."""
        return f"Row {self.row} of this table (counted from 0): {self.problem}"


class Annotator:
    """Applies a pipeline to the texts of tables, and returns the tables with columns added.

    It can be given to whatever applies a function to parts of a table: `Dataset.map` of `datasets`,
    Ray Data, Spark or Dask. It is pickled as the name or folder of the pipeline. Each process loads
    the pipeline at the first table that it gets.

    Any pipeline that fills `doc.cats` will do, also one with spaCy's own text categorizers. The new
    columns are:

    - `label`, a string, where labels exclude one another; otherwise `labels`, a list of those whose
      score reaches the component's threshold. Of a component that is no text categorizer of spaCy
      the threshold is 0.5.
    - `score_LABEL` for each label, what `doc.cats` has, as a double.
    - `tokens`, the texts of the tokens.
    - `attention`, a float32 for each token.
    - `contributions`, for each label a list with a float32 for each token.

    A text without tokens has the scores that the pipeline gives it, and empty lists.

    Args:
        model: The name of an installed pipeline, its folder, or a pipeline that `spacy.load` has
            returned. The latter is taken as it is now, and is sent to other processes as bytes.
        text_column: The column of the texts.
        scores: Whether to add a column for the score of each label.
        attention: Whether to add the attention, which `attn_textcat` and `attn_textcat_multilabel`
            have.
        contributions: Whether to add what each token contributes to the logit of each label, which
            the same components know.
        tokens: Whether to add the tokens.
        component: Name of the component that the labels, the attention and the contributions are
            of. It is needed where several components of the pipeline classify texts. The scores are
            those of its labels.
        batch_size: So many texts go through the pipeline at once.
        n_threads: The number of threads that torch uses in a worker process, one that
            `multiprocessing`, Ray or Spark has started. A forked worker, such as those of
            `Dataset.map`, always keeps to one. In your own process, torch's threads stay as they
            are.
        on_error: What to do with a row that cannot be annotated, since its text is null or no
            string, is longer than `nlp.max_length`, or makes a component raise an error. "raise"
            ends with a `RowError`. "null" leaves the new columns of the row null.
        overwrite: Whether columns of the table may be replaced by new ones of the same name.

    Attributes:
        n_failed: In this process, the number of rows whose new columns were left null.
        n_words: In this process, the number of tokens of all texts that were annotated.

    Raises:
        OSError: If there is no such pipeline.
        TypeError: If `model` is none of these.
        ValueError: If a setting is out of its range.
    """

    def __init__(
        self,
        model: str | Path | Language,
        *,
        text_column: str = "text",
        scores: bool = True,
        attention: bool = False,
        contributions: bool = False,
        tokens: bool = False,
        component: str | None = None,
        batch_size: int = 1000,
        n_threads: int = 1,
        on_error: Literal["raise", "null"] = "raise",
        overwrite: bool = False,
    ) -> None:
        check_positive(_WHERE, batch_size=batch_size, n_threads=n_threads)
        check_choice(_WHERE, "on_error", on_error, _ON_ERROR)
        self._source = find_source(model)
        self._wanted = Wanted(scores, attention, contributions, tokens)
        self.text_column = text_column
        self.component = component
        self.batch_size = batch_size
        self.n_threads = n_threads
        self.on_error = on_error
        self.overwrite = overwrite
        self.n_failed = self.n_words = 0

    def __getstate__(self) -> dict[str, Any]:
        # The same before and after use: `datasets` finds its results by a hash of it.
        return {**self.__dict__, "n_failed": 0, "n_words": 0}

    def __repr__(self) -> str:
        """Show the pipeline and the column."""
        return f"Annotator({self._source}, text_column={self.text_column!r})"

    @property
    def digest(self) -> str:
        """A hash of all that the pipeline consists of."""
        return self._source.digest

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are decided on; the pipeline is loaded for it."""
        return self._load().columns.decisions.labels

    def schema(self, input_schema: pyarrow.Schema) -> pyarrow.Schema:
        """Return the schema of the table that comes of one with a given schema.

        It is known before any row is read. The pipeline is loaded for it.

        Args:
            input_schema: The schema of the table. It is returned with fields added.

        Raises:
            ValueError: If the column of the texts is missing, or if a column is there already.
        """
        columns = self._load().columns.schema
        self._check_columns(input_schema.names, columns.names)
        return add_fields(input_schema, columns)

    def __call__(self, batch: Batch) -> Batch:
        """Annotate a table.

        Args:
            batch: A mapping of columns to lists, a pandas DataFrame, a PyArrow table or record
                batch. It is not modified.

        Returns:
            A table of the same kind, with the same rows in the same order. Its columns are those
            given, unchanged, and the new ones.

        Raises:
            RowError: At a row that cannot be annotated, unless `on_error` is "null".
            TypeError: If the table is none of these.
            ValueError: If the column of the texts is missing, if a column is there already, or if
                the pipeline does not give what is wanted.
        """
        names = column_names(batch)
        loaded = self._load()
        self._check_columns(names, loaded.columns.schema.names)
        values = read_column(batch, self.text_column)
        with loaded.lock:
            columns, problems = self._annotate(loaded, values)
        self.n_failed += len(problems)
        if problems:
            row = min(problems)
            _logger.warning(
                "%d of %d rows could not be annotated, the first of them row %d: %s",
                *(len(problems), len(values), row, problems[row]),
            )
        return add_columns(batch, columns)

    def _load(self) -> LoadedPipeline:
        prepare_worker(self.n_threads)
        return load_once(self._source, self.component, self._wanted)

    def _check_columns(self, names: list[Any], added: list[str]) -> None:
        if names.count(self.text_column) != 1:
            problem = f"there are several columns '{self.text_column}'; rename all but one"
            if self.text_column not in names:
                problem = no_column(self.text_column, names)
            raise ValueError(f"{_WHERE}, 'text_column': {problem}.")
        taken = [name for name in names if name in added]
        if self.text_column in taken:
            raise ValueError(
                f"{_WHERE}: the column of the texts, '{self.text_column}', would be replaced by a "
                f"new one of that name: rename it."
            )
        if taken and not self.overwrite:
            raise ValueError(
                f"{_WHERE}: the table has columns with names of new ones already ({listing(taken)})"
                f": rename them, or set overwrite=True to have them replaced."
            )

    def _annotate(
        self, loaded: LoadedPipeline, values: list[Any]
    ) -> tuple[pyarrow.Table, _Problems]:
        """Return the new columns, a row for each value, and what is wrong with some rows."""
        problems: _Problems = {}
        for row, value in enumerate(values):
            if problem := self._problem(value, loaded.nlp.max_length):
                self._fail(problems, row, problem)
        rows = [row for row in range(len(values)) if row not in problems]
        tables = [loaded.columns.schema.empty_table()]
        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            tables.extend(self._apply(loaded, values, batch, problems))
        table = pyarrow.concat_tables(tables)
        if not problems:
            return table, problems
        numbers = iter(range(len(values)))
        places = [None if row in problems else next(numbers) for row in range(len(values))]
        return table.take(pyarrow.array(places, pyarrow.int64())), problems

    def _problem(self, value: Any, max_length: int) -> str | None:
        """Say why a value is no text that the pipeline can take, if it is none."""
        try:
            text = check_text(value, self.text_column, "text_column")
        except RowProblem as problem:
            return f"{problem}."
        if len(text) <= max_length:
            return None
        return (
            f"column '{self.text_column}' has a text of {len(text)} characters, more than "
            f"nlp.max_length = {max_length}: cut it, or raise that and give the pipeline itself."
        )

    def _apply(
        self, loaded: LoadedPipeline, values: list[Any], rows: list[int], problems: _Problems
    ) -> Iterator[pyarrow.Table]:
        """Apply the pipeline to some rows; to smaller parts of them where that fails."""
        try:
            columns, n_words = loaded.apply([values[row] for row in rows])
        except Exception as error:
            if len(rows) == 1:
                text = shorten(values[rows[0]], _SHOWN_CHARACTERS)
                problem = f"the text {text!r} fails: {type(error).__name__}: {error}"
                self._fail(problems, rows[0], problem, error)
                return
            middle = len(rows) // 2
            for part in (rows[:middle], rows[middle:]):
                yield from self._apply(loaded, values, part, problems)
            return
        self.n_words += n_words
        yield columns

    def _fail(
        self, problems: _Problems, row: int, problem: str, cause: Exception | None = None
    ) -> None:
        if self.on_error == "raise":
            raise RowError(row, problem) from cause
        problems[row] = problem
