"""The errors of reading data."""

from collections.abc import Sequence


class DatasetError(ValueError):
    """A data set, or one row of it, cannot be used as it was asked for.

    The message is one sentence that names the data set and the split, the row and the column
    where there is one, the value at fault, and what to do about it.
    """


class MissingDataError(DatasetError):
    """There is no such file or folder."""


class RowProblem(Exception):  # noqa: N818
    """What is wrong with one column of one row, before anybody has said which row it was.

    The functions that read a value raise it; the reader, which alone knows the data set, the split
    and the row, turns it into a `DatasetError`.
    """

    def __init__(self, column: str, reason: str) -> None:
        """Remember the column and what is wrong with its value.

        Args:
            column: The name of the column.
            reason: The rest of the sentence, for example `"is null"`.
        """
        super().__init__(f"column '{column}' {reason}")
        self.column = column


class MissingValue(RowProblem):
    """The row has no text or no label: the one problem that `skip_missing` may pass over."""


def listing(names: Sequence[str]) -> str:
    """The first names of many, quoted, for an error."""
    shown = ", ".join(f"'{name}'" for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"


class FileProblem(Exception):  # noqa: N818
    """What is wrong with a file, before anybody has said which data set it belongs to."""

    def __init__(self, name: str, line: int | str | None, reason: str) -> None:
        """Remember the place and what is wrong there.

        Args:
            name: The name of the file.
            line: The line, counted from 1, or another place as errors are to call it; None for the
                whole file.
            reason: The rest of the sentence, for example `"it is empty"`.
        """
        place = f", line {line}" if isinstance(line, int) else f", {line}" if line else ""
        super().__init__(f"file '{name}'{place}: {reason}")
