"""The rows of one split of a data set, pass after pass, for any reader.

A reader says which columns it wants, and how it turns a row into something of its own.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from .errors import DatasetError, MissingValue, RowProblem, explained, no_column
from .source import Opened, Source, open_source

Row = dict[str, Any]
Skipped = Counter[str]
Item = TypeVar("Item")

_WARNED: set[str] = set()
# Rows that are turned from Arrow into Python at a time.
_BATCH = 256


@dataclass(kw_only=True)
class Rows(Source):
    """Goes through the rows of a source, which is opened when it is needed first.

    A reader is a subclass. It sets the columns, and turns rows into something of its own.

    Args:
        shuffle_buffer: When streaming, draw each row at random out of that many; 0 keeps the order.
            Every pass has another order.
        seed: The seed of that order. The same seed gives the same sequence of orders.
        limit: Use the first rows only; 0 uses all.
        skip_missing: Pass over rows that lack a value. A warning at the end of a pass says how many
            there were.
    """

    shuffle_buffer: int = 0
    seed: int = 0
    limit: int = 0
    skip_missing: bool = False
    _passes: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.limit >= 0, "'limit' must be 0, for all rows, or more")
        buffer = self.shuffle_buffer
        self.require(buffer >= 0, "'shuffle_buffer' must be 0, for no shuffling, or more")
        self.require(
            not buffer or self.streaming,
            "'shuffle_buffer' is for streaming = true; otherwise spacy train itself shuffles",
        )

    @cached_property
    def opened(self) -> Opened:
        """The wanted columns of all rows, whatever the limit; and whether they are untyped.

        Raises:
            DatasetError: If the data set cannot be opened, lacks a column, or has no row.
        """
        dataset, untyped = open_source(self)
        with explained(self):
            if not self.streaming and not len(dataset):
                raise self._no_rows()
            # The columns of a stream may not be known before its first row.
            if dataset.column_names is not None:
                columns = self._require_columns(dataset.column_names)
                dataset = dataset.select_columns(columns)
        return dataset, untyped

    def read_rows(self, convert: Callable[[Row, Skipped], Item]) -> Iterator[Item]:
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
                        f"{self}, row {number} (counted from 0): {problem}"
                        f"{remedy if missing else ''}"
                    ) from None
                skipped[f"rows for want of a value in column '{problem.column}'"] += 1
                continue
            n_used += 1
            yield item
        summary = "; ".join(f"{n} {what}" for what, n in skipped.items())
        if skipped and not n_used:
            raise DatasetError(f"{self}: every row was skipped ({summary})")
        if not n_used:
            raise self._no_rows()
        if skipped:
            self.warn(f"skipped {summary}")

    def warn(self, remark: str) -> None:
        """Warn of the data set, once in a process.

        A training makes several readers of the same rows. Python forgets what it has shown whenever
        somebody sets a filter.
        """
        warning = f"{self}: {remark}."
        if warning not in _WARNED:
            _WARNED.add(warning)
            warnings.warn(warning, stacklevel=3)

    def _pass(self) -> Iterator[Row]:
        dataset, _ = self.opened
        if self.limit and not self.streaming:
            dataset = dataset.select(range(min(self.limit, len(dataset))))
        elif self.limit:
            dataset = dataset.take(self.limit)
        if self.shuffle_buffer:
            seed = self.seed + self._passes
            dataset = dataset.shuffle(seed=seed, buffer_size=self.shuffle_buffer)
        self._passes += 1
        with explained(self):
            for batch in dataset.iter(batch_size=_BATCH):
                self._require_columns(batch)
                for values in zip(*batch.values(), strict=True):
                    yield dict(zip(batch, values, strict=True))

    def _require_columns(self, names: Collection[str]) -> list[str]:
        """Return the columns that are read; raise a DatasetError if one is not there."""
        columns = self.columns_among(names)
        if missing := [column for column in columns if column not in names]:
            raise DatasetError(f"{self}: {no_column(missing[0], names)}")
        return columns

    def _no_rows(self) -> DatasetError:
        return DatasetError(f"{self}: there is no row in it; check 'split' and 'data_files'")
