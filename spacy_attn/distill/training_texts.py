"""The texts that a student learns from: those of its corpus, with labels, and others without."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from spacy.language import Language
from spacy.training import Example

from ..tables.formats import writing
from ..text_files import complete_file

if TYPE_CHECKING:
    from ..data.reader import Augmenter, HFDataset
    from ..tables.bulk import Bar

Corpus = Callable[[Language], Iterable[Example]]
Row = tuple[str, list[tuple[str, float]] | None]

TEXT, GOLD = "text", "gold"
#: `gold` holds the annotated labels of a text and their probabilities; null where there is none.
SCHEMA = pa.schema([(TEXT, pa.string()), (GOLD, pa.map_(pa.string(), pa.float64()))])
_BATCH = 10_000
# Punctuation, blanks and control characters. Signs, emoji and vowel signs make a difference.
_NO_DIFFERENCE = ("P", "Z", "Cc", "Cf")


@dataclass
class Counts:
    """What became of the texts.

    Attributes:
        annotated: Those of the corpus.
        further: Those of other data sets that are used.
        variants: Those that the augmenter has made of them, and that are used.
        repeated: Those of other data sets that are left out, since the corpus or another row of
            these has the same text.
        held_out: Those that are left out since they are scored.
        blank: Those that are left out since there is nothing in them.
        too_long: Those that are left out since they have more characters than `nlp.max_length`.
    """

    annotated: int = 0
    further: int = 0
    variants: int = 0
    repeated: int = 0
    held_out: int = 0
    blank: int = 0
    too_long: int = 0


def write_texts(
    path: Path,
    nlp: Language,
    corpus: Corpus,
    sources: Sequence[HFDataset],
    held_out: Iterable[Corpus] = (),
    augmenter: Augmenter | None = None,
    bar: Bar | None = None,
) -> Counts:
    """Write the texts of a corpus, and of other data sets, as a Parquet file.

    Texts of other data sets that are the same as one before, or as one that is to be scored, are
    left out. Case, punctuation and blanks make no difference, unless there is nothing else.

    Args:
        path: The file.
        nlp: The student's pipeline, which makes documents of the corpus.
        corpus: The reader of the annotated training data.
        sources: Readers of other data sets, of which the texts are used.
        held_out: Readers of the data that are scored.
        augmenter: Yields an example, and then variants of it. These have no labels. They are left
            out if they are the same as another text.
        bar: Told of texts that are written.

    Raises:
        DatasetError: If a data set cannot be read, or a row has no text.
    """
    counts = Counts()
    scored = {_identity(example.reference.text) for each in held_out for example in each(nlp)}

    def rows() -> Iterator[Row]:
        seen = set()

        def variants(example: Example) -> Iterator[Row]:
            for variant in islice(augmenter(nlp, example), 1, None) if augmenter else ():
                identity = _identity(variant.reference.text)
                if identity and identity not in scored and identity not in seen:
                    seen.add(identity)
                    counts.variants += 1
                    yield variant.reference.text, None

        for example in corpus(nlp):
            seen.add(_identity(example.reference.text))
            counts.annotated += 1
            yield example.reference.text, list(example.reference.cats.items()) or None
            yield from variants(example)
        for text, _ in chain.from_iterable(source.read_texts() for source in sources):
            identity = _identity(text)
            if not identity:
                counts.blank += 1
            elif len(text) > nlp.max_length:
                counts.too_long += 1
            elif identity in scored:
                counts.held_out += 1
            elif identity in seen:
                counts.repeated += 1
            else:
                seen.add(identity)
                counts.further += 1
                yield text, None
                if augmenter:
                    doc = nlp.make_doc(text)
                    yield from variants(Example(doc, doc))

    with complete_file(path) as new, writing(new, ".parquet", SCHEMA) as write:
        for table in _tables(rows()):
            write(table)
            if bar is not None:
                bar.update(len(table))
    return counts


def _tables(rows: Iterable[Row]) -> Iterator[pa.Table]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield _table(batch)
            batch = []
    if batch:
        yield _table(batch)


def _table(rows: list[Row]) -> pa.Table:
    texts, gold = zip(*rows, strict=True)
    return pa.table([pa.array(texts, pa.string()), pa.array(gold, SCHEMA.field(GOLD).type)], SCHEMA)


class _Differences(dict[int, int | None]):
    """Characters that make a difference, by themselves, and None for others."""

    def __missing__(self, character: int) -> int | None:
        is_left_out = unicodedata.category(chr(character)).startswith(_NO_DIFFERENCE)
        self[character] = None if is_left_out else character
        return self[character]


_DIFFERENCES = _Differences()


def _identity(text: str) -> bytes:
    """Return what is the same of two same texts, however they are cut into tokens."""
    folded = unicodedata.normalize("NFC", text.casefold())
    letters = (folded.translate(_DIFFERENCES) or text.strip()).encode(errors="surrogatepass")
    # A hash, since those of all texts are in memory.
    return hashlib.blake2b(letters, digest_size=16).digest() if letters else b""
