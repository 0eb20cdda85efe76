"""Embedding of words by their character n-grams."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast
from zlib import crc32

import numpy
from numpy.typing import NDArray
from spacy.attrs import LOWER
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d, Ints1d
from torch import Tensor
from torch.nn.functional import embedding_bag

from .context import CONTEXT_FREE

Rows = NDArray[numpy.int32]

# Words are cut into n-grams once, as long as they are among so many seen last; much longer ones (an
# address, a line of symbols) come once and would fill the memory.
_CACHED_WORDS = 65_536
_CACHED_LENGTH = 50


def ngram_embedding(
    width: int, *, sizes: Sequence[int], rows: int
) -> Model[list[Doc], list[Floats2d]]:
    """The mean of the vectors of a word's character n-grams, regardless of case.

    Words of like spelling get like vectors, those that training has not seen, too. N-grams are
    those of the word between the marks "<" and ">"; each has the row of a table that its CRC-32
    checksum picks, which it may share. After Bojanowski et al. 2017, "Enriching Word Vectors with
    Subword Information".

    width: Width of the vectors.
    sizes: Numbers of characters of the n-grams.
    rows: Number of rows of the table.
    """
    return Model(
        "ngram_embedding",
        forward,
        init=init,
        dims={"nO": width, "nV": rows},
        params={"E": None},
        attrs={"sizes": list(sizes), CONTEXT_FREE: True},
    )


def _ngram_rows(word: str, sizes: tuple[int, ...], n_rows: int) -> Rows:
    """The rows of the n-grams of a word, one for each occurrence; none for an empty word."""
    marked = f"<{word}>"
    ngrams = (marked[i : i + n] for n in sizes for i in range(len(marked) - n + 1))
    return numpy.fromiter(
        (crc32(ngram.encode("utf8", "surrogatepass")) % n_rows for ngram in ngrams),
        dtype=numpy.int32,
    )


_cached_ngram_rows = lru_cache(maxsize=_CACHED_WORDS)(_ngram_rows)


def _find_rows(words: Sequence[str], sizes: tuple[int, ...], n_rows: int) -> tuple[Rows, Rows]:
    """RETURNS: The rows of the n-grams of all words, concatenated, and how many each word has."""
    found = [
        (_cached_ngram_rows if len(word) <= _CACHED_LENGTH else _ngram_rows)(word, sizes, n_rows)
        for word in words
    ]
    counts = numpy.fromiter((len(rows) for rows in found), dtype=numpy.int32, count=len(found))
    return numpy.concatenate(found), counts


def forward(
    model: Model[list[Doc], list[Floats2d]], docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    ops = model.ops
    table = cast(Floats2d, model.get_param("E"))
    lengths = ops.asarray1i([len(doc) for doc in docs])
    keys = [doc.to_array(LOWER) for doc in docs if len(doc)]
    if not keys:
        return [ops.alloc2f(0, table.shape[1]) for _ in docs], lambda d_vectors: []
    # A batch repeats its words: each is put together once.
    distinct, inverse = numpy.unique(numpy.concatenate(keys), return_inverse=True)
    strings = docs[0].vocab.strings
    sizes = tuple(model.attrs["sizes"])
    found = _find_rows([strings[key] for key in distinct], sizes, len(table))
    rows, counts, occurrences = (ops.asarray1i(cast(Ints1d, array)) for array in (*found, inverse))
    if not is_train:
        # Not with torch: a forked worker comes here before it keeps torch to one thread.
        words = ops.alloc2f(len(counts), table.shape[1])
        if len(rows):
            words = ops.reduce_mean(table[rows], counts)
        return ops.unflatten(words[occurrences], lengths), lambda d_vectors: []
    # torch's bag of embeddings is faster than Thinc's reduction, above all backward.
    weight = xp2torch(table, requires_grad=True)
    bags = embedding_bag(xp2torch(rows), weight, xp2torch(counts.cumsum() - counts), mode="mean")
    words = cast(Floats2d, torch2xp(bags.detach()))

    def backprop(d_vectors: list[Floats2d]) -> list[Doc]:
        d_words = ops.alloc2f(*words.shape)
        ops.scatter_add(d_words, occurrences, ops.flatten(d_vectors))
        bags.backward(xp2torch(d_words))
        model.inc_grad("E", cast(Floats2d, torch2xp(cast(Tensor, weight.grad))))
        return []

    return ops.unflatten(words[occurrences], lengths), backprop


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    table = numpy.random.normal(0.0, 0.1, (model.get_dim("nV"), model.get_dim("nO")))
    model.set_param("E", model.ops.asarray2f(cast(Floats2d, table.astype(numpy.float32))))
