"""`.spacy` files: documents that spaCy has stored, in place of a table."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from spacy.training import Corpus
from spacy.training.corpus import walk_corpus

from .errors import DatasetError, MissingDataError, RowProblem, explained
from .labels import check_exclusive
from .paths import FORMATS, extension, matching_files

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

    from .rows import Rows

_SUFFIX = ".spacy"
# The settings of any reader that mean something for .spacy files. All others say how tables are
# read.
_OF_DOCUMENTS = ("path", "split", "streaming", "seed", "limit")
# A folder with files of these names holds several splits and not one.
_SPLIT_NAMES = frozenset(("train", "dev", "valid", "validation", "test"))


def is_spacy_data(path: str) -> bool:
    """Return whether a path names `.spacy` files, or a folder that has some.

    Args:
        path: A file, which need not exist, a pattern or a folder.
    """
    expanded = Path(os.path.expanduser(path))
    return expanded.suffix == _SUFFIX or (expanded.is_dir() and any(expanded.glob(f"*{_SUFFIX}")))


def has_documents(source: Rows, also: Collection[str] = ()) -> bool:
    """Return whether a reader reads `.spacy` files.

    Args:
        source: The reader.
        also: Its own settings that mean something for `.spacy` files.

    Raises:
        DatasetError: If it does, and another setting than these is not at its default.
    """
    if not is_spacy_data(str(source.path)):
        return False
    for setting in fields(source):
        source.require(
            setting.name in (*_OF_DOCUMENTS, *also)
            or not setting.init
            or getattr(source, setting.name) == setting.default,
            f"'{setting.name}' has no meaning for .spacy files; remove it, or set it to "
            f"{setting.default!r}",
        )
    return True


def read_docs(source: Rows, vocab: Vocab, *, exclusive: bool | None = None) -> Iterator[Doc]:
    """Go through the documents of `.spacy` files that have tokens, as `spacy.Corpus.v1` does.

    Args:
        source: A file, a pattern, or a folder. Of a folder with a file for each split, that of the
            split is read; of another folder, all files.
        vocab: The pipeline's.
        exclusive: Refuse a document whose labels do not sum to 1.

    Raises:
        DatasetError: If there is no such file, or none for that split, if a file cannot be read,
            and at a document whose labels do not exclude one another though they should.
    """
    source.require(
        source.split.isidentifier(),
        ".spacy files have no slices or sums of splits; name one split",
    )
    files = _find_files(source)
    with explained(source):
        docs = Corpus(files[0]).read_docbin(vocab, files)
        for number, doc in enumerate(islice(docs, source.limit or None)):
            try:
                if exclusive and doc.cats:
                    check_exclusive("cats", doc.cats)
            except RowProblem as problem:
                where = f"{source}, document {number} (counted from 0)"
                raise DatasetError(f"{where}: {problem}") from None
            yield doc


def _find_files(source: Rows) -> list[Path]:
    path = os.path.expanduser(str(source.path))
    folder = Path(path)
    for file in sorted(folder.glob("*")):
        source.require(
            extension(file.name) not in FORMATS,
            f"the folder has both .spacy files and '{file.name}'; set 'path' to the file that is "
            "meant",
        )
    if not folder.is_dir():
        if files := matching_files(path):
            return list(map(Path, files))
        raise MissingDataError(
            f"{source}: there is no such file (looked for '{os.path.abspath(path)}')"
        )
    splits = {file.stem: file for file in sorted(folder.glob(f"*{_SUFFIX}"))}
    if source.split in splits:
        return [splits[source.split]]
    source.require(
        _SPLIT_NAMES.isdisjoint(splits),
        f"the folder has no '{source.split}{_SUFFIX}'; set 'split' to one of "
        f"{', '.join(map(repr, splits))}, or 'path' to a file",
    )
    return list(walk_corpus(folder, _SUFFIX))
