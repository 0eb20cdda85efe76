"""Errors of reading data: of a value, of a line of a file, and of the data set they belong to."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

# What `datasets` says of empty files and of data sets that are programs, in several versions.
_HAS_NO_ROWS = ("corresponds to no data", "at least one example")
_NEEDS_SCRIPT = ("dataset scripts are no longer supported", "trust_remote_code")


class DatasetError(ValueError):
    """A data set, or one row of it, cannot be used as it was asked for.

    The message is one sentence. It names the data set and the split, the row and the column where
    there is one, the value at fault, and what to do about it.
    """


class MissingDataError(DatasetError):
    """There is no such file or folder."""


class RowProblem(Exception):  # noqa: N818
    """A value of a row cannot be used: the column, and the rest of a sentence, such as "is null".

    Functions that read a value raise it. `Rows.read_rows` adds the number of the row.
    """

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"column '{column}' {reason}")
        self.column = column


class MissingValue(RowProblem):
    """The row has no text or no label. `skip_missing` passes over such rows."""


class FileProblem(Exception):  # noqa: N818
    """A file cannot be used, or a line of it, counted from 1, or another place in words.

    Functions that read a file raise it. `explained` adds the data set.

    Attributes:
        name: The name of the file.
    """

    def __init__(self, name: str, place: int | str | None, reason: str) -> None:
        self.name = name
        where = f", line {place}" if isinstance(place, int) else f", {place}" if place else ""
        super().__init__(f"file '{name}'{where}: {reason}")


def listing(names: Sequence[str]) -> str:
    """Quote the first 20 of some names, for an error."""
    shown = ", ".join(f"'{name}'" for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"


def no_column(column: str, columns: Iterable[str]) -> str:
    """Return what to say of a column that is not among those of the data."""
    known = ", ".join(map(repr, columns))
    return f"there is no column '{column}'; change the setting that names it to one of {known}"


@contextmanager
def explained(where: object) -> Iterator[None]:
    """Turn whatever `datasets` raises within the block into a `DatasetError` of one sentence.

    Args:
        where: The data set and the split, with which the sentence begins.
    """
    try:
        yield
    except (DatasetError, MemoryError):
        raise
    except Exception as error:
        raise DatasetError(f"{where}: {_reason(error)}") from error


def root_of(error: BaseException) -> BaseException:
    """Return the error that others were raised from."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _reason(error: Exception) -> str:
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    text = str(error)
    if any(sign in text.lower() for sign in _NEEDS_SCRIPT):
        return (
            "it comes with a loading script, and this reader runs no code of a data set; look for "
            'a Parquet version of it, for example with revision = "refs/convert/parquet"'
        )
    if isinstance(error, ConnectionError):
        return (
            f"the Hugging Face hub ({datasets.config.HF_ENDPOINT}) cannot be reached and no copy "
            "of the data set is in the local cache; to work offline, set 'path' to a local file "
            "or to a folder written by save_to_disk"
        )
    if isinstance(error, DatasetNotFoundError):
        return (
            f"the Hugging Face hub shows no such data set ({_first_line(text)}); check 'path' and "
            "'revision', and log in with `hf auth login` if the data set is private or gated"
        )
    root = root_of(error)
    if isinstance(root, FileProblem):
        return str(root)
    if isinstance(root, StopIteration) or any(sign in str(root) for sign in _HAS_NO_ROWS):
        return "there is no row in it"
    return f"it cannot be read ({type(root).__name__}: {_first_line(str(root))})"


def _first_line(text: str) -> str:
    return text.strip().split(os.linesep, 1)[0].rstrip(".")
