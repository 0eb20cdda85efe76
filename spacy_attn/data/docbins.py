"""`.spacy` files: documents that spaCy has stored, in place of a table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from spacy.training import Corpus, Example
from spacy.training.corpus import walk_corpus

from .errors import DatasetError, MissingDataError, RowProblem, explained
from .labels import check_exclusive
from .paths import FORMATS, extension, matching_files

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

_SUFFIX = ".spacy"
# A folder with files of these names holds several splits and not one.
_SPLIT_NAMES = frozenset(("train", "dev", "valid", "validation", "test"))


def is_spacy_data(path: str) -> bool:
    """Return whether a path names `.spacy` files, or a folder that has some.

    Args:
        path: A file, which need not exist, a pattern or a folder.
    """
    expanded = Path(os.path.expanduser(path))
    return expanded.suffix == _SUFFIX or (expanded.is_dir() and any(_spacy_files(expanded)))


class DocBins:
    """The documents of `.spacy` files, read as `spacy.Corpus.v1` reads them.

    Args:
        path: A file, a pattern, or a folder. Of a folder with a file for each split, that of the
            split is read; of another folder, all files.
        split: The name of the split.
        limit: Read the first documents only; 0 reads all.
        exclusive: Refuse a document whose labels do not sum to 1.
        where: The data set and the split, for errors.

    Raises:
        DatasetError: If there is no such file, or none for that split.
    """

    def __init__(self, path: str, *, split: str, limit: int, exclusive: bool, where: str) -> None:
        if not split.isidentifier():
            raise DatasetError(
                f"{where}: .spacy files have no slices or sums of splits; name one split"
            )
        self.limit = limit
        self.exclusive = exclusive
        self.where = where
        self._files = _find_files(os.path.expanduser(path), split, where)
        self._corpus = Corpus(self._files[0])

    def docs(self, vocab: Vocab) -> Iterator[Doc]:
        """Go through the stored documents that have tokens.

        Raises:
            DatasetError: If a file cannot be read, or at a document whose labels do not exclude one
                another though they should.
        """
        with explained(self.where):
            docs = self._corpus.read_docbin(vocab, self._files)
            for number, doc in enumerate(islice(docs, self.limit or None)):
                try:
                    if self.exclusive and doc.cats:
                        check_exclusive("cats", doc.cats)
                except RowProblem as problem:
                    raise DatasetError(
                        f"{self.where}, document {number} (counted from 0): {problem}"
                    ) from None
                yield doc

    def examples(self, nlp: Language) -> Iterator[Example]:
        """Go through the documents as Examples, whose predicted documents the pipeline makes."""
        return self._corpus.make_examples(nlp, self.docs(nlp.vocab))


def _spacy_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _find_files(path: str, split: str, where: str) -> Sequence[Path]:
    folder = Path(path)
    tables = sorted(file.name for file in folder.glob("*") if extension(file.name) in FORMATS)
    if tables:
        raise DatasetError(
            f"{where}: the folder has both .spacy files and '{tables[0]}'; set 'path' to the file "
            "that is meant"
        )
    if not folder.is_dir():
        if files := matching_files(path):
            return list(map(Path, files))
        raise MissingDataError(
            f"{where}: there is no such file (looked for '{os.path.abspath(path)}')"
        )
    names = [file.stem for file in _spacy_files(folder)]
    if split in names:
        return [folder / f"{split}{_SUFFIX}"]
    if _SPLIT_NAMES.isdisjoint(names):
        return list(walk_corpus(folder, _SUFFIX))
    raise DatasetError(
        f"{where}: the folder has no '{split}{_SUFFIX}'; set 'split' to one of "
        f"{', '.join(map(repr, names))}, or 'path' to a file"
    )
