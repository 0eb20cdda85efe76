"""Words and their vectors: the mean of what an encoder makes of each, over texts.

After Bommasani, Davis and Cardie 2020, "Interpreting Pretrained Contextualized Representations via
Reductions to Static Embeddings".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training.batchers import minibatch_by_words

# Tokens whose vectors are in memory at once.
_BATCH_TOKENS = 20_000
# What a tokenizer writes for the space before a word, if it does not decode it.
_SPACES = " \u2581\u0120"

#: What tells words apart: their characters, whatever their case or not.
Attribute = Literal["LOWER", "ORTH"]


class WordEncoder(Protocol):
    """Gives the tokens of documents vectors.

    Attributes:
        tokenizer: That of the model (`tokenizers.Tokenizer`).
    """

    tokenizer: Any

    def token_vectors(
        self, docs: Sequence[Doc]
    ) -> Iterator[tuple[NDArray[numpy.float32], NDArray[numpy.bool_]]]:
        """Yield for each document the vectors of its tokens, and which tokens have one."""


class WordMeans:
    """The words that were met, and the means of their vectors.

    Attributes:
        counts: How often each word was met, in the order in which they were met first.
    """

    def __init__(self, encoder: WordEncoder, attr: Attribute) -> None:
        self.counts: Counter[str] = Counter()
        self._encoder = encoder
        self._name = attr.lower() + "_"
        self._sums: dict[str, NDArray[numpy.float32]] = {}

    def add(self, docs: Iterable[Doc]) -> None:
        """Meet the tokens of documents."""
        # Of documents without tokens there would be no end of a batch.
        docs = (doc for doc in docs if len(doc))
        for batch in minibatch_by_words(docs, _BATCH_TOKENS, get_length=len):
            words: dict[str, int] = {}
            rows, vectors = [], []
            for doc, (found, known) in zip(batch, self._encoder.token_vectors(batch), strict=True):
                for i in numpy.flatnonzero(known):
                    word = getattr(doc[int(i)], self._name)
                    rows.append(words.setdefault(word, len(words)))
                vectors.append(found[known])
            self._sum(list(words), numpy.array(rows, dtype=int), numpy.concatenate(vectors))

    def add_alone(self, words: Iterable[str], nlp: Language) -> None:
        """Meet words that were not met before, each as a text of its own."""
        new = (word for word in words if getattr(nlp.vocab[word], self._name) not in self.counts)
        self.add(Doc(nlp.vocab, words=[word], spaces=[False]) for word in new)

    def vectors(self, words: Sequence[str]) -> NDArray[numpy.float32]:
        """Return the means of words that were met, shape (n_words, width)."""
        return numpy.stack([self._sums[word] / self.counts[word] for word in words])

    def _sum(self, words: list[str], rows: NDArray[Any], vectors: NDArray[numpy.float32]) -> None:
        sums = numpy.zeros((len(words), vectors.shape[1]), dtype=numpy.float32)
        numpy.add.at(sums, rows, vectors)
        counts = numpy.bincount(rows, minlength=len(words))
        for word, own, count in zip(words, sums, counts.tolist(), strict=True):
            self._sums[word] = self._sums[word] + own if word in self._sums else own
            self.counts[word] += count


def whole_words(encoder: WordEncoder, nlp: Language) -> list[str]:
    """Return the pieces of an encoder's vocabulary that are tokens of a pipeline, not parts of one.

    Args:
        encoder: The encoder. Its vocabulary has frequent pieces first, as most have.
        nlp: The pipeline.
    """
    from tokenizers import Tokenizer

    # A copy that neither pads nor cuts off.
    tokenizer = Tokenizer.from_str(encoder.tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    special = {str(token.content) for token in tokenizer.get_added_tokens_decoder().values()}
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    ids = [i for piece, i in pieces if piece not in special]
    texts = tokenizer.decode_batch([[i] for i in ids], skip_special_tokens=False)
    words = [text.strip(_SPACES) for text in texts]
    # Some tokenizers know a word that follows a space as another piece.
    alone = tokenizer.encode_batch(words, add_special_tokens=False)
    behind = tokenizer.encode_batch([f" {word}" for word in words], add_special_tokens=False)
    whole = [
        word
        for i, word, first, second in zip(ids, words, alone, behind, strict=True)
        if word and (first.ids == [i] or second.ids == [i]) and len(nlp.make_doc(word)) == 1
    ]
    return list(dict.fromkeys(whole))
