"""The kinds of table that an annotator takes: mappings of columns, pandas and PyArrow.

Of a table that is given, the texts are read and nothing else. What is returned shares the other
columns with it. So their types and values, the index of a data frame and the metadata of an Arrow
schema stay as they are. The table that is given is never modified.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy
import pyarrow

if TYPE_CHECKING:
    import pandas

Batch = TypeVar("Batch")
FLOATS = pyarrow.list_(pyarrow.float32())

_Arrow = pyarrow.Table | pyarrow.RecordBatch
_ArrowColumn = pyarrow.Array | pyarrow.ChunkedArray


def column_names(batch: Any) -> list[Any]:
    """Return the names of a table's columns.

    Raises:
        TypeError: If it is no table of a known kind.
    """
    if isinstance(batch, _Arrow):
        return list(batch.schema.names)
    if _is_pandas(batch):
        return list(batch.columns)
    if isinstance(batch, Mapping):
        return list(batch)
    raise TypeError(
        f"An annotator takes a mapping of columns to lists, a pandas DataFrame or a PyArrow table, "
        f"but not {type(batch).__name__}."
    )


def read_column(batch: Any, name: str) -> list[Any]:
    """Return the values of a column as Python objects, with None where one is missing.

    Raises:
        TypeError: If a mapping has a single value there.
    """
    if isinstance(batch, _Arrow):
        return cast("list[Any]", batch.column(name).to_pylist())
    column = batch[name]
    if _is_pandas(batch):
        pairs = zip(column.tolist(), column.isna().tolist(), strict=True)
        return [None if missing else value for value, missing in pairs]
    if isinstance(column, str) or not isinstance(column, Sequence | numpy.ndarray | _ArrowColumn):
        raise TypeError(
            f"Column '{name}' of a mapping must be a list with a value for each row, but is of "
            f"type {type(column).__name__}; with `datasets`, call map(..., batched=True)."
        )
    return column.tolist() if hasattr(column, "tolist") else list(column)


def read_row(batch: Any, row: int) -> dict[str, Any]:
    """Return the values of a row by column, and what the index of a data frame has for it."""
    if isinstance(batch, _Arrow):
        return cast("dict[str, Any]", batch.slice(row, 1).to_pylist()[0])
    if _is_pandas(batch):
        return {"index": batch.index[row], **batch[row : row + 1].to_dict("records")[0]}
    return {name: batch[name][row] for name in batch}


def add_columns(batch: Batch, columns: pyarrow.Table) -> Batch:
    """Return a table of the same kind with columns added; one of the same name is replaced.

    Args:
        batch: The table, which is not modified.
        columns: The columns, with as many rows.
    """
    if isinstance(batch, pyarrow.RecordBatch):
        table = _add_to_arrow(pyarrow.Table.from_batches([batch]), columns)
        whole = [column.combine_chunks() for column in table.columns]
        return cast(Batch, pyarrow.RecordBatch.from_arrays(whole, schema=table.schema))
    if isinstance(batch, pyarrow.Table):
        return cast(Batch, _add_to_arrow(batch, columns))
    if _is_pandas(batch):
        return cast(Batch, _add_to_pandas(cast("pandas.DataFrame", batch), columns))
    values = {name: _to_list(columns[name]) for name in columns.column_names}
    if not isinstance(batch, MutableMapping):
        return cast(Batch, {**cast("Mapping[str, Any]", batch), **values})
    # What `datasets` hands over makes Python objects of a column when it is read. A copy does not
    # read it, and `datasets` then keeps such a column as it is.
    copied = copy.copy(batch)
    copied.update(values)
    return cast(Batch, copied)


def add_fields(schema: pyarrow.Schema, columns: pyarrow.Schema) -> pyarrow.Schema:
    """Return the schema that `add_columns` gives, with the metadata of the first."""
    for field in columns:
        index = schema.get_field_index(field.name)
        schema = schema.append(field) if index < 0 else schema.set(index, field)
    return schema


def _add_to_arrow(table: pyarrow.Table, columns: pyarrow.Table) -> pyarrow.Table:
    for field, values in zip(columns.schema, columns.columns, strict=True):
        index = table.schema.get_field_index(field.name)
        if index < 0:
            table = table.append_column(field, values)
        else:
            table = table.set_column(index, field, values)
    return table


def _add_to_pandas(frame: pandas.DataFrame, columns: pyarrow.Table) -> pandas.DataFrame:
    import pandas

    added = columns.to_pandas()
    added.index = frame.index
    replaced = [name for name in added if name in frame.columns]
    if replaced:
        frame = frame.copy(deep=False)
        for name in replaced:
            frame[name] = added.pop(name)
    # Not one by one: there may be hundreds of labels.
    joined = pandas.concat([frame, added], axis="columns")
    joined.attrs = dict(frame.attrs)
    return joined


def _to_list(column: pyarrow.ChunkedArray) -> list[Any]:
    """Return the values of a column as Python has them, but numbers in lists as float32.

    `datasets` and Ray find the type of a column by its values. Python's numbers would be doubles.
    """
    if pyarrow.types.is_struct(column.type):
        rows = column.to_pandas()
        return [row and {name: list(values) for name, values in row.items()} for row in rows]
    if column.type == FLOATS:
        return [None if values is None else list(values) for values in column.to_pandas()]
    return cast("list[Any]", column.to_pylist())


def _is_pandas(batch: Any) -> bool:
    """Tell whether it is a data frame, without importing pandas."""
    return "pandas" in sys.modules and isinstance(batch, sys.modules["pandas"].DataFrame)
