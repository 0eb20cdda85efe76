"""Where annotated rows go: parts that appear when they are complete, and a ledger of them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..data.paths import FORMATS, extension, matching_files
from ..text_files import TEMPORARY, complete_file, write_text
from .formats import ENDINGS, OutputError, join

# The folder of the ledger. Programs that read folders of files pass over such a name.
_LEDGER = ".apply"
_ARGUMENTS = "arguments.json"
_PART = re.compile(r"part-\d{5,}")

Record = dict[str, Any]


class Output:
    """A folder of numbered parts, or a file that they are joined to.

    A part has a record beside, in a hidden folder. So has the whole, of the arguments. Until all
    parts of a single file are there, they lie in a hidden folder next to it.

    Args:
        path: A file if it ends with .parquet, .jsonl or .csv, and otherwise a folder.

    Raises:
        ValueError: If it ends like a file that is not written, or is something else than it says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        ending = extension(path.name)
        self.is_file = ending in ENDINGS and not (path.is_dir() and ending == ".parquet")
        is_compressed = ending in FORMATS and ending != path.suffix.lower()
        if (ending in FORMATS and ending not in ENDINGS) or is_compressed:
            known = ", ".join(ENDINGS)
            raise ValueError(
                f"the output '{path}' must end with one of {known}, or have no ending to be a "
                "folder of Parquet files"
            )
        if self.is_file and path.is_dir():
            raise ValueError(f"the output '{path}' is a folder; give the name of a file")
        if not self.is_file and path.exists() and not path.is_dir():
            raise ValueError(f"the output '{path}' is a file; give the name of a folder")
        self.ending = ending if self.is_file else ".parquet"
        self.folder = path.with_name(f".{path.name}.parts") if self.is_file else path
        self._ledger = self.folder / _LEDGER

    def part(self, number: int) -> Path:
        """Return the file of a part, counted from 0."""
        return self.folder / f"part-{number:05}{self.ending}"

    def require_apart(self, data: str) -> None:
        """Refuse data that lie where parts would be written or removed.

        Args:
            data: A file, a folder, a pattern, or something else.

        Raises:
            ValueError: If they do.
        """
        folder = self.folder.resolve()
        for name in (data, *matching_files(os.path.expanduser(data))):
            path = Path(os.path.expanduser(name)).resolve()
            if folder == path or folder in path.parents:
                raise ValueError(f"'{name}' lies in the output '{self.path}'; give another output")

    @contextmanager
    def begun(self, arguments: Mapping[str, Any], *, overwrite: bool) -> Iterator[None]:
        """Make the folder, or go on in it. No other process may do so in the block.

        Args:
            arguments: What the rows depend on, in values of JSON.
            overwrite: Whether to remove what was made of other arguments.

        Raises:
            ValueError: If there are files of another origin, or of other arguments, which the error
                names; or if another process is at it.
            OSError: If the folder cannot be made or written to.
        """
        self._require_free(overwrite=overwrite)
        self._ledger.mkdir(parents=True, exist_ok=True)
        with locked(self._ledger / "lock", self.path):
            self._compare(dict(arguments), overwrite=overwrite)
            self._remove_temporary()
            try:
                yield
            finally:
                self._remove_temporary()

    def finished(
        self, identities: Sequence[Mapping[str, Any]], *, overwrite: bool
    ) -> dict[int, Record]:
        """Return the records of the parts that are complete.

        Args:
            identities: What tells the rows of each part from others.
            overwrite: Whether to remove parts that were made of other rows than these.

        Raises:
            ValueError: If there is such a part.
        """
        found = {}
        numbers = range(len(identities))
        for path in sorted(self._ledger.glob("part-*.json")):
            number = int(path.stem.removeprefix("part-"))
            if not self.part(number).exists():
                continue
            record = json.loads(path.read_text(encoding="utf8"))
            if number in numbers and record["rows of"] == identities[number]:
                found[number] = record
            elif overwrite:
                self.part(number).unlink()
            else:
                raise ValueError(
                    f"'{self.part(number)}' was made of other rows: the data has changed since. "
                    "Give another output, or --overwrite to replace such parts"
                )
        return found

    @contextmanager
    def writing_part(self, number: int, record: Record) -> Iterator[Path]:
        """Have a part appear when the block has written it.

        Args:
            number: The part.
            record: What is kept of it. The block fills it.

        Yields:
            The name of the file to write.
        """
        with complete_file(self.part(number)) as temporary:
            yield temporary
            # A record without its part is not counted, but a part must have one.
            write_text(self._ledger / f"part-{number:05}.json", json.dumps(record))

    def finish(self, n_parts: int) -> None:
        """Join the parts if a single file is wanted. Its folder is removed then.

        Raises:
            OutputError: If the file cannot be written. All parts are kept.
        """
        if not self.is_file:
            return
        whole = self.folder / f"whole{self.ending}"
        try:
            with complete_file(whole) as temporary:
                join([self.part(i) for i in range(n_parts)], temporary, self.ending)
            os.replace(whole, self.path.resolve())
        except OSError as error:
            raise OutputError(
                f"cannot write '{self.path}': {error}. Its parts are kept in '{self.folder}'; the "
                "same command goes on with them"
            ) from error
        shutil.rmtree(self.folder)

    def _require_free(self, *, overwrite: bool) -> None:
        """Refuse to write over what somebody else has put there."""
        if self.is_file:
            if self.path.exists() and not overwrite and not self._ledger.exists():
                raise ValueError(f"'{self.path}' exists; give another output, or --overwrite")
            return
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            is_ours = _PART.fullmatch(path.stem) and path.suffix == self.ending
            if path.name != _LEDGER and not path.name.endswith(TEMPORARY) and not is_ours:
                raise ValueError(
                    f"the folder '{self.folder}' has '{path.name}' in it, which this command has "
                    "not written; give another output"
                )
            if is_ours and not (self._ledger / _ARGUMENTS).exists() and not overwrite:
                raise ValueError(
                    f"the folder '{self.folder}' has parts of an unknown origin; give another "
                    "output, or --overwrite to remove them"
                )

    def _remove_temporary(self) -> None:
        """Remove what processes have left behind that were ended from outside."""
        for folder in (self.folder, self._ledger):
            for path in folder.glob(f".*{TEMPORARY}"):
                path.unlink(missing_ok=True)

    def _compare(self, arguments: dict[str, Any], *, overwrite: bool) -> None:
        """Refuse arguments that differ from those of the parts that are there."""
        path = self._ledger / _ARGUMENTS
        before = json.loads(path.read_text(encoding="utf8")) if path.exists() else None
        if before is not None and before != arguments and not overwrite:
            different = [
                f"{name} was {_shown(before.get(name))} and is {_shown(arguments.get(name))}"
                for name in {**before, **arguments}
                if before.get(name) != arguments.get(name)
            ]
            raise ValueError(
                f"'{self.path}' was begun with other arguments: {'; '.join(different)}. Give "
                "those, another output, or --overwrite to begin anew"
            )
        if before != arguments:
            path.unlink(missing_ok=True)
            for part in (*self.folder.iterdir(), *self._ledger.iterdir()):
                if _PART.fullmatch(part.stem):
                    part.unlink()
            write_text(path, json.dumps(arguments, indent=1))


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def locked(path: Path, output: Path) -> Iterator[None]:
    """Keep other processes out, where the system has locks that end with their process.

    Args:
        path: The file to lock.
        output: What is written, for errors.

    Raises:
        ValueError: If another process is at it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another process is writing to '{output}'; wait for its end"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
