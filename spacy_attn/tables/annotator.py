"""`spacy_attn.Annotator`: a pipeline as a function from table to table, for any engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pyarrow
from spacy.language import Language

from ..checks import check_choice, check_positive
from ..data.errors import listing, no_column
from ..pipeline.decisions import Decisions
from .document_columns import Wanted
from .failures import Failures
from .loaded import LoadedPipeline, load_once
from .model_source import find_source
from .table_kinds import add_columns, add_fields, column_names, read_column
from .text_values import annotate_values
from .workers import prepare_worker

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

Batch = TypeVar("Batch")
_Function = Callable[[Iterable[Any]], Iterator[Any]]

_WHERE = "spacy_attn.Annotator"
_ON_ERROR = ("raise", "null")


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
        exclusive: Whether labels exclude one another, of a component that does not say it. spaCy's
            text categorizers and those of this package do.
        batch_size: So many texts go through the pipeline at once.
        n_threads: The number of threads that torch uses in a worker process, one that
            `multiprocessing`, Ray or Spark has started. A forked worker, such as those of
            `Dataset.map`, always keeps to one. In your own process, torch's threads stay as they
            are.
        on_error: What to do with a row that cannot be annotated, since its text is null or no
            string, is longer than `nlp.max_length`, or makes a component raise an error. "raise"
            ends with a `RowError`. "null" leaves the new columns of the row null.
        overwrite: Whether columns of the table may be replaced by new ones of the same name.
        prefix: What the names of the new columns begin with, such as `predicted_`, where the table
            has a column `label` already.

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
        exclusive: bool = False,
        batch_size: int = 1000,
        n_threads: int = 1,
        on_error: Literal["raise", "null"] = "raise",
        overwrite: bool = False,
        prefix: str = "",
    ) -> None:
        check_positive(_WHERE, batch_size=batch_size, n_threads=n_threads)
        check_choice(_WHERE, "on_error", on_error, _ON_ERROR)
        self._source = find_source(model)
        self._wanted = Wanted(scores, attention, contributions, tokens)
        self.text_column = text_column
        self.component = component
        self.exclusive = exclusive
        self.batch_size = batch_size
        self.n_threads = n_threads
        self.on_error = on_error
        self.overwrite = overwrite
        self.prefix = prefix
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
    def decisions(self) -> Decisions:
        """How labels follow from scores; the pipeline is loaded for it."""
        return self._load().columns.decisions

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are decided on; the pipeline is loaded for it."""
        return self.decisions.labels

    def schema(self, input_schema: pyarrow.Schema) -> pyarrow.Schema:
        """Return the schema of the table that comes of one with a given schema.

        It is known before any row is read. The pipeline is loaded for it.

        Args:
            input_schema: The schema of the table. It is returned with fields added.

        Raises:
            ValueError: If the column of the texts is missing, or if a column is there already.
        """
        columns = self._new_schema(self._load())
        self._check_columns(input_schema.names, columns.names)
        return add_fields(input_schema, columns)

    def for_spark(self, schema: StructType) -> tuple[_Function, StructType]:
        """Return what Spark's `mapInPandas` takes, and `mapInArrow` as well.

        Args:
            schema: The schema of the data frame that is to be annotated.

        Returns:
            A function that annotates tables one by one, and the schema of what comes of it.

        Raises:
            ValueError: As `schema`.
        """
        from pyspark.sql.pandas.types import from_arrow_schema
        from pyspark.sql.types import StructType

        columns = self._new_schema(self._load())
        self._check_columns(schema.names, columns.names)
        fields = {field.name: field for field in schema.fields}
        fields.update((field.name, field) for field in from_arrow_schema(columns).fields)
        return self._annotate_each, StructType(list(fields.values()))

    def _annotate_each(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        return map(self, batches)

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
        given = column_names(batch)
        loaded = self._load()
        names = self._new_schema(loaded).names
        self._check_columns(given, names)
        values = read_column(batch, self.text_column)
        failures = Failures(batch, self.text_column, self.on_error == "raise")
        with loaded.lock:
            columns, n_words = annotate_values(
                loaded, values, self.text_column, self.batch_size, failures
            )
            self.n_failed += len(failures.errors)
            self.n_words += n_words
        failures.warn(len(values))
        return add_columns(batch, columns.rename_columns(names))

    def _load(self) -> LoadedPipeline:
        prepare_worker(self.n_threads)
        return load_once(self._source, self.component, self._wanted, self.exclusive)

    def _new_schema(self, loaded: LoadedPipeline) -> pyarrow.Schema:
        """Return the names and types of the new columns."""
        return pyarrow.schema(
            [field.with_name(self.prefix + field.name) for field in loaded.columns.schema]
        )

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
                f": give the new ones a 'prefix', or set overwrite=True to have these replaced."
            )
