"""Paths of data files: taken literally where they exist, and known by what the files are now."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets.data_files import DataFilesDict

DataFiles = str | list[str] | dict[str, str | list[str]]

_COMPRESSIONS = (".gz", ".bz2", ".xz")

# Extension of a data file -> the module of `datasets` that reads it.
FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
}


def extension(path: str) -> str:
    """Return the extension of a file in lower case, without that of its compression."""
    stem, last = os.path.splitext(path.lower())
    return os.path.splitext(stem)[1] if last in _COMPRESSIONS else last


def shown(path: str) -> str:
    """Return a path as errors show it: relative to the working folder if it is in there."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))


def matching_files(path: str) -> list[str]:
    """Return the file of that name, or else those that match it as a pattern, sorted."""
    if os.path.isfile(path):
        return [path]
    return sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file))


def find_files(data_files: DataFiles | None, folder: str) -> DataFilesDict:
    """Find the files of each split, as `datasets` does, but take what exists for no pattern.

    Args:
        data_files: Files or patterns, relative to the folder. None finds the splits by their names.
        folder: The folder, whose own name is no pattern.
    """
    from datasets.data_files import DataFilesDict, get_data_patterns, sanitize_patterns

    base = glob.escape(folder)
    if data_files is None:
        return DataFilesDict.from_patterns(get_data_patterns(base), base_path=base)
    patterns = {
        split: [
            glob.escape(name) if os.path.isfile(os.path.join(folder, name)) else name
            for name in names
        ]
        for split, names in sanitize_patterns(data_files).items()
    }
    return DataFilesDict.from_patterns(patterns, base_path=base)


def state_of(data_files: Mapping[str, Iterable[str]]) -> str:
    """Return a digest that changes as soon as a local file has been replaced or written to.

    `datasets` itself knows a file by its path and the time of its last change, which copying tools
    set to that of the original. Nobody can set the time at which the file system wrote the file
    down (on Windows, created it).
    """
    digest = hashlib.sha256()
    for files in data_files.values():
        for file in files:
            if "://" not in file:
                now = os.stat(file)
                digest.update(f"{now.st_size} {now.st_ctime_ns} {now.st_ino}\n".encode())
    return digest.hexdigest()
