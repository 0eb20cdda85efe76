"""Embedding of whole words and of their character n-grams."""

from collections.abc import Sequence

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ...checks import check_positive, check_rate
from .ngrams import ngram_embedding
from .token_vectors import token_vectors
from .words import word_layers


def SubwordEmbedding_v1(
    width: int,
    attr: str = "NORM",
    min_frequency: int = 2,
    max_size: int | None = None,
    vectors: str | None = None,
    ngram_sizes: Sequence[int] = (3, 4, 5),
    ngram_rows: int = 20_000,
    word_dropout: float = 0.0,
    initial: str = "random",
) -> Model[list[Doc], list[Floats2d]]:
    """Add the vector of a word to the mean of the vectors of its character n-grams.

    Words that are rare in the training data, or not in it, are known by their spelling. After
    Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information".

    Args:
        width: The width of the vectors. Wider ones can tell more words apart, and are slower.
        attr, min_frequency, max_size, vectors, initial: The words, as in
            `spacy-attn.WordEmbedding.v1`.
        ngram_sizes: The numbers of characters of the n-grams. The marks of the word's beginning and
            end count, too. Change them for languages with much longer or shorter words.
        ngram_rows: The number of vectors that the n-grams share. Lower it for a smaller pipeline.
        word_dropout: The rate at which training leaves out the learned vector of a whole word, at
            each place by itself. The spelling, and the pretrained vector, then have to be enough.
            Raise it if training learns its words by heart.

    Raises:
        ValueError: If a setting is out of its range.
    """
    where = "spacy-attn.SubwordEmbedding.v1"
    check_positive(where, ngram_rows=ngram_rows)
    if not ngram_sizes:
        raise ValueError(f"{where}: 'ngram_sizes' must not be empty.")
    for size in ngram_sizes:
        check_positive(where, ngram_sizes=size)
    check_rate(where, word_dropout=word_dropout)
    words = word_layers(
        width, attr, min_frequency, max_size, vectors, initial, dropout=word_dropout
    )
    ngrams = ngram_embedding(width, sizes=ngram_sizes, rows=ngram_rows)
    return token_vectors([*words, ngrams], width)
