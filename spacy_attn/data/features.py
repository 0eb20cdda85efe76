"""What the types of a data set say about its labels, and what its label column holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets import Dataset

_BATCH = 10_000


def class_names(feature: Any) -> list[str] | None:
    """The names of the classes of a column of class ids, or of lists of class ids.

    Args:
        feature: The column's entry in `Dataset.features`; None if unknown.

    Returns:
        None if the column holds something else.
    """
    names = getattr(_element(feature), "names", None)
    return list(names) if names else None


def holds_vectors(feature: Any) -> bool:
    """Whether a column holds lists of booleans or of floats: one number for each label.

    Args:
        feature: The column's entry in `Dataset.features`; None if unknown.
    """
    element = _element(feature)
    dtype = str(getattr(element, "dtype", ""))
    return element is not feature and dtype.startswith(("bool", "float"))


def holds_integers(feature: Any) -> bool:
    """Whether a column holds integers or lists of them; class ids are integers.

    Args:
        feature: The column's entry in `Dataset.features`; None if unknown.
    """
    return "int" in str(getattr(_element(feature), "dtype", ""))


def field_names(feature: Any) -> list[str] | None:
    """The keys of a column of mappings, every row of which has the same keys.

    Args:
        feature: The column's entry in `Dataset.features`; None if unknown.

    Returns:
        None if the column holds something else.
    """
    return list(feature) if isinstance(feature, Mapping) else None


def _element(feature: Any) -> Any:
    """What a list holds; anything else is its own element. Lists are spelt in three ways."""
    if isinstance(feature, list):
        return feature[0]
    return getattr(feature, "feature", feature)


def find_labels(dataset: Dataset, column: str) -> list[str] | None:
    """Go through a column and collect the labels that it spells out.

    Args:
        dataset: The data set.
        column: The name of the column.

    Returns:
        The labels, sorted; None if the column holds something else than strings, integers, lists of
        these, or JSON values.
    """
    feature = dataset.features[column]
    dataset = dataset.select_columns([column])
    if type(feature).__name__ == "Json":
        values = (row for batch in dataset.iter(_BATCH) for row in batch[column])
        return sorted(_spelt_out(values))
    dtype = str(getattr(_element(feature), "dtype", ""))
    if dtype not in ("string", "large_string") and not holds_integers(feature):
        return None
    found: set[str] = set()
    for table in dataset.with_format("arrow").iter(_BATCH):
        found.update(_unique_values(table.column(column)))
    return sorted(found)


def _unique_values(values: Any) -> Iterator[str]:
    """Stay in Arrow for a column of one type, so that millions of rows take seconds."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    if pa.types.is_nested(values.type):
        values = pc.list_flatten(values)
    return (str(value) for value in pc.unique(values).to_pylist() if value not in (None, ""))


def _spelt_out(values: Iterable[Any]) -> set[str]:
    """The labels among JSON values, which may be of different kinds in different rows."""
    found: set[str] = set()
    for value in values:
        # The labels of a mapping are its keys.
        items = value if isinstance(value, (list, Mapping)) else [value]
        found.update(item for item in items if isinstance(item, str) and item)
    return found
