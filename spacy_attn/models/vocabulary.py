"""The words, and the pairs of words, that an embedding knows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy
import srsly
from numpy.typing import NDArray
from spacy.attrs import IDS
from spacy.strings import get_string_id
from spacy.tokens import Doc
from thinc.api import Model, deserialize_attr, serialize_attr
from thinc.types import Ints1d

from .docs_to_array import Keys, mix

# A pair has the word before and the word; before a document's first word there is "".
Pair = tuple[str, str]
Entry = str | Pair
# As written to files, where a pair is a list.
AnyEntry = str | Sequence[str]

UNKNOWN_ROW = 0
DOCUMENT_START = 0  # The key of "" in every string store.

# So many different pairs are counted at once: a few hundred megabytes.
_MOST_PAIRS = 1_000_000

Counted = TypeVar("Counted", int, tuple[int, int])


class WordVocabulary:
    """The words and pairs that have a row of their own.

    Every other word has the unknown word's row, which is 0; every other pair has none.

    entries: The words, as strings, and the pairs, as two strings, of rows 1, 2, ...
    RAISES: ValueError if an entry is neither.
    """

    def __init__(self, entries: Iterable[AnyEntry] = ()) -> None:
        self.entries: list[Entry] = [_check(entry) for entry in entries]
        words = [(row, e) for row, e in enumerate(self.entries, start=1) if isinstance(e, str)]
        pairs = [(row, e) for row, e in enumerate(self.entries, start=1) if not isinstance(e, str)]
        self._words = _Rows(_keys(word for _, word in words), [row for row, _ in words])
        before, after = (_keys(pair[i] for _, pair in pairs) for i in (0, 1))
        self._pairs = _Rows(mix(before, after), [row for row, _ in pairs])

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def words(self) -> list[str]:
        return [entry for entry in self.entries if isinstance(entry, str)]

    @property
    def pairs(self) -> list[Pair]:
        return [entry for entry in self.entries if not isinstance(entry, str)]

    @classmethod
    def learn(
        cls,
        docs: Iterable[Doc],
        attr: str,
        *,
        min_frequency: int,
        max_size: int | None,
        max_pairs: int = 0,
    ) -> "WordVocabulary":
        """Keep the most frequent words and pairs of some documents, ties in alphabetical order.

        Where there are more than a million different pairs, the rarest are forgotten from time to
        time, so that memory is bounded (Manku and Motwani 2002, "Approximate Frequency Counts over
        Data Streams"): a pair that is rare for long is then counted too low.
        """
        words: Counter[int] = Counter()
        pairs: Counter[tuple[int, int]] = Counter()
        texts = {DOCUMENT_START: ""}
        for doc in docs:
            keys = doc.to_array([IDS[attr]]).ravel().tolist() if len(doc) else []
            words.update(keys)
            for key in keys:
                if key not in texts:
                    texts[key] = doc.vocab.strings[key]
            if max_pairs:
                pairs.update(zip([DOCUMENT_START, *keys], keys, strict=False))
                if len(pairs) > _MOST_PAIRS:
                    pairs = _without_rarest(pairs, _MOST_PAIRS // 2)

        def text(pair: tuple[int, int]) -> Pair:
            return texts[pair[0]], texts[pair[1]]

        return cls(
            [
                *_most_frequent(words, min_frequency, max_size, texts.__getitem__),
                *_most_frequent(pairs, min_frequency, max_pairs, text),
            ]
        )

    def rows(self, keys: Keys) -> Ints1d:
        """The rows of some words, given by their ids in the string store, shape (n,)."""
        return self._words.find(keys)

    def pair_rows(self, before: Keys, keys: Keys) -> Ints1d:
        """The rows of some pairs, given by the keys of both words, shape (n,); 0 of other pairs."""
        return self._pairs.find(mix(before, keys))


class _Rows:
    """What row each of some keys has."""

    def __init__(self, keys: Keys, rows: Sequence[int]) -> None:
        order = numpy.argsort(keys)
        self._keys = keys[order]
        self._rows = numpy.array(rows, dtype=numpy.int32)[order]

    def find(self, keys: Keys) -> Ints1d:
        """RETURNS: The rows, shape (n,); 0 for a key that is not among them."""
        if not len(self._keys):
            return cast(Ints1d, numpy.zeros(len(keys), dtype=numpy.int32))
        found = numpy.searchsorted(self._keys, keys)
        found[found == len(self._keys)] = 0
        return cast(Ints1d, numpy.where(self._keys[found] == keys, self._rows[found], UNKNOWN_ROW))


def _check(entry: AnyEntry) -> Entry:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, list | tuple) and [type(part) for part in entry] == [str, str]:
        return entry[0], entry[1]
    raise ValueError(
        f"A vocabulary has words, as strings, and pairs of words, as two strings each, but one "
        f"entry is {entry!r}."
    )


def _keys(words: Iterable[str]) -> Keys:
    return numpy.fromiter((get_string_id(word) for word in words), dtype=numpy.uint64)


def _most_frequent(
    counts: Mapping[Counted, int], least: int, most: int | None, text: Any
) -> list[Any]:
    """The texts of the most frequent of what was counted, at least so frequent, at most so many."""
    frequent = [(-count, text(key)) for key, count in counts.items() if count >= least]
    return [found for _, found in sorted(frequent)[:most]]


def _without_rarest(counts: Counter[tuple[int, int]], most: int) -> Counter[tuple[int, int]]:
    least: NDArray[numpy.int64] = numpy.sort(numpy.fromiter(counts.values(), dtype=numpy.int64))
    threshold = int(least[-most])
    return Counter({pair: count for pair, count in counts.items() if count > threshold})


@serialize_attr.register(WordVocabulary)
def _serialize_vocabulary(_: Any, value: WordVocabulary, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(value.entries)


@deserialize_attr.register(WordVocabulary)
def _deserialize_vocabulary(_: Any, value: bytes, name: str, model: Model) -> WordVocabulary:
    return WordVocabulary(srsly.msgpack_loads(value))
