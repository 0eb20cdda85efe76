"""Whether all files of a data set number their classes alike."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import DatasetError, listing
from .features import class_names, holds_integers

if TYPE_CHECKING:
    from datasets import DatasetBuilder

    from .source import Source

# A file's class names for each label column; None where the column names no classes.
_Names = dict[str, list[str] | None]


def require_one_numbering(builder: DatasetBuilder, source: Source) -> None:
    """Refuse files that give the ids of their classes other names than those that would be used.

    Parquet and Arrow files written by `datasets` name their classes themselves. `datasets` takes
    the names of the first file of the first split, or those that the data set's card declares, for
    all files and splits: others would be read as the wrong class.

    Args:
        builder: What reads the files. They are opened, but no row is read.
        source: The data set. Only the files of the splits asked for are looked at.

    Raises:
        DatasetError: Naming both files and their class names.
    """
    if builder.name not in ("parquet", "arrow"):
        return
    splits = {str(name): list(files) for name, files in builder.config.data_files.items()}
    first = next((file for files in splits.values() for file in files), None)
    if first is None:
        return
    declared = builder.info.features or builder.config.features
    used = _names(declared if declared else _features(first, builder.name), source)
    if "://" in first and (declared or not any(used.values())):
        return  # a remote data set of many files: its card is believed, and no file asked
    told = "the data set's card declares" if declared else f"'{_short(first)}' has"
    for file in _wanted_files(splits, source.split):
        features = _features(file, builder.name)
        for column, own in _names(features, source).items():
            unnamed = own is None and (declared or not holds_integers(features[column]))
            if own != used.get(column) and not unnamed:
                raise DatasetError(
                    f"{source}: the files number the classes of column '{column}' differently: "
                    f"{told} {_told(used.get(column))}, and '{_short(file)}' has "
                    f"{_told(own)}; read them one by one, each as a 'path' of its own, or write "
                    "them again with the same names in the same order"
                )


def _wanted_files(splits: Mapping[str, Sequence[str]], spec: str) -> Iterator[str]:
    for part in spec.split("+"):
        yield from splits.get(part.split("[")[0].strip(), ())


def _names(features: Mapping[str, Any], source: Source) -> _Names:
    return {
        column: class_names(features[column])
        for column in source.label_columns
        if column in features
    }


def _features(file: str, kind: str) -> Mapping[str, Any]:
    """What the schema of a file says about its columns, as `datasets` understands it."""
    import fsspec  # type: ignore[import-untyped]
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]
    from datasets import Features

    with fsspec.open(file, "rb") if "://" in file else open(file, "rb") as opened:
        if kind == "parquet":
            return Features.from_arrow_schema(pq.read_schema(opened))
        try:
            schema = pa.ipc.open_stream(opened).schema
        except (OSError, pa.lib.ArrowInvalid):
            opened.seek(0)
            schema = pa.ipc.open_file(opened).schema
        return Features.from_arrow_schema(schema)


def _short(file: str) -> str:
    """The end of a path, which says enough."""
    return "/".join(file.split(os.sep)[-2:])


def _told(names: Sequence[str] | None) -> str:
    return "no names" if names is None else listing(names)
