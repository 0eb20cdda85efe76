"""From the label column or columns of a row to `Doc.cats`.

An encoder maps a row to a value for each label: 1.0 or 0.0, a probability, or None where the data
say nothing about that label. It reads the kind of column off the values themselves, so that
streamed data, whose types may be unknown, are read in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import MissingValue, RowProblem, listing
from .features import class_names, find_labels, holds_vectors
from .label_strings import Read, is_integer, read_column, read_lists, sort_out, value_of

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

Cats = dict[str, float | None]

# A softmax in single precision may exceed 1 by rounding, and may sum to 1 only about so.
_ROUNDING = 1e-6
_SUM_ROUNDING = 1e-3
# How far off a probability of two digits is, half a unit of the second one, and the sum of many.
_DIGITS, _DIGITS_ROUNDING, _MOST_ROUNDING = 2, 0.005, 0.05


def _unchanged(value: Any) -> Any:
    return value


def make_encoder(
    dataset: Dataset | IterableDataset,
    label_column: str | Sequence[str],
    *,
    labels: Sequence[str] | None,
    exclusive: bool | None,
    separator: str | None,
    streaming: bool,
    untyped: bool,
) -> ColumnEncoder | ColumnsEncoder:
    """Make what reads the labels of the rows of a data set.

    The settings are those of `HFDataset_v1`; `untyped` says that all columns are strings only
    because a CSV file knows nothing else. Labels that nobody names are looked for in the column.

    Raises:
        RowProblem: If the labels leave out a class that the data set names.
    """
    features: Mapping[str, Any] = dataset.features or {}
    if not isinstance(label_column, str):
        class_columns = {name for name in label_column if class_names(features.get(name))}
        read_each = value_of if untyped else _unchanged
        return ColumnsEncoder(label_column, labels, class_columns, exclusive, read_each)
    feature = features.get(label_column)
    names = class_names(feature)
    # Every row of a column of mappings has the same keys.
    learned = list(feature) if isinstance(feature, Mapping) else None
    read = read_list = read_lists(label_column, labels or names, separator)
    alone = None
    if not (learned or names or streaming) and (untyped or not labels):
        learned, alone = sort_out(find_labels(dataset, label_column), read_list)
    if untyped:
        read_alone = read_column(alone, labels)

        def read(value: Any) -> Any:
            """Read an id or a boolean out of a string that spells no list."""
            items = read_list(value)
            return items if isinstance(items, list) else read_alone(items)

    return ColumnEncoder(
        label_column, labels, names, learned, exclusive, vectors=holds_vectors(feature), read=read
    )


@dataclass
class ColumnEncoder:
    """Reads the labels of a row out of one column.

    Args:
        column: The name of the column.
        labels: All labels, as the user gave them.
        class_names: The names of the features, if the column holds class ids.
        learned: The labels found in the column, if anybody looked.
        exclusive: Whether each row must have exactly one label.
        vectors: Whether the column holds one number for each label and not a list of labels.
        read: Turns a value that is not null into what it spells.
    """

    column: str
    labels: Sequence[str] | None = None
    class_names: Sequence[str] | None = None
    learned: Sequence[str] | None = None
    exclusive: bool | None = None
    vectors: bool = False
    read: Read = _unchanged
    inventory: Sequence[str] | None = field(init=False)

    def __post_init__(self) -> None:
        self.class_names = self._name_classes()
        self.inventory = self.labels or self.class_names or self.learned

    def __call__(self, row: Mapping[str, Any]) -> Cats:
        """Return the value of every label that is known.

        Raises:
            MissingValue: If the row has no label.
            RowProblem: If the value is not one that the column may hold.
        """
        value = row[self.column]
        if value is None:
            raise MissingValue(self.column, "is null where a label is wanted")
        value = self.read(value)
        if isinstance(value, Mapping):
            cats = self._from_mapping(value)
        elif isinstance(value, (list, tuple)):
            cats = self._from_list(value)
        elif isinstance(value, bool) and not self.labels:
            cats = {"False": float(not value), "True": float(value)}
        else:
            cats = self._from_names([self._name(value)], several=self.exclusive is False)
        return exclusive_values(self.column, cats) if self.exclusive else cats

    def _name_classes(self) -> Sequence[str] | None:
        """Return the names of class ids, of which the user may have others than the features."""
        names, labels = self.class_names, self.labels
        if names is None or labels is None or set(names) <= set(labels):
            return names
        nameless = list(names) == [str(i) for i in range(len(names))]
        if nameless and len(labels) == len(names):
            return labels
        # Taking labels by position would swap classes without a word wherever the order differs.
        raise RowProblem(
            self.column,
            f"has the classes {listing(names)}, and 'labels' must name all of them, in any order, "
            f"but is {listing(labels)}",
        )

    def _from_names(self, names: Collection[str], *, several: bool) -> Cats:
        """Return 1.0 for the labels of that name, and 0.0 for all the others.

        Where a row has one label, it alone will do if the others are not known: spaCy reads an
        absent label as 0.0. Where it may have several, spaCy reads an absent one as unknown.
        """
        known = self._all_labels() if several else self.inventory or ()
        cats: Cats = dict.fromkeys(known, 0.0)
        cats.update(dict.fromkeys(names, 1.0))
        return cats

    def _all_labels(self) -> Sequence[str]:
        if not self.inventory:
            raise RowProblem(
                self.column,
                "may hold several labels, and which there are is not known; give all in 'labels'",
            )
        return self.inventory

    def _from_mapping(self, value: Mapping[str, Any]) -> Cats:
        known = self._all_labels()
        if unknown := [name for name in value if name not in known]:
            raise RowProblem(self.column, self._unknown(unknown[0]))
        # A label that the mapping leaves out is as unknown as one whose probability is null.
        cats: Cats = dict.fromkeys(known, None)
        for name, number in value.items():
            cats[name] = _probability(self.column, name, number)
        return cats

    def _from_list(self, values: Sequence[Any]) -> Cats:
        if any(value is None for value in values):
            raise MissingValue(self.column, f"holds a null among its labels ({values!r:.80})")
        if self.vectors or (values and all(isinstance(value, (bool, float)) for value in values)):
            return self._from_vector(values)
        names = [self._name(value) for value in values]
        if values and self.class_names is None and all(isinstance(v, int) for v in values):
            self._refuse_indicators(values)
        return self._from_names(names, several=not self.exclusive)

    def _from_vector(self, values: Sequence[Any]) -> Cats:
        """Read one boolean or one probability for each of the labels, in their order."""
        if self.labels is None:
            raise RowProblem(
                self.column,
                f"holds one number for each label ({values!r:.80}); name them in 'labels', in "
                "that order",
            )
        if len(values) != len(self.labels):
            raise RowProblem(
                self.column,
                f"holds {len(values)} numbers for {len(self.labels)} labels; 'labels' must name "
                "each of them, in their order",
            )
        return {
            name: _probability(self.column, name, number)
            for name, number in zip(self.labels, values, strict=True)
        }

    def _refuse_indicators(self, values: Sequence[int]) -> None:
        """Refuse [0, 1, 0]: read as class ids, a vector of zeros and ones would be wrong unseen."""
        is_vector = len(values) == len(self.labels or ()) and {*values} <= {0, 1}
        if is_vector or len(set(values)) < len(values):
            raise RowProblem(
                self.column,
                f"holds {values!r:.80}, which may be class ids or a 0 or 1 for each label; turn "
                "it into booleans for the latter, or into names",
            )

    def _name(self, value: Any) -> str:
        if isinstance(value, bool):
            return self._name_of_boolean(value)
        if isinstance(value, int):
            return self._name_of_integer(value)
        if isinstance(value, float) and value.is_integer():
            # A column of class ids becomes one of floats in pandas if a row has none.
            return self._name_of_integer(int(value))
        if isinstance(value, str):
            return self._name_of_string(value)
        reason = f"holds {value!r:.80} of type {type(value).__name__}, which is not a label"
        if isinstance(value, float):
            reason += f'; for the probability of one label, write label_column = ["{self.column}"]'
        raise RowProblem(self.column, reason)

    def _name_of_boolean(self, value: bool) -> str:
        if self.labels is None or len(self.labels) != 2:
            reason = "holds booleans; name false and true, in this order, in 'labels'"
            raise RowProblem(self.column, reason)
        spelled = {name.lower(): name for name in self.labels}
        if spelled.keys() == {"false", "true"}:
            # Labels that are booleans themselves name those they spell, in whatever order.
            return spelled[str(value).lower()]
        return self.labels[int(value)]

    def _name_of_integer(self, value: int) -> str:
        names = self.class_names or self.labels
        if names is None:
            raise RowProblem(self.column, self._how_to_name_integers(value))
        if self.class_names is not None and value == -1:
            raise MissingValue(self.column, "has the class id -1, which stands for no label")
        if self.class_names is None and all(is_integer(name) for name in names):
            # Labels that are numbers themselves ("1" to "5" stars) name the integers they spell.
            return self._name_of_string(str(value))
        if not 0 <= value < len(names):
            raise RowProblem(
                self.column,
                f"has the class id {value}, but the labels have the ids 0 to {len(names) - 1} "
                f"({listing(names)}); correct the row or give all labels in 'labels'",
            )
        return names[value]

    def _how_to_name_integers(self, value: int) -> str:
        found = sorted({int(name) for name in self.learned or () if is_integer(name)}) or [value]
        spelled = [str(number) for number in found]
        if len(spelled) > 12:
            spelled[2:-1] = ["..."]
        setting = ", ".join(name if name == "..." else f'"{name}"' for name in spelled)
        return (
            f"holds plain integers ({', '.join(spelled)}); if they are the labels themselves, set "
            f"labels = [{setting}]; if they are the ids of classes, name the classes in 'labels', "
            "in the order of the ids from 0"
        )

    def _name_of_string(self, value: str) -> str:
        if value == "":
            raise MissingValue(self.column, "is an empty string where a label is wanted")
        if self.inventory is not None and value not in self.inventory:
            raise RowProblem(self.column, self._unknown(value))
        return value

    def _unknown(self, value: str) -> str:
        known = listing(self.inventory or ())
        return (
            f"has the label '{value}', which is none of {known}; correct the row or add it to "
            "'labels'"
        )


@dataclass
class ColumnsEncoder:
    """Reads labels out of several columns, each of which is one label.

    Args:
        columns: The names of the columns. They hold booleans, 0 and 1, or probabilities.
        labels: The names of their labels, if they differ, in the same order.
        class_columns: Those of the columns in which -1 stands for no label.
        exclusive: Whether the values of each row must sum to 1.
        read: Turns a value that is not null into what it spells.
    """

    columns: Sequence[str]
    labels: Sequence[str] | None = None
    class_columns: Collection[str] = ()
    exclusive: bool | None = None
    read: Read = _unchanged

    @property
    def inventory(self) -> Sequence[str]:
        """All labels."""
        return self.labels or self.columns

    def __call__(self, row: Mapping[str, Any]) -> Cats:
        """Return the value of each label, None where its column is null.

        Raises:
            RowProblem: If a value is not one that a column may hold.
        """
        cats: Cats = {}
        for column, label in zip(self.columns, self.inventory, strict=True):
            value = row[column]
            if value is not None:
                value = self.read(value)
            if value == -1 and column in self.class_columns:
                value = None
            cats[label] = _probability(column, label, value)
        if not self.exclusive:
            return cats
        pairs = zip(self.columns, cats.values(), strict=True)
        unknown = (column for column, value in pairs if value is None)
        return exclusive_values(next(unknown, self.columns[0]), cats)


@dataclass
class GoldFirst:
    """Reads the gold label of a row that has one, and another kind of labels of other rows.

    Args:
        gold: Reads the column of gold labels.
        other: Reads the others.
    """

    gold: ColumnEncoder
    other: ColumnEncoder | ColumnsEncoder

    def __call__(self, row: Mapping[str, Any]) -> Cats:
        """Return the value of each label.

        Raises:
            RowProblem: As the encoder that reads the row.
        """
        try:
            return self.gold(row)
        except MissingValue:
            return self.other(row)


Encoder = ColumnEncoder | ColumnsEncoder | GoldFirst


def _probability(column: str, label: str, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (bool, int, float)) or not -_ROUNDING <= value <= 1 + _ROUNDING:
        raise RowProblem(
            column,
            f"has {value!r:.80} for the label '{label}', where a boolean, 0, 1 or a probability "
            "between them is wanted, or null for none",
        )
    return min(max(float(value), 0.0), 1.0)


def exclusive_values(column: str, cats: Cats) -> Cats:
    """Return the values of labels that exclude one another.

    Probabilities that were rounded to two digits, as in a table of what a language model has said,
    need not sum to 1. They are divided by their sum.

    Raises:
        MissingValue: If a value is unknown, or there is no label.
        RowProblem: If they do not sum to 1, and not for that reason.
    """
    known = {label: value for label, value in cats.items() if value is not None}
    if len(known) == len(cats) and _are_off_by_rounding(known.values()):
        total = sum(known.values())
        return {label: value / total for label, value in known.items()}
    check_exclusive(column, cats)
    return cats


def _are_off_by_rounding(values: Collection[float]) -> bool:
    """Return whether values of two digits do not sum to 1, and may have been rounded from some."""
    most = min(_DIGITS_ROUNDING * len(values), _MOST_ROUNDING) + _ROUNDING
    if not _SUM_ROUNDING < abs(sum(values) - 1.0) <= most:
        return False
    return all(abs(value - round(value, _DIGITS)) <= _ROUNDING for value in values)


def check_exclusive(column: str, cats: Mapping[str, float | None]) -> None:
    """Check that the labels of a row exclude one another.

    Raises:
        MissingValue: If a value is unknown, or there is no label.
        RowProblem: If they do not sum to 1.
    """
    if any(value is None for value in cats.values()):
        raise MissingValue(column, "leaves a label without a value")
    total = sum(value for value in cats.values() if value is not None)
    if not total:
        raise MissingValue(column, "has no label where exclusive = true wants exactly one label")
    if abs(total - 1.0) > _SUM_ROUNDING:
        raise RowProblem(
            column,
            f"has labels that sum to {total:g}. Where exclusive = true, a row has exactly one "
            "label, or probabilities that sum to 1",
        )


def sums_to_integer(cats: Mapping[str, float]) -> bool:
    """Return whether labels of these values may exclude one another, or are no probabilities."""
    total = sum(cats.values())
    return len(cats) < 2 or abs(total - round(total)) <= _SUM_ROUNDING
