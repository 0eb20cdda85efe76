"""Files of rows that are written as the rows come: Parquet, JSON lines and CSV."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, time
from decimal import Decimal
from itertools import islice, tee
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

# A row group of Parquet is held in memory until it is written.
_GROUP_ROWS = 10_000
_GROUP_BYTES = 32 << 20

Write = Callable[[pa.Table], None]


class OutputError(OSError):
    """A file cannot be written, and why."""


@contextmanager
def writing(path: Path, ending: str, schema: pa.Schema) -> Iterator[Write]:
    """Open a file to write tables to, one after the other.

    Args:
        path: The file.
        ending: ".parquet", ".jsonl" or ".csv".
        schema: Names and types of the columns.

    Yields:
        What writes a table.

    Raises:
        OutputError: If the disk is full, say, or the format has no such values.
    """
    with _explained():
        file = _FORMATS[ending](path, schema)
    try:
        yield file.write
        file.finish()
    except BaseException:
        with suppress(Exception):  # what went wrong first counts
            file.close()
        raise


def join(parts: Sequence[Path], target: Path, ending: str) -> None:
    """Join files of one schema in their order.

    Raises:
        OutputError: If the target cannot be written.
    """
    if ending == ".parquet":
        _join_parquet(parts, target)
        return
    header_size = _header_size(parts[0]) if ending == ".csv" else 0
    with _explained(), target.open("wb") as file:
        for i, part in enumerate(parts):
            with part.open("rb") as opened:
                opened.seek(header_size if i else 0)
                shutil.copyfileobj(opened, file, 1 << 20)


def _header_size(path: Path) -> int:
    """Return the number of bytes before the first row of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        read, kept = tee(file)  # a name may hold line breaks
        reader = csv.reader(read)
        next(reader)
        return sum(len(line.encode()) for line in islice(kept, reader.line_num))


def _join_parquet(parts: Sequence[Path], target: Path) -> None:
    with writing(target, ".parquet", pq.read_schema(parts[0])) as write:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for group in range(file.num_row_groups):
                    write(file.read_row_group(group, use_threads=False))


@contextmanager
def _explained() -> Iterator[None]:
    """Raise errors of one kind and of one line."""
    try:
        yield
    except OutputError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise OutputError(str(error).strip().splitlines()[0]) from error


class _Format:
    """A file that is open for writing."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        with _explained():
            self._write(table.cast(self.schema))

    def finish(self) -> None:
        """Write what is left."""
        with _explained():
            self.close()

    def _write(self, table: pa.Table) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class _Parquet(_Format):
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path, schema)
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(self._file, schema)
        self._tables: list[pa.Table] = []

    def _write(self, table: pa.Table) -> None:
        self._tables.append(table)
        rows, size = (sum(getattr(t, n) for t in self._tables) for n in ("num_rows", "nbytes"))
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        tables, self._tables = self._tables, []
        if tables:
            table = pa.concat_tables(tables)
            self._writer.write_table(table, row_group_size=max(1, len(table)))

    def finish(self) -> None:
        with _explained():
            self._write_group()
            self._writer.close()
            self._file.close()

    def close(self) -> None:
        """Close the file, which may be half written."""
        try:
            self._writer.close()
        finally:
            self._writer.is_open = False  # it would try again when it is deleted
            self._file.close()


class _JsonLines(_Format):
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path, schema)
        if len(set(schema.names)) < len(schema.names):
            raise OutputError("several columns have one name, which JSON has not; write Parquet")
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._spelt = [field.name for field in schema if _is_json(field.type)]

    def _write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            for name in self._spelt:
                row[name] = None if row[name] is None else json.loads(row[name])
            self._file.write(_dump(row) + "\n")

    def close(self) -> None:
        self._file.close()


class _Csv(_Format):
    """Lists and mappings are written as JSON, since CSV has none.

    The header is always written: without it, PyArrow 26 writes memory that nobody has set.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path, schema)
        for field in schema:
            if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
                raise OutputError(f"column '{field.name}' holds bytes, not text; write Parquet")
        flat = [
            pa.field(field.name, pa.string() if _is_text_in_csv(field.type) else field.type)
            for field in schema
        ]
        self._flat = pa.schema(flat)
        self._writer = pa_csv.CSVWriter(str(path), self._flat)

    def _write(self, table: pa.Table) -> None:
        columns = [_as_text(column) for column in table.columns]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._flat))

    def close(self) -> None:
        self._writer.close()


_FORMATS: dict[str, type[_Format]] = {".parquet": _Parquet, ".jsonl": _JsonLines, ".csv": _Csv}
#: What a file to write can end with.
ENDINGS = tuple(_FORMATS)


def _is_json(kind: pa.DataType) -> bool:
    return getattr(kind, "extension_name", None) == "arrow.json"


def _is_text_in_csv(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind) or _is_json(kind)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Spell out the values of a column that CSV has no form for."""
    if _is_json(column.type):
        return column.cast(pa.string())
    if not pa.types.is_nested(column.type):
        return column
    texts = [None if value is None else _dump(value) for value in column.to_pylist()]
    return pa.array(texts, pa.string())


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    """Write a value that JSON has no form for, or refuse it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise OutputError(
        f"JSON has no value of the type {type(value).__name__} ({value!r:.40}); write Parquet"
    )
