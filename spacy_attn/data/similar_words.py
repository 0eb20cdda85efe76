"""Words to put in the place of others: of the same part of speech, or with near vectors."""

from __future__ import annotations

from random import Random
from typing import Any, Protocol

import numpy
from numpy.typing import NDArray
from spacy import util
from spacy.attrs import NAMES
from spacy.language import Language
from spacy.tokens import Doc, Token
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.api import NumpyOps

# Words that are kept of each part of speech.
_KEPT = 10_000
# Of so many nearest words, one is drawn.
_NEAREST = 10


class SimilarWords(Protocol):
    """Knows words that can stand in the place of others."""

    def other(self, token: Token) -> str | None:
        """Return another word for a token; None where there is none."""


class SameTagWords:
    """Words of the same part of speech, drawn as often as they occur in the documents so far.

    Args:
        tagger: The name of a pipeline that tells the part of speech; None if it is annotated.
        random: Draws them.
    """

    def __init__(self, tagger: str | None, random: Random) -> None:
        self._name = tagger
        self._random = random
        self._tagger: Language | None = None
        self._seen: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._tags: list[str] = []

    def meet(self, doc: Doc) -> bool:
        """Learn the words of a document, whose tokens come next.

        Returns:
            Whether they have parts of speech.

        Raises:
            ValueError: If the tagger cannot be loaded, tells none, or makes other tokens.
        """
        tagged = doc
        if self._name is not None:
            words, spaces = [t.text for t in doc], [bool(t.whitespace_) for t in doc]
            tagger = self._load(self._name)
            tagged = tagger(Doc(tagger.vocab, words=words, spaces=spaces))
            if [token.text for token in tagged] != words:
                raise ValueError(
                    f"spacy-attn.augment.v1: the tagger '{self._name}' makes other tokens of "
                    f"'{doc.text[:40]}'. Take a pipeline that merges and splits none."
                )
        self._tags = [token.pos_ for token in tagged]
        if any(self._tags):
            self._learn(doc)
            return True
        if self._name is not None:
            raise ValueError(
                f"spacy-attn.augment.v1: the tagger '{self._name}' sets no parts of speech "
                f"(token.pos_) in '{doc.text[:40]}'. Take a pipeline that has a tagger."
            )
        return False

    def other(self, token: Token) -> str | None:
        """Return another word for a token of the document that was met last."""
        seen = self._seen.get(self._tags[token.i])
        word = self._random.choice(seen) if seen else token.text
        return None if word.lower() == token.lower_ else as_written(word, token.text)

    def _load(self, name: str) -> Language:
        if self._tagger is None:
            try:
                self._tagger = util.load_model(name)
            except OSError as error:
                raise ValueError(
                    f"spacy-attn.augment.v1: the tagger '{name}' cannot be loaded ({error})"
                ) from None
        return self._tagger

    def _learn(self, doc: Doc) -> None:
        for token, tag in zip(doc, self._tags, strict=True):
            if not tag or token.is_space or token.is_punct:
                continue
            seen = self._seen.setdefault(tag, [])
            count = self._counts[tag] = self._counts.get(tag, 0) + 1
            if len(seen) < _KEPT:
                seen.append(token.text)
            elif (place := self._random.randrange(count)) < _KEPT:
                # So each word that was met is among those kept with the same probability.
                seen[place] = token.text


class NearWords:
    """Words whose vectors are nearest by their cosine.

    Args:
        random: Draws one of them.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._vectors: Vectors | None = None
        self._attr = ""
        # Of the words in the table, by their keys; and their neighbours.
        self._places: dict[int, int] = {}
        self._words: list[str] = []
        self._table: NDArray[numpy.float32] = numpy.zeros((0, 0), dtype=numpy.float32)
        self._near: dict[int, list[str]] = {}

    def meet(self, vocab: Vocab) -> bool:
        """Take the vectors of a vocabulary, whose tokens come next.

        Returns:
            Whether it has any.
        """
        if vocab.vectors is not self._vectors:
            self._take(vocab)
        return bool(self._words)

    def other(self, token: Token) -> str | None:
        """Return another word for a token; None if it has no vector."""
        place = self._places.get(getattr(token, self._attr))
        if place is None:
            return None
        if place not in self._near:
            self._near[place] = self._nearest(place)
        words = [word for word in self._near[place] if word.lower() != token.lower_]
        return as_written(self._random.choice(words), token.text) if words else None

    def _take(self, vocab: Vocab) -> None:
        table: Any = vocab.vectors
        self._vectors, self._near, self._places, self._words = table, {}, {}, []
        if not isinstance(table, Vectors) or table.mode != Mode.default:
            return
        self._attr = NAMES[table.attr].lower()
        rows: list[int] = []
        for key, row in table.key2row.items():
            if key in vocab.strings and vocab.strings[key].isalpha():
                self._places[key] = len(rows)
                self._words.append(vocab.strings[key])
                rows.append(row)
        found = NumpyOps().to_numpy(table.data)[rows].astype(numpy.float32)
        self._table = found / numpy.linalg.norm(found, axis=1, keepdims=True).clip(min=1e-8)

    def _nearest(self, place: int) -> list[str]:
        near = self._table @ self._table[place]
        near[place] = -numpy.inf
        n = min(_NEAREST, len(near) - 1)
        return [self._words[i] for i in numpy.argsort(-near)[:n]]


def as_written(word: str, other: str) -> str:
    """Return a word in upper or lower case, or with a capital, as another one is written."""
    if other.islower():
        return word.lower()
    if other.isupper() and len(other) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if other[:1].isupper() else word
