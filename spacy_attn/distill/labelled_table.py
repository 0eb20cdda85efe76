"""A table of texts and probabilities as a teacher: what a language model has labelled, say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import pyarrow as pa
from numpy.typing import NDArray

from ..data.errors import DatasetError, listing
from ..data.reader import HFDataset
from ..data.source import Source, open_source
from ..pipeline.decisions import Decisions
from ..tables.formats import writing
from ..text_files import complete_file
from .soft_labels import SCORE
from .training_texts import TEXT

if TYPE_CHECKING:
    from ..tables.shards import Shard

#: How a teacher is written that is a table.
PREFIX = "table:"
_ROWS = 10_000


class LabelledTable:
    """Looks up in a table what it says of texts. They must be the same, character for character.

    Of a text in several rows, the mean counts. Rows without a text or a probability are passed
    over, and a warning says how many there are.

    Args:
        path: The table, of any format that `HFDataset` reads.
        exclusive: Whether labels exclude one another. Then the probabilities of a row sum to 1.
        text_column: The columns of the texts, which are joined.
        renamed: Other labels, by those of columns `score_LABEL` or by the names of columns. If any
            of these has another name than `score_LABEL`, only the columns named here count.
            Otherwise all columns `score_LABEL` do. What the table does not have is passed over.

    Raises:
        DatasetError: If the table cannot be opened, or has no column of probabilities.
    """

    #: As of an annotator: it counts no words.
    n_words = 0

    def __init__(
        self,
        path: str,
        *,
        exclusive: bool,
        text_column: Sequence[str] = ("text",),
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        source = Source(path)
        source.columns, source.all_columns = tuple(text_column), True
        names = [name for name in _column_names(source) if name not in text_column]
        columns = _label_columns(source, names, renamed or {})
        #: Names of columns and labels that `renamed` can replace.
        self.names = [*names, *(name.removeprefix(SCORE) for name in names if _is_score(name))]
        #: How labels follow from the probabilities.
        self.decisions = Decisions(tuple(columns.values()), exclusive)
        self._reader = HFDataset(
            path,
            text_column=list(text_column),
            label_column=list(columns),
            labels=list(self.labels),
            exclusive=exclusive,
            skip_missing=True,
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels."""
        return self.decisions.labels

    @cached_property
    def _rows(self) -> tuple[dict[str, int], NDArray[numpy.float64]]:
        """Numbers of texts, and their probabilities, shape (n_texts, n_labels)."""
        numbers: dict[str, int] = {}
        rows, values = [], []
        for text, cats in self._reader.read_texts():
            rows.append(numbers.setdefault(text, len(numbers)))
            values.append([cats.get(label, numpy.nan) for label in self.labels])
        said = numpy.array(values, dtype=float).reshape(-1, len(self.labels))
        total, count = numpy.zeros((2, len(numbers), len(self.labels)))
        numpy.add.at(total, rows, numpy.nan_to_num(said))
        numpy.add.at(count, rows, ~numpy.isnan(said))
        return numbers, numpy.divide(total, count, out=total * numpy.nan, where=count > 0)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return a table of texts with a column of probabilities for each label.

        Raises:
            DatasetError: At a row of the labelled table that cannot be used.
        """
        numbers, known = self._rows
        rows = numpy.array([numbers.get(text, -1) for text in table[TEXT].to_pylist()], dtype=int)
        scores = numpy.where((rows >= 0)[:, None], known[rows], numpy.nan)
        for label, column in zip(self.labels, scores.T, strict=True):
            table = table.append_column(SCORE + label, pa.array(column, from_pandas=True))
        return table

    def knows(self, texts: Iterable[str]) -> bool:
        """Return whether it says of each label of all texts how probable it is."""
        numbers, known = self._rows
        rows = [numbers.get(text, -1) for text in texts]
        return min(rows, default=0) >= 0 and not numpy.isnan(known[rows]).any()

    def label(self, shards: Sequence[Shard], folder: Path) -> list[Path]:
        """Write what is known of texts, in a Parquet file for each shard of them.

        Raises:
            DatasetError: As for a single table, and if none of the texts is in the labelled one.
        """
        folder.mkdir(exist_ok=True)
        files, n_known, first = [], 0, None
        for number, shard in enumerate(shards):
            files.append(folder / f"part-{number:05}.parquet")
            schema = self(shard.schema().empty_table()).schema
            with complete_file(files[-1]) as new, writing(new, ".parquet", schema) as write:
                for table in shard.batches(_ROWS):
                    found = self(table)
                    write(found)
                    texts = table[TEXT].to_pylist()
                    n_known += sum(text in self._rows[0] for text in texts)
                    first = texts[0] if first is None else first
        if not n_known:
            other = next(iter(self._rows[0]))
            raise DatasetError(
                f"{self._reader}: none of the texts to learn from is in this table. They must be "
                f"the same, character for character. The first to learn from is {first!r:.60}, "
                f"the first of the table {other!r:.60}. Give the table as --texts, too"
            )
        return files


def _column_names(source: Source) -> list[str]:
    return open_source(source)[0].column_names or []


def _is_score(column: str) -> bool:
    return column.startswith(SCORE)


def _label_columns(
    source: Source, names: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return the columns of probabilities, and their labels."""
    labels = {name: name.removeprefix(SCORE) if _is_score(name) else name for name in names}
    named = {name for name, label in labels.items() if name in renamed or label in renamed}
    scores = set(filter(_is_score, names))
    chosen = named if named - scores else scores
    if not chosen:
        raise DatasetError(
            f"{source}: there is no column of probabilities. Call them score_LABEL, or say of "
            f"which labels they are with --rename COLUMN=LABEL. The columns are {listing(names)}"
        )
    found: dict[str, str] = {}
    for name in filter(chosen.__contains__, names):
        label = renamed.get(name, renamed.get(labels[name], labels[name]))
        if other := next((each for each in found if found[each] == label), None):
            raise DatasetError(
                f"{source}: with --rename, the columns '{other}' and '{name}' both have the label "
                f"'{label}'. Give one of them another"
            )
        found[name] = label
    return found
