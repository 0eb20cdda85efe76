"""The folder of a distillation: what is made in it, and what must not be there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..data.paths import matching_files
from ..tables.output_folder import locked

TEXTS, SOFT, RESULT = "texts.parquet", "train.parquet", "distillation.json"
STUDENT, BASELINE = "student", "baseline"
#: What is before the name of a teacher's folder, and of a table's.
TEACHER, TABLE = "teacher-", "table-"
_NAMES = (TEXTS, SOFT, RESULT, STUDENT, BASELINE)
# The mark of a folder that a distillation has begun. Programs that read folders pass over it.
_LOCK = ".distill"


@contextmanager
def own_folder(folder: Path, data: Iterable[str]) -> Iterator[None]:
    """Make the folder, or go on in it. No other process may do so in the block.

    Args:
        folder: The folder.
        data: Where the data are that are read: files, folders, patterns, or something else.

    Raises:
        ValueError: If something of another origin would be written over, or data that are read; or
            if another process is at it.
        OSError: If the folder cannot be made or written to.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"the output '{folder}' is a file; give the name of a folder")
    strange = sorted(path.name for path in _ours(folder))
    if strange and not (folder / _LOCK).exists():
        raise ValueError(
            f"the folder '{folder}' has '{strange[0]}' in it, which this command has not written, "
            f"and would write over; give another output"
        )
    for name in data:
        _require_apart(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / _LOCK, folder):
        yield


def _ours(folder: Path) -> Iterator[Path]:
    """Return what is in a folder by a name that a distillation gives."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in _NAMES or path.name.startswith((TEACHER, TABLE)):
            yield path


def _require_apart(folder: Path, data: str) -> None:
    ours = {folder.resolve(), *(path.resolve() for path in _ours(folder))}
    for name in (data, *matching_files(os.path.expanduser(data))):
        path = Path(os.path.expanduser(name)).resolve()
        if path in ours or ours & {*path.parents} - {folder.resolve()}:
            raise ValueError(
                f"'{name}' lies in the output '{folder}', where it would be written over; give "
                f"another output"
            )
