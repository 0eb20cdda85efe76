"""Embedding of words by their character n-grams."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast
from zlib import crc32

import numpy
from numpy.typing import NDArray
from spacy.attrs import LOWER
from spacy.tokens import Doc
from thinc.api import Model, torch2xp
from thinc.types import Floats2d, Ints1d
from torch.nn.functional import embedding_bag

from ...nn.runtime import keep_forked_child_to_one_thread
from ..arrays import to_torch
from ..settings import Setting
from .lookup import Keys, Strings, add_row_gradients, attributes_of_tokens, strings_of
from .token_vectors import CONTEXT_FREE, VECTORS_OF_KEYS, Embedding

Rows = NDArray[numpy.int32]

# So many words are cut into n-grams once. Much longer ones (an address, a line of symbols) come
# once and would fill the memory.
_CACHED_WORDS = 65_536
_CACHED_LENGTH = 50

_FEW_ROWS = 1000


def ngram_embedding(width: int, *, sizes: Sequence[int], rows: int) -> Embedding:
    """Make the mean of the vectors of a word's character n-grams, regardless of case.

    Words of like spelling get like vectors, also those that training has not seen. The word stands
    between the marks "<" and ">". The CRC-32 checksum of an n-gram picks its row of a table, which
    it may share. After Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information".

    Args:
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
        attrs={
            "attr": Setting("attr", "LOWER"),
            "sizes": Setting("ngram_sizes", list(sizes)),
            CONTEXT_FREE: True,
            VECTORS_OF_KEYS: vectors_of_keys,
        },
    )


def _ngram_rows(word: str, sizes: tuple[int, ...], n_rows: int) -> Rows:
    """The rows of the n-grams of a word, one for each occurrence; none for an empty word."""
    marked = f"<{word}>"
    ngrams = (marked[i : i + n] for n in sizes for i in range(len(marked) - n + 1))
    return numpy.fromiter(
        (crc32(ngram.encode("utf8", "surrogatepass")) % n_rows for ngram in ngrams),
        dtype=numpy.int32,
    )


@cache
def _rows_by_key(sizes: tuple[int, ...], n_rows: int) -> dict[int, Rows]:
    """What has been found for words, by their keys in string stores.

    It cannot become wrong: a key is a hash of its word, from which the rows follow. It holds no
    string, so that words of a memory zone are not kept.
    """
    return {}


def _find_rows(
    keys: Keys, strings: Strings, sizes: tuple[int, ...], n_rows: int
) -> tuple[Rows, Rows]:
    """The rows of the n-grams of all words, concatenated, and how many each word has."""
    known = _rows_by_key(sizes, n_rows)
    found = []
    for key in keys.tolist():
        rows = known.get(key)
        if rows is None:
            word = strings(key)
            rows = _ngram_rows(word, sizes, n_rows)
            if len(word) <= _CACHED_LENGTH:
                if len(known) >= _CACHED_WORDS:
                    known.clear()
                known[key] = rows
        found.append(rows)
    counts = numpy.fromiter(map(len, found), dtype=numpy.int32, count=len(found))
    return numpy.concatenate(found), counts


def forward(
    model: Embedding, docs: list[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], list[Doc]]]:
    ops = model.ops
    keys = attributes_of_tokens(docs, [LOWER])[:, 0]
    # A batch repeats its words: each is put together once.
    distinct, inverse = numpy.unique(keys, return_inverse=True)
    words, rows, counts = _look_up(model, distinct, strings_of(docs))
    if not len(keys):
        return words, lambda d_vectors: []
    occurrences = ops.asarray1i(cast(Ints1d, inverse))

    def backprop(d_vectors: Floats2d) -> list[Doc]:
        word_of_row = numpy.arange(len(distinct)).repeat(ops.to_numpy(counts))
        d_words = ops.alloc2f(*words.shape)
        ops.scatter_add(d_words, occurrences, d_vectors)
        d_words /= ops.xp.maximum(counts, 1)[:, None]
        gradients = d_words[ops.asarray1i(cast(Ints1d, word_of_row))]
        add_row_gradients(model, "E", rows, gradients)
        return []

    return words[occurrences], backprop


def vectors_of_keys(model: Embedding, keys: Keys, strings: Strings) -> Floats2d:
    """Return the vectors of words, given by their keys in string stores, shape (n, width)."""
    return _look_up(model, keys, strings)[0]


def _look_up(model: Embedding, keys: Keys, strings: Strings) -> tuple[Floats2d, Ints1d, Ints1d]:
    """The vectors of words, the rows of all their n-grams, and how many each word has."""
    ops, table = model.ops, cast(Floats2d, model.get_param("E"))
    if not len(keys):
        return ops.alloc2f(0, table.shape[1]), ops.alloc1i(0), ops.alloc1i(0)
    found = _find_rows(keys, strings, tuple(model.attrs["sizes"].value), len(table))
    rows, counts = (ops.asarray1i(cast(Ints1d, array)) for array in found)
    if 0 < len(rows) <= _FEW_ROWS:
        return ops.reduce_mean(table[rows], counts), rows, counts
    # Of many rows torch makes no copy, which is ten times faster; of few it takes longer to start.
    keep_forked_child_to_one_thread()
    starts = ops.asarray1i(counts.cumsum() - counts)
    means = embedding_bag(to_torch(rows), to_torch(table), to_torch(starts), mode="mean")
    return cast(Floats2d, torch2xp(means)), rows, counts


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    table = numpy.random.normal(0.0, 0.1, (model.get_dim("nV"), model.get_dim("nO")))
    model.set_param("E", model.ops.asarray2f(cast(Floats2d, table.astype(numpy.float32))))
