"""Split specifications such as `train`, `train[:10%]` and `train+test`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .errors import DatasetError

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset


def take_split(splits: Mapping[str, Dataset], spec: str, where: str) -> Dataset:
    """Cut what a specification asks for out of the splits of a data set.

    Args:
        splits: The splits, by name.
        spec: As in `datasets`: names joined with `+`, each with an optional slice in rows or
            percent.
        where: The data set and the split, for errors.

    Returns:
        The rows asked for, in their order.

    Raises:
        DatasetError: If a split does not exist, a slice lies outside of it, or the specification
            cannot be read.
    """
    from datasets import ReadInstruction, concatenate_datasets

    lengths = {name: len(split) for name, split in splits.items()}
    try:
        instructions = ReadInstruction.from_spec(spec).to_absolute(lengths)
    except (ValueError, AssertionError) as error:
        known = ", ".join(f"'{name}' ({n} rows)" for name, n in lengths.items())
        raise DatasetError(
            f"{where}: there is no such split or slice; set 'split' to one of {known}, "
            "or to a slice such as 'train[:10%]' of one"
        ) from error
    parts = [splits[part.splitname].select(range(part.from_, part.to)) for part in instructions]
    return parts[0] if len(parts) == 1 else concatenate_datasets(parts)


def take_streamed_split(
    splits: Mapping[str, IterableDataset], spec: str, where: str
) -> IterableDataset:
    """As `take_split`, for a data set that is streamed and has no known length.

    Args:
        splits: The splits, by name.
        spec: Names joined with `+`. Slices need a length.
        where: The data set and the split, for errors.

    Returns:
        The rows asked for, in their order.

    Raises:
        DatasetError: If a split does not exist.
    """
    from datasets import concatenate_datasets

    names = [name.strip() for name in spec.split("+")]
    if unknown := [name for name in names if name not in splits]:
        known = ", ".join(f"'{name}'" for name in splits)
        raise DatasetError(
            f"{where}: there is no split '{unknown[0]}'; set 'split' to one of {known}"
        )
    parts = [splits[name] for name in names]
    return parts[0] if len(parts) == 1 else concatenate_datasets(parts)
