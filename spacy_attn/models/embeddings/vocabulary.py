"""The words that an embedding has rows for: learned from documents, given, kept and stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy
import srsly
from spacy.attrs import IDS
from spacy.strings import get_string_id
from spacy.tokens import Doc
from thinc.api import Model, deserialize_attr, serialize_attr
from thinc.types import Ints1d

from .cooccurrence import cooccurrence_vectors
from .lookup import attributes_of_tokens

UNKNOWN_ROW = 0

# How long given words stay: for one initialization of the layer, or for all until it is trained.
ONCE = "once"
UNTIL_TRAINED = "until trained"

# The attribute of a word embedding with its `WordSettings`.
SETTINGS = "settings"


@dataclass(frozen=True)
class WordSettings:
    """What only the initialization of a word embedding asks.

    Thinc does not store it with the weights: the config's values hold when a trained pipeline is
    loaded and initialized again.
    """

    min_frequency: int
    max_size: int | None
    tuned: bool
    initial: str


class WordVocabulary:
    """The words that have a row of their own; every other word has the unknown word's row.

    Args:
        words: The words, of rows 1, 2, ...

    Attributes:
        initial: Vectors that the rows start with, which are not stored; None for random ones.
    """

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.words = list(words)
        self.initial: numpy.ndarray | None = None
        keys = numpy.fromiter((get_string_id(word) for word in self.words), dtype=numpy.uint64)
        self._order = numpy.argsort(keys)
        self._keys = keys[self._order]

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def learn(
        cls, docs: Iterable[Doc], attr: str, *, min_frequency: int, max_size: int | None
    ) -> "WordVocabulary":
        """Take the most frequent words of some documents, ties in alphabetical order."""
        counts: Counter[int] = Counter()
        words: dict[int, str] = {}
        for doc in docs:
            for key, count in doc.count_by(IDS[attr]).items():
                counts[key] += count
                if key not in words:
                    words[key] = doc.vocab.strings[key]
        frequent = [key for key, count in counts.items() if count >= min_frequency]
        frequent.sort(key=lambda key: (-counts[key], words[key]))
        return cls([words[key] for key in frequent[:max_size]])

    def rows(self, keys: numpy.ndarray) -> Ints1d:
        """Return the rows of some words, given by their keys in the string store, shape (n,)."""
        if not len(self):
            return cast(Ints1d, numpy.zeros(len(keys), dtype=numpy.int32))
        found = numpy.searchsorted(self._keys, keys)
        found[found == len(self)] = 0
        rows = numpy.where(self._keys[found] == keys, self._order[found] + 1, UNKNOWN_ROW)
        return cast(Ints1d, rows.astype(numpy.int32))


@serialize_attr.register(WordVocabulary)
def _serialize_vocabulary(_: Any, value: WordVocabulary, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(value.words)


@deserialize_attr.register(WordVocabulary)
def _deserialize_vocabulary(_: Any, value: bytes, name: str, model: Model) -> WordVocabulary:
    return WordVocabulary(srsly.msgpack_loads(value))


def learn_vocabulary(model: Model, docs: Iterable[Doc], *, keep: str = ONCE) -> None:
    """Replace the vocabulary of a word embedding by the words of some documents."""
    settings: WordSettings = model.attrs[SETTINGS]
    model.attrs["vocabulary"] = WordVocabulary.learn(
        docs,
        model.attrs["attr"].value,
        min_frequency=settings.min_frequency,
        max_size=settings.max_size,
    )
    model.attrs["keep"] = keep


def learn_initial_vectors(model: Model, docs: Iterable[Doc]) -> None:
    """Learn from documents what the words of a vocabulary start with, if the config says so."""
    vocabulary: WordVocabulary = model.attrs["vocabulary"]
    if model.attrs[SETTINGS].initial != "cooccurrence" or not len(vocabulary):
        return
    attr = IDS[model.attrs["attr"].value]
    keys = (attributes_of_tokens([doc], [attr])[:, 0] for doc in docs)
    rows = (cast(numpy.ndarray, vocabulary.rows(own)) for own in keys)
    vocabulary.initial = cooccurrence_vectors(rows, len(vocabulary) + 1, model.get_dim("nO"))


def set_vocabulary(model: Model, words: Sequence[str]) -> None:
    """Replace the vocabulary of a word embedding by some words, written as its `attr` has them."""
    model.attrs["vocabulary"] = WordVocabulary(words)
    model.attrs["keep"] = ONCE


def knows_sample_only(model: Model) -> bool:
    """Return whether it has the words of a sample of documents, and has not been trained since."""
    return model.attrs["sampled"] > 0


def keeps_vocabulary(model: Model) -> bool:
    """Return whether it has been given words that stay until it is trained."""
    return model.attrs["keep"] == UNTIL_TRAINED


def is_word_embedding(model: Model) -> bool:
    """Return whether a layer is an embedding of whole words."""
    return isinstance(model.attrs.get("vocabulary"), WordVocabulary)
