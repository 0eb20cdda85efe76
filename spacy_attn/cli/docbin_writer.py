"""Write any number of documents as `.spacy` files, all of them or none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType

from spacy.tokens import Doc, DocBin

_SUFFIX = ".spacy"
# What a document may carry besides its words, in the terms of Doc.has_annotation.
_ANNOTATIONS = ("TAG", "POS", "MORPH", "LEMMA", "DEP", "HEAD", "ENT_IOB", "SENT_START")


class DocBinWriter:
    """Write documents below a temporary name, and give them their final one when complete.

    A context manager: leaving the block without `finish` leaves nothing behind, and files of an
    earlier run as they were.

    Args:
        target: The final path without a suffix. The documents go to `target.spacy`, or, if there
            are more than `docs_per_file`, to numbered files in the folder `target`.
        docs_per_file: The largest number of documents in a file; 0 sets no limit.
    """

    def __init__(self, target: Path, *, docs_per_file: int = 0) -> None:
        self.n_docs = 0
        self._target = target
        self._docs_per_file = docs_per_file
        self._files: list[Path] = []
        self._bin = _word_bin()
        self._holds_words_alone = True
        self._folder = target.with_name(f".{target.name}.{os.getpid()}.tmp")

    def __enter__(self) -> DocBinWriter:
        """Prepare the temporary folder.

        Raises:
            FileExistsError: If the final folder exists and holds something else than files of an
                earlier run: it would have to be removed.
        """
        if foreign := _foreign_files(self._target):
            raise FileExistsError(
                f"will not replace {self._target}, which has {foreign[0].name} in it"
            )
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what has not been given its final name."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, doc: Doc) -> None:
        """Add a document.

        Args:
            doc: The document. Its user data are not stored.
        """
        if self._docs_per_file and len(self._bin) == self._docs_per_file:
            self._flush()
        if self._holds_words_alone and any(doc.has_annotation(name) for name in _ANNOTATIONS):
            self._widen(doc)
        self._bin.add(doc)
        self.n_docs += 1

    def finish(self) -> Path:
        """Write what is left and move everything to its final place.

        Returns:
            The file or the folder.
        """
        self._flush()
        as_file = self._target.with_name(self._target.name + _SUFFIX)
        if len(self._files) == 1:
            os.replace(self._files[0], as_file)
            shutil.rmtree(self._target, ignore_errors=True)
            return as_file
        shutil.rmtree(self._target, ignore_errors=True)
        os.replace(self._folder, self._target)
        as_file.unlink(missing_ok=True)
        return self._target

    def _flush(self) -> None:
        path = self._folder / f"{len(self._files) + 1:05}{_SUFFIX}"
        self._bin.to_disk(path)
        self._files.append(path)
        self._bin = _word_bin()
        self._holds_words_alone = True

    def _widen(self, doc: Doc) -> None:
        """Move on to all attributes, which take twelve times the memory of the words alone."""
        wide = DocBin()
        for earlier in self._bin.get_docs(doc.vocab):
            wide.add(earlier)
        self._bin = wide
        self._holds_words_alone = False


def _word_bin() -> DocBin:
    return DocBin(attrs=["ORTH"])


def _foreign_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if not (path.suffix == _SUFFIX and path.stem.isdecimal())
    ]
