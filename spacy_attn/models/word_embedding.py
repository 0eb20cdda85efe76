"""Embedding of whole words, with a vocabulary learned from the training data."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import numpy
from spacy.attrs import IDS
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d, Ints1d

from ..errors import check_choice, check_not_negative, check_positive
from .context import CONTEXT_FREE
from .docs_to_array import Keys, attribute_of_tokens, keys_before
from .row_gradients import add_row_gradients
from .static_vectors import require_vectors, static_vectors
from .token_vectors import ADD_VECTORS_OF_PAIRS, VECTORS_OF_KEYS, Embedding, token_vectors
from .vocabulary import DOCUMENT_START, AnyEntry, Entry, WordVocabulary

ATTRS = ("ORTH", "LOWER", "NORM")
VECTORS = ("static", "tuned")

# How long a vocabulary stays, instead of the words of the documents that the layer is initialised
# with: for one initialisation, or for all of them until the layer has been trained.
ONCE = "once"
UNTIL_TRAINED = "until trained"


def WordEmbedding_v1(
    width: int,
    attr: str = "NORM",
    min_frequency: int = 2,
    max_size: int | None = None,
    vectors: str | None = None,
) -> Model[list[Doc], list[Floats2d]]:
    """Look up a learned vector for every word, as `torch.nn.Embedding` does.

    The vocabulary is learned from the documents the component is initialised with: all of them in
    `attn_textcat`, also through a listener. Words outside it share one vector, which is learned
    from the training words that `min_frequency` and `max_size` leave out. For `spacy pretrain`,
    which shows one document only, the callback `spacy-attn.learn_words.v1` gives the words.

    width (int): Width of the vectors.
    attr (str): What counts as the same word: "ORTH" (as written), "LOWER" (regardless of case) or
        "NORM" (spaCy's normal form).
    min_frequency (int): Leave out words that occur more rarely than this.
    max_size (Optional[int]): Keep only so many words, the most frequent; None for all. 0 leaves
        what words mean to the pipeline's vectors, and to the n-grams of a `SubwordEmbedding`.
    vectors (Optional[str]): Use of the pipeline's word vectors (`[initialize] vectors`), of which
        None makes none. "static": a learned projection of them is added to the learned vector;
        they stay as they are, and those of words outside the vocabulary are used, too. "tuned":
        words of the vocabulary start with them and are trained on; `width` must be theirs.
    RAISES: ValueError if a setting is out of its range.
    """
    layers = word_layers(width, attr, min_frequency, max_size, vectors)
    return token_vectors(layers, width)


def word_layers(
    width: int,
    attr: str,
    min_frequency: int,
    max_size: int | None,
    vectors: str | None,
    *,
    max_pairs: int = 0,
    dropout: float = 0.0,
) -> list[Embedding]:
    """The layers whose sum is the embedding of words, with the settings of `WordEmbedding_v1`.

    max_pairs, dropout: As `max_pairs` and `word_dropout` of a `SubwordEmbedding`.
    """
    where = "spacy-attn.WordEmbedding.v1"
    check_choice(where, "attr", attr, ATTRS)
    if vectors is not None:
        check_choice(where, "vectors", vectors, VECTORS)
    check_positive(where, width=width, min_frequency=min_frequency)
    check_not_negative(where, max_size=max_size)
    learned: Embedding = Model(
        "word_embedding",
        # Not an attribute: those are stored with the model, and would undo what its config says.
        partial(forward, dropout=dropout),
        init=init,
        dims={"nO": width},
        params={"E": None},
        attrs={
            "attr": attr,
            "min_frequency": min_frequency,
            "max_size": max_size,
            "max_pairs": max_pairs,
            "tuned": vectors == "tuned",
            CONTEXT_FREE: not max_pairs,
            VECTORS_OF_KEYS: vectors_of_keys,
            **({ADD_VECTORS_OF_PAIRS: add_vectors_of_pairs} if max_pairs else {}),
            "vocabulary": WordVocabulary(),
            "keep": None,
            # The number of documents that the vocabulary was learned from in the last
            # initialisation, as a sample, and not trained since; 0 for another origin.
            "sampled": 0,
        },
    )
    return [learned, static_vectors(width)] if vectors == "static" else [learned]


def learn_vocabulary(model: Model, docs: Iterable[Doc], *, keep: str = ONCE) -> None:
    """Replace the vocabulary of a word embedding by the words of some documents.

    keep: For how long, `ONCE` or `UNTIL_TRAINED`.
    """
    model.attrs["vocabulary"] = WordVocabulary.learn(
        docs,
        model.attrs["attr"],
        min_frequency=model.attrs["min_frequency"],
        max_size=model.attrs["max_size"],
        max_pairs=model.attrs["max_pairs"],
    )
    model.attrs["keep"] = keep


def set_vocabulary(model: Model, entries: Iterable[AnyEntry]) -> None:
    """Replace the vocabulary of a word embedding by some words, written as its `attr` has them, and
    pairs of words.

    RAISES: ValueError if an entry is neither, or if there are pairs for an embedding without.
    """
    vocabulary = WordVocabulary(entries)
    if vocabulary.pairs and not model.attrs["max_pairs"]:
        raise ValueError(
            f"The vocabulary given has pairs of words, {vocabulary.pairs[0]!r} for one, but the "
            f"embedding has none: set its 'max_pairs', or write the vocabulary anew."
        )
    model.attrs["vocabulary"] = vocabulary
    model.attrs["keep"] = ONCE


def knows_sample_only(model: Model) -> bool:
    """Whether a word embedding has words of a sample of documents, and has not been trained."""
    return model.attrs["sampled"] > 0


def keeps_vocabulary(model: Model) -> bool:
    """Whether a word embedding has been given words that stay until it is trained."""
    return model.attrs["keep"] == UNTIL_TRAINED


def is_word_embedding(model: Model) -> bool:
    return isinstance(model.attrs.get("vocabulary"), WordVocabulary)


def forward(
    model: Embedding, docs: list[Doc], is_train: bool, *, dropout: float
) -> tuple[Floats2d, Callable[[Floats2d], list[Doc]]]:
    keys, lengths = attribute_of_tokens(docs, IDS[model.attrs["attr"]]), [len(doc) for doc in docs]
    if not is_train:
        vectors = vectors_of_keys(model, keys)
        add_vectors_of_pairs(model, keys, lengths, vectors)
        return vectors, lambda d_vectors: []
    _note_training(model)
    table = _table(model)
    words = _word_rows(model, keys)
    places, pairs = _pair_rows(model, keys, lengths)
    # 0 for a vector that is left out; the others make up for it, as in any dropout.
    kept_words = model.ops.get_dropout_mask((len(words), 1), dropout)
    kept_pairs = model.ops.get_dropout_mask((len(pairs), 1), dropout)
    vectors = table[words] * kept_words
    vectors[places] += table[pairs] * kept_pairs

    def backprop(d_vectors: Floats2d) -> list[Doc]:
        add_row_gradients(model, "E", words, d_vectors * kept_words)
        add_row_gradients(model, "E", pairs, d_vectors[places] * kept_pairs)
        return []

    return vectors, backprop


def vectors_of_keys(model: Embedding, keys: Keys, strings: StringStore | None = None) -> Floats2d:
    """The vectors of words, given by their keys in the string store, shape (n, width)."""
    return _table(model)[_word_rows(model, keys)]


def add_vectors_of_pairs(
    model: Embedding, keys: Keys, lengths: Sequence[int], vectors: Floats2d
) -> None:
    """Add the vector of the pair that a word is in with the one before it, where that has one.

    keys: Of the words of all documents, concatenated, shape (n,).
    lengths: Number of words of each document.
    vectors: Those to add to, shape (n, width).
    """
    places, rows = _pair_rows(model, keys, lengths)
    if len(rows):
        vectors[places] += _table(model)[rows]


def _table(model: Embedding) -> Floats2d:
    if not model.has_param("E"):
        raise ValueError("The word embedding has no weights yet: initialize or load it first.")
    return cast(Floats2d, model.get_param("E"))


def _word_rows(model: Embedding, keys: Keys) -> Ints1d:
    return model.ops.asarray1i(model.attrs["vocabulary"].rows(keys))


def _pair_rows(model: Embedding, keys: Keys, lengths: Sequence[int]) -> tuple[Ints1d, Ints1d]:
    """RETURNS: The places of the words whose pair with the word before has a vector, and the rows
    of these pairs, both of shape (n_pairs,).
    """
    if not model.attrs["max_pairs"]:
        nothing = model.ops.alloc1i(0)
        return nothing, nothing
    before = keys_before(keys, lengths, DOCUMENT_START)
    rows = model.attrs["vocabulary"].pair_rows(before, keys)
    places = rows.nonzero()[0]
    return model.ops.asarray1i(places), model.ops.asarray1i(rows[places])


def _note_training(model: Model) -> None:
    learns_words = model.attrs["max_size"] != 0 or model.attrs["max_pairs"]
    if model.attrs["sampled"] == 1 and learns_words:
        raise ValueError(
            "The word embedding would be trained with the vocabulary of a single document. For "
            "'spacy pretrain', give it the words of the raw text: put the callback "
            "'spacy-attn.learn_words.v1' into [initialize.before_init]."
        )
    model.attrs["sampled"] = 0
    model.attrs["keep"] = None


def init(model: Model, X: list[Doc] | None = None, Y: Any = None) -> None:
    """Make new weights, for the vocabulary that is to be kept or else for the words of `X`."""
    model.attrs["sampled"] = 0
    if model.attrs["keep"] is None and X is not None:
        learn_vocabulary(model, X)
        model.attrs["sampled"] = len(X)
    if model.attrs["keep"] == ONCE:
        model.attrs["keep"] = None
    entries, width = model.attrs["vocabulary"].entries, model.get_dim("nO")
    # The original model's initial values, N(0, 1), drown the signal of small data: scaled down.
    table = numpy.random.normal(0.0, 0.1, (len(entries) + 1, width)).astype(numpy.float32)
    if model.attrs["tuned"] and X:
        _copy_vectors(table, entries, X[0].vocab)
    model.set_param("E", model.ops.asarray2f(cast(Floats2d, table)))
    if model.has_grad("E"):
        model.set_grad("E", model.ops.alloc2f(*table.shape))


def _copy_vectors(table: numpy.ndarray, entries: Sequence[Entry], vocab: Vocab) -> None:
    require_vectors(vocab)
    if vocab.vectors_length != table.shape[1]:
        raise ValueError(
            f"spacy-attn.WordEmbedding.v1: with 'vectors' = 'tuned', 'width' must be that of the "
            f"pipeline's vectors, {vocab.vectors_length}, but is {table.shape[1]}."
        )
    for row, entry in enumerate(entries, start=1):
        if isinstance(entry, str) and vocab.has_vector(entry):
            table[row] = vocab.get_vector(entry)
