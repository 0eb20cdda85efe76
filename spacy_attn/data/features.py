"""What the types of a data set's columns say about labels, and whether all files agree on that."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import DatasetError, listing

if TYPE_CHECKING:
    from datasets import Dataset, DatasetBuilder

_BATCH = 10_000


def class_names(feature: Any) -> list[str] | None:
    """Return the names of the classes of a column of class ids, or of lists of these; else None.

    The feature, here and below, is the column's entry in `Dataset.features`; None if unknown.
    """
    names = getattr(_element(feature), "names", None)
    return list(names) if names else None


def holds_vectors(feature: Any) -> bool:
    """Return whether a column holds lists of booleans or floats: one number for each label."""
    return _element(feature) is not feature and _dtype(feature).startswith(("bool", "float"))


def find_labels(dataset: Dataset, column: str) -> list[str]:
    """Go through a column and collect the labels that it names, sorted.

    There are some in a column of strings, integers, lists of these, or JSON values.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    feature = dataset.features[column]
    dataset = dataset.select_columns([column])
    found: set[str] = set()
    if type(feature).__name__ == "Json":
        for batch in dataset.iter(_BATCH):
            for value in batch[column]:
                # The labels of a mapping are its keys.
                items = value if isinstance(value, (list, Mapping)) else [value]
                found.update(item for item in items if isinstance(item, str) and item)
    elif _dtype(feature) in ("string", "large_string") or _holds_integers(feature):
        # In Arrow, millions of rows take seconds.
        for table in dataset.with_format("arrow").iter(_BATCH):
            values = table.column(column)
            if pa.types.is_nested(values.type):
                values = pc.list_flatten(values)
            unique = pc.unique(values).to_pylist()
            found.update(str(value) for value in unique if value not in (None, ""))
    return sorted(found)


def require_one_numbering(
    builder: DatasetBuilder, split: str, label_columns: Sequence[str], where: object
) -> None:
    """Refuse files that give class ids other names than those that would be used.

    Parquet and Arrow files written by `datasets` name their classes themselves. `datasets` takes
    the names of the first file of the first split, or those that the data set's card declares, for
    all files and splits: others would be read as the wrong class. The files of the split are
    opened, but no row is read.

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
    features = declared if declared else _features(first, builder.name)
    used = {name: class_names(features[name]) for name in label_columns if name in features}
    if "://" in first and (declared or not any(used.values())):
        return  # a remote data set of many files: its card is believed, and no file asked
    for part in split.split("+"):
        for file in splits.get(part.split("[")[0].strip(), ()):
            features = _features(file, builder.name)
            for column in (name for name in label_columns if name in features):
                own = class_names(features[column])
                unnamed = own is None and (declared or not _holds_integers(features[column]))
                if own != used.get(column) and not unnamed:
                    by = "the data set's card declares" if declared else f"'{_end_of(first)}' has"
                    raise DatasetError(
                        f"{where}: the files number the classes of column '{column}' differently: "
                        f"{by} {_told(used.get(column))}, and '{_end_of(file)}' has {_told(own)}. "
                        "Read them one by one, each as a 'path' of its own, or write them again "
                        "with the same names in the same order"
                    )


def _element(feature: Any) -> Any:
    """Return what a list holds; anything else is its own element."""
    if isinstance(feature, list):
        return feature[0]
    return getattr(feature, "feature", feature)


def _dtype(feature: Any) -> str:
    return str(getattr(_element(feature), "dtype", ""))


def _holds_integers(feature: Any) -> bool:
    """Return whether a column holds integers or lists of them; class ids are integers."""
    return "int" in _dtype(feature)


def _features(file: str, kind: str) -> Mapping[str, Any]:
    """Return what the schema of a file says about its columns, as `datasets` understands it."""
    import fsspec  # type: ignore[import-untyped]
    import pyarrow as pa
    import pyarrow.parquet as pq
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


def _end_of(file: str) -> str:
    return "/".join(file.split(os.sep)[-2:])


def _told(names: Sequence[str] | None) -> str:
    return "no names" if names is None else listing(names)
