"""A data set cut into shards: runs of rows, each of which one process can read on its own.

Nothing but names of files is in a shard, so that it can be sent to another process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..data.errors import DatasetError, FileProblem, explained, root_of
from ..data.paths import shown, state_of
from ..data.source import Source, local_files, open_source

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

# Bytes of each column of a Parquet file that are read at a time. Without it, a whole row group is.
_BUFFER = 1 << 20


@dataclass(frozen=True)
class ParquetShard:
    """Rows of a local Parquet file.

    Attributes:
        file: The file.
        start: The first row.
        stop: The row behind the last one. None if the file cannot even be opened.
        state: What tells whether the file has changed.
    """

    file: str
    start: int
    stop: int | None
    state: str

    @property
    def n_rows(self) -> int:
        """The number of rows, as far as it is known."""
        return 0 if self.stop is None else self.stop - self.start

    @property
    def identity(self) -> dict[str, Any]:
        """What is the same, written as JSON, only for the same rows."""
        return {"file": os.path.abspath(self.file), "rows": self.n_rows, **_range(self)}

    def __str__(self) -> str:
        return f"'{shown(self.file)}'" + ("" if self.stop is None else f", {_said(self)}")

    def schema(self) -> pa.Schema:
        """Return names and types of the columns.

        Raises:
            DatasetError: If the file cannot be read.
        """
        with explained(self), _open_file(self.file) as file:
            return file.schema_arrow

    def batches(self, size: int) -> Iterator[pa.Table]:
        """Read the rows, at most so many at a time.

        Raises:
            DatasetError: If the file cannot be read.
        """
        import pyarrow as pa

        with explained(self), _open_file(self.file) as file:
            end = file.metadata.num_rows if self.stop is None else self.stop
            at, groups = _groups(file.metadata, self.start, end)
            for batch in file.iter_batches(size, row_groups=groups, use_threads=False):
                start, stop = max(self.start - at, 0), min(end - at, len(batch))
                if start < stop:
                    yield pa.Table.from_batches([batch.slice(start, stop - start)])
                at += len(batch)


@dataclass(frozen=True)
class DatasetShard:
    """Rows of a data set that lies on the disk in Arrow's format.

    Attributes:
        dataset: The whole data set.
        name: How errors call it.
        start: The first row.
        stop: The row behind the last one.
    """

    dataset: Dataset
    name: str
    start: int
    stop: int

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self.stop - self.start

    @property
    def state(self) -> str:
        """What tells whether the data set has changed."""
        return str(self.dataset._fingerprint)

    @property
    def identity(self) -> dict[str, Any]:
        """What is the same, written as JSON, only for the same rows."""
        return {"rows": self.n_rows, **_range(self)}

    def __str__(self) -> str:
        return f"{self.name}, {_said(self)}"

    def schema(self) -> pa.Schema:
        """Return names and types of the columns."""
        return self.dataset.features.arrow_schema

    def batches(self, size: int) -> Iterator[pa.Table]:
        """Read the rows, at most so many at a time.

        Raises:
            DatasetError: If they cannot be read.
        """
        with explained(self):
            rows = self.dataset.select(range(self.start, self.stop)).with_format("arrow")
            yield from rows.iter(size)


@dataclass(frozen=True)
class BrokenShard:
    """A file of text that cannot be read.

    Attributes:
        file: The file.
        reason: What is wrong with it.
        state: What tells whether the file has changed.
    """

    file: str
    reason: str
    state: str
    start: int = 0
    n_rows: int = 0

    @property
    def identity(self) -> dict[str, Any]:
        """What is the same, written as JSON, only for the same file."""
        return {"file": os.path.abspath(self.file), "rows": 0, **_range(self)}

    def __str__(self) -> str:
        return f"'{shown(self.file)}'"

    def schema(self) -> pa.Schema:
        """Raise a `DatasetError`."""
        raise DatasetError(self.reason)

    def batches(self, size: int) -> Iterator[pa.Table]:
        """Raise a `DatasetError`."""
        raise DatasetError(self.reason)


Shard = ParquetShard | DatasetShard | BrokenShard


def cut(source: Source, rows_per_shard: int) -> list[Shard]:
    """Cut a split of a data set into shards, in the order of its rows.

    A Parquet file is read as it is. Anything else is converted to Arrow once, by `datasets`.

    Files of text that cannot be read come last.

    Args:
        source: The split.
        rows_per_shard: The largest number of rows of a shard, which is never of two Parquet files.

    Raises:
        DatasetError: If the data set cannot be opened, or has no row. A file among others that
            cannot be read becomes a shard of its own, which cannot be read.
    """
    source.require(
        not source.streaming,
        "'streaming' has no meaning here; leave it out: local Parquet files are read as rows are "
        "needed, other files are converted once, and a data set of the hub is downloaded",
    )
    kind, files = local_files(source) or ("", [])
    shards: list[Shard] = []
    if kind == "parquet":
        for file in files:
            shards += _cut_file(file, rows_per_shard)
    else:
        dataset, broken = _open(source, kind, files)
        for start, stop in _ranges(len(dataset), rows_per_shard):
            shards.append(DatasetShard(dataset, str(source), start, stop))
        shards += broken
    if not shards:
        raise DatasetError(f"{source}: there is no row in it; check 'split' and 'data_files'")
    return shards


def _open(source: Source, kind: str, files: list[str]) -> tuple[Dataset, list[BrokenShard]]:
    """Open a data set. Files of text that cannot be read are left out, if there are others."""
    broken: dict[str, BrokenShard] = {}
    tried = source
    while True:
        try:
            return open_source(tried)[0], list(broken.values())
        except DatasetError as error:
            root = root_of(error)
            name = root.name if isinstance(root, FileProblem) else None
            file = next((file for file in files if shown(file) == name), None)
            if file is None or len(broken) + 1 >= len(files):
                raise
            broken[file] = BrokenShard(file, str(error), state_of({"": [file]}))
            others = [file for file in files if file not in broken]
            tried = replace(source, path=kind, split="train", data_files=others)
            tried.columns, tried.all_columns = source.columns, True


def schema_of_any(shards: Sequence[Shard]) -> pa.Schema:
    """Return the schema of the first shard that can be read.

    Raises:
        DatasetError: If none can be; that of the first one.
    """
    for shard in shards:
        with suppress(DatasetError):
            return shard.schema()
    return shards[0].schema()


def require_one_schema(shards: Sequence[Shard]) -> None:
    """Refuse shards whose columns differ, which cannot become one table.

    Raises:
        DatasetError: Naming two shards, and the columns.
    """
    files = [shard for shard in shards if isinstance(shard, ParquetShard)]
    heads = [shard for shard in files if shard.start == 0 and shard.stop is not None]
    for shard in heads[1:]:
        one, other = heads[0].schema(), shard.schema()
        if one != other:
            columns = ", ".join(sorted(map(str, {*one} ^ {*other}))) or "their order"
            raise DatasetError(
                f"'{shown(shard.file)}' and '{shown(heads[0].file)}' have different columns "
                f"({columns}), which do not fit into one file; let the output be a folder"
            )


def _cut_file(file: str, rows_per_shard: int) -> Iterator[ParquetShard]:
    state = state_of({"": [file]})
    try:
        with _open_file(file) as opened:
            n_rows = opened.metadata.num_rows
    except Exception:  # which reading it will raise again
        yield ParquetShard(file, 0, None, state)
        return
    for start, stop in _ranges(n_rows, rows_per_shard):
        yield ParquetShard(file, start, stop, state)


def _ranges(n_rows: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n_rows, size):
        yield start, min(start + size, n_rows)


def _groups(metadata: Any, start: int, stop: int) -> tuple[int, list[int]]:
    """Return the first row of the first row group that holds wanted rows, and all such groups."""
    groups: list[int] = []
    first = at = 0
    for group in range(metadata.num_row_groups):
        end = at + metadata.row_group(group).num_rows
        if at < stop and end > start:
            first = first if groups else at
            groups.append(group)
        at = end
    return first, groups


def _open_file(file: str) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)


def _range(shard: Shard) -> dict[str, Any]:
    return {"start": shard.start, "state": shard.state}


def _said(shard: ParquetShard | DatasetShard) -> str:
    assert shard.stop is not None
    return f"rows {shard.start} to {shard.stop - 1} (counted from 0)"
