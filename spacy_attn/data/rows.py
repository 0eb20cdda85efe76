"""The rows of one split of a data set, pass after pass, for any reader.

A reader says which columns it wants, and how it turns a row into something of its own.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Any, TypeVar

from .errors import DatasetError, MissingValue, RowProblem, explained, no_column
from .source import OpenedSource, Source, open_source

Row = dict[str, Any]
Skipped = Counter[str]
Item = TypeVar("Item")

_WARNED: set[str] = set()
# Rows that are turned from Arrow into Python at a time.
_BATCH = 256


class Rows:
    """Goes through the rows of a split, which is opened when it is needed first.

    Args:
        source: What to read.
        limit: Read the first rows only; 0 reads all.
        shuffle_buffer: When streaming, draw each row at random out of that many; 0 keeps the order.
        seed: For that order.
        skip_missing: Pass over rows without a value, and warn once how many there were.
    """

    def __init__(
        self, source: Source, *, limit: int, shuffle_buffer: int, seed: int, skip_missing: bool
    ) -> None:
        self.source = source
        self.limit = limit
        self.shuffle_buffer = shuffle_buffer
        self.seed = seed
        self.skip_missing = skip_missing
        self._passes = 0

    @cached_property
    def opened(self) -> OpenedSource:
        """The wanted columns of all rows, whatever the limit.

        Raises:
            DatasetError: If the data set cannot be opened, lacks a column, or has no row.
        """
        opened = open_source(self.source)
        dataset = opened.dataset
        with explained(self.source):
            if not self.source.streaming and not len(dataset):
                raise self._no_rows()
            # The columns of a stream may not be known before its first row.
            if dataset.column_names is not None:
                self._require_columns(dataset.column_names)
                dataset = dataset.select_columns(list(self.source.columns))
        return opened._replace(dataset=dataset)

    def read(self, convert: Callable[[Row, Skipped], Item]) -> Iterator[Item]:
        """Go through the rows once.

        Args:
            convert: Turns a row into an item. A RowProblem that it raises refuses the data set with
                the number of the row; a MissingValue may skip the row. It counts what else it
                leaves out.

        Yields:
            The item of each row that is not skipped.

        Raises:
            DatasetError: As `opened`, at a row that cannot be used, and if all rows are skipped.
        """
        skipped: Skipped = Counter()
        n_used = 0
        for number, row in enumerate(self._pass()):
            try:
                item = convert(row, skipped)
            except RowProblem as problem:
                missing = isinstance(problem, MissingValue)
                if not (self.skip_missing and missing):
                    remedy = "; correct the row, or set skip_missing = true to pass over such rows"
                    raise DatasetError(
                        f"{self.source}, row {number} (counted from 0): {problem}"
                        f"{remedy if missing else ''}"
                    ) from None
                skipped[f"rows for want of a value in column '{problem.column}'"] += 1
                continue
            n_used += 1
            yield item
        summary = "; ".join(f"{n} {what}" for what, n in skipped.items())
        if skipped and not n_used:
            raise DatasetError(f"{self.source}: every row was skipped ({summary})")
        if not n_used:
            raise self._no_rows()
        if skipped:
            self.warn(f"skipped {summary}")

    def warn(self, remark: str) -> None:
        """Warn of the data set, once in a process.

        A training makes several readers of the same rows. Python forgets what it has shown whenever
        somebody sets a filter.
        """
        warning = f"{self.source}: {remark}."
        if warning not in _WARNED:
            _WARNED.add(warning)
            warnings.warn(warning, stacklevel=3)

    def _pass(self) -> Iterator[Row]:
        dataset = self.opened.dataset
        if self.limit and not self.source.streaming:
            dataset = dataset.select(range(min(self.limit, len(dataset))))
        elif self.limit:
            dataset = dataset.take(self.limit)
        if self.shuffle_buffer:
            seed = self.seed + self._passes
            dataset = dataset.shuffle(seed=seed, buffer_size=self.shuffle_buffer)
        self._passes += 1
        with explained(self.source):
            for batch in dataset.iter(batch_size=_BATCH):
                self._require_columns(batch)
                for values in zip(*batch.values(), strict=True):
                    yield dict(zip(batch, values, strict=True))

    def _require_columns(self, columns: Collection[str]) -> None:
        if missing := [column for column in self.source.columns if column not in columns]:
            raise DatasetError(f"{self.source}: {no_column(missing[0], columns)}")

    def _no_rows(self) -> DatasetError:
        return DatasetError(f"{self.source}: there is no row in it; check 'split' and 'data_files'")
