"""Write any number of documents as `.spacy` files, all of them or none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from spacy.attrs import NORM
from spacy.tokens import Doc, DocBin

_SUFFIX = ".spacy"
# What is stored of tokens. All attributes take twelve times the memory of the words alone, and
# spaCy leaves norms out of them.
_WORDS = ["ORTH"]
_ALL = [*DocBin().attrs, NORM]
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
        self._folder = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        self._files: list[Path] = []
        self._bin, self._holds_all = _docbin(_WORDS), False

    def __enter__(self) -> DocBinWriter:
        """Prepare the temporary folder.

        Raises:
            FileExistsError: If the final folder exists and holds something else than files of an
                earlier run: it would have to be removed.
        """
        for path in sorted(self._target.iterdir()) if self._target.is_dir() else ():
            if path.suffix != _SUFFIX or not path.stem.isdecimal():
                raise FileExistsError(
                    f"will not replace {self._target}, which has {path.name} in it"
                )
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what has not been given its final name."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, doc: Doc) -> None:
        """Add a document, and what its extension attributes hold, which msgpack must know."""
        if self._docs_per_file and len(self._bin) == self._docs_per_file:
            self._write_file()
        if not self._holds_all and _is_annotated(doc):
            words, self._bin, self._holds_all = self._bin, _docbin(_ALL), True
            for earlier in words.get_docs(doc.vocab):
                self._bin.add(earlier)
        self._bin.add(doc)
        self.n_docs += 1

    def finish(self) -> Path:
        """Write what is left, move everything to its final place, and return that place."""
        self._write_file()
        as_file = self._target.with_name(self._target.name + _SUFFIX)
        if len(self._files) == 1:
            os.replace(self._files[0], as_file)
            shutil.rmtree(self._target, ignore_errors=True)
            return as_file
        shutil.rmtree(self._target, ignore_errors=True)
        os.replace(self._folder, self._target)
        as_file.unlink(missing_ok=True)
        return self._target

    def _write_file(self) -> None:
        path = self._folder / f"{len(self._files) + 1:05}{_SUFFIX}"
        self._bin.to_disk(path)
        self._files.append(path)
        self._bin, self._holds_all = _docbin(_WORDS), False


def _docbin(attrs: list[Any]) -> DocBin:
    return DocBin(attrs=attrs, store_user_data=True)


def _is_annotated(doc: Doc) -> bool:
    """Return whether a document carries more than its words."""
    return any(map(doc.has_annotation, _ANNOTATIONS)) or any(
        token.norm != token.lex.norm for token in doc
    )
