"""The embedding of whole words, by a table with a row for each word of a vocabulary."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy
from spacy.attrs import IDS
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d, Ints1d

from ...checks import check_choice, check_not_negative, check_positive
from ..settings import Setting
from .lookup import Keys, Strings, add_row_gradients, attributes_of_tokens
from .static_vectors import require_vectors, static_vectors
from .token_vectors import CONTEXT_FREE, VECTORS_OF_KEYS, Embedding, token_vectors
from .vocabulary import (
    ONCE,
    SETTINGS,
    WordSettings,
    WordVocabulary,
    learn_initial_vectors,
    learn_vocabulary,
)

ATTRS = ("ORTH", "LOWER", "NORM")
VECTORS = ("static", "tuned")
INITIAL = ("random", "cooccurrence")
# The original model's initial values, N(0, 1), drown the signal of small data: scaled down.
INITIAL_SCALE = 0.1


def WordEmbedding_v1(
    width: int,
    attr: str = "NORM",
    min_frequency: int = 2,
    max_size: int | None = None,
    vectors: str | None = None,
    initial: str = "random",
) -> Model[list[Doc], list[Floats2d]]:
    """Look up a learned vector for every word, as `torch.nn.Embedding` does.

    The vocabulary is learned from the documents the component is initialized with: all of them in
    `attn_textcat`, also through a listener. Words outside it share one vector, which is learned
    from the training words that `min_frequency` and `max_size` leave out. For `spacy pretrain`,
    which shows one document only, the callback `spacy-attn.learn_words.v1` gives the words.

    Args:
        width: The width of the vectors. Wider ones can tell more words apart, and are slower.
        attr: What counts as the same word: "ORTH" (as written), "LOWER" (regardless of case) or
            "NORM" (spaCy's normal form). Set "ORTH" where upper and lower case matter.
        min_frequency: How often a word must occur to have a vector of its own. Raise it for a
            smaller vocabulary.
        max_size: How many words have vectors at most, the most frequent ones. None is all. 0 leaves
            what words mean to the pipeline's vectors, and to the n-grams of a `SubwordEmbedding`.
        vectors: What to do with the pipeline's word vectors (`[initialize] vectors`). None does not
            use them. "static" adds a learned projection of them to the learned vector. They stay as
            they are, and words outside the vocabulary have theirs, too. "tuned" starts the words of
            the vocabulary with them, and trains on; `width` must then be theirs.
        initial: What the learned vectors start with. "random", or "cooccurrence": what the training
            documents tell, without labels, of which words stand near which, in their first five
            million words (see `cooccurrence_vectors`). Words that stand alone, or that the
            documents of the initialization do not have, start at random. With "tuned", words start
            with the pipeline's vectors where it has them.

    Raises:
        ValueError: If a setting is out of its range.
    """
    layers = word_layers(width, attr, min_frequency, max_size, vectors, initial)
    return token_vectors(layers, width)


def word_layers(
    width: int,
    attr: str,
    min_frequency: int,
    max_size: int | None,
    vectors: str | None,
    initial: str,
    *,
    dropout: float = 0.0,
) -> list[Embedding]:
    """Make the layers whose sum is the embedding of words (see `WordEmbedding_v1`).

    Args:
        dropout: The rate at which training leaves out learned vectors, each as a whole.
    """
    where = "spacy-attn.WordEmbedding.v1"
    check_choice(where, "attr", attr, ATTRS)
    if vectors is not None:
        check_choice(where, "vectors", vectors, VECTORS)
    check_choice(where, "initial", initial, INITIAL)
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
            "attr": Setting("attr", attr),
            SETTINGS: WordSettings(min_frequency, max_size, vectors == "tuned", initial),
            CONTEXT_FREE: True,
            VECTORS_OF_KEYS: vectors_of_keys,
            "vocabulary": WordVocabulary(),
            "keep": None,
            # How many documents the last initialization learned the vocabulary from; 0 where the
            # vocabulary comes from elsewhere, or has been trained with.
            "sampled": 0,
        },
    )
    return [learned, static_vectors(width)] if vectors == "static" else [learned]


def forward(
    model: Embedding, docs: list[Doc], is_train: bool, *, dropout: float
) -> tuple[Floats2d, Callable[[Floats2d], list[Doc]]]:
    keys = attributes_of_tokens(docs, [IDS[model.attrs["attr"].value]])[:, 0]
    vectors, rows = _look_up(model, keys)
    if not is_train:
        return vectors, lambda d_vectors: []
    _note_training(model)
    # 0 for a token whose vector is left out; the others make up for it, as in any dropout.
    kept = model.ops.get_dropout_mask((len(vectors), 1), dropout) if dropout else None

    def backprop(d_vectors: Floats2d) -> list[Doc]:
        add_row_gradients(model, "E", rows, d_vectors if kept is None else d_vectors * kept)
        return []

    return vectors if kept is None else vectors * kept, backprop


def vectors_of_keys(model: Embedding, keys: Keys, strings: Strings) -> Floats2d:
    """Return the vectors of words, given by their keys in string stores, shape (n, width)."""
    return _look_up(model, keys)[0]


def _look_up(model: Embedding, keys: Keys) -> tuple[Floats2d, Ints1d]:
    """The vectors of words, shape (n, width), and the rows that they have in the table."""
    if not model.has_param("E"):
        raise ValueError("The word embedding has no weights yet: initialize or load it first.")
    vocabulary: WordVocabulary = model.attrs["vocabulary"]
    rows = model.ops.asarray1i(vocabulary.rows(keys))
    return cast(Floats2d, model.get_param("E"))[rows], rows


def _note_training(model: Model) -> None:
    if model.attrs["sampled"] == 1 and model.attrs[SETTINGS].max_size != 0:
        raise ValueError(
            "The word embedding would be trained with the vocabulary of a single document. For "
            "'spacy pretrain', give it the words of the raw text: put the callback "
            "'spacy-attn.learn_words.v1' into [initialize.before_init]."
        )
    model.attrs["sampled"] = 0
    model.attrs["keep"] = None
    model.attrs["vocabulary"].initial = None


def init(model: Model, X: list[Doc] | None = None, Y: Any = None) -> None:
    """Make new weights, for the vocabulary that is to be kept or else for the words of `X`."""
    model.attrs["sampled"] = 0
    if model.attrs["keep"] is None and X is not None:
        learn_vocabulary(model, X)
        learn_initial_vectors(model, X)
        model.attrs["sampled"] = len(X)
    if model.attrs["keep"] == ONCE:
        model.attrs["keep"] = None
    vocabulary: WordVocabulary = model.attrs["vocabulary"]
    words, width = vocabulary.words, model.get_dim("nO")
    table = numpy.random.normal(0.0, INITIAL_SCALE, (len(words) + 1, width)).astype(numpy.float32)
    if vocabulary.initial is not None:
        known = vocabulary.initial.any(axis=1)
        table[known] = INITIAL_SCALE * vocabulary.initial[known]
    if model.attrs[SETTINGS].tuned and X:
        _copy_vectors(table, words, X[0].vocab)
    model.set_param("E", model.ops.asarray2f(cast(Floats2d, table)))
    if model.has_grad("E"):
        model.set_grad("E", model.ops.alloc2f(*table.shape))


def _copy_vectors(table: numpy.ndarray, words: Sequence[str], vocab: Vocab) -> None:
    require_vectors(vocab)
    if vocab.vectors_length != table.shape[1]:
        raise ValueError(
            f"spacy-attn.WordEmbedding.v1: with 'vectors' = 'tuned', 'width' must be that of the "
            f"pipeline's vectors, {vocab.vectors_length}, but is {table.shape[1]}."
        )
    for row, word in enumerate(words, start=1):
        if vocab.has_vector(word):
            table[row] = vocab.get_vector(word)
