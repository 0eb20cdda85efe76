"""The pipeline's word vectors, fixed, behind a learned projection."""

from collections.abc import Callable
from typing import Any, cast

import numpy
from spacy.attrs import ORTH
from spacy.ml.staticvectors import StaticVectors
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.api import Model, Ops, get_array_module
from thinc.types import Floats2d, Ints1d

from .lookup import attributes_of_tokens
from .token_vectors import CONTEXT_FREE, Embedding

# The root mean square of the learned vectors. They would otherwise drown beside long vectors, or
# drown short ones.
INITIAL_SCALE = 0.1


def static_vectors(width: int) -> Embedding:
    """Project the vectors that the pipeline has for words; a word without one has zeros.

    Words are looked up as spaCy does: by the attribute that the table of vectors names, which is
    the word as written (ORTH) unless it was made with another. The table belongs to the pipeline's
    vocabulary, is not changed by training, and is saved with the pipeline. spaCy's layer
    `StaticVectors` holds the projection.

    Args:
        width: Width of the projected vectors.

    Raises:
        ValueError: If the pipeline has no vectors, or others than it was initialized with.
    """
    return Model(
        "projected_static_vectors",
        forward,
        init=init,
        dims={"nO": width},
        layers=[StaticVectors(nO=width)],
        attrs={CONTEXT_FREE: True},
    )


def forward(
    model: Embedding, docs: list[Doc], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], list[Doc]]]:
    projection, ops = model.layers[0], model.ops
    if docs:
        _check_width(projection, docs[0].vocab)
        _check_one_vocabulary(docs)
    if not any(len(doc) for doc in docs):
        return ops.alloc2f(0, model.get_dim("nO")), lambda d_vectors: []
    vectors, rows = _distinct_vectors(ops, docs)
    weights = cast(Floats2d, projection.get_param("W"))
    projected: Any = ops.gemm(vectors, weights, trans2=True)[rows]
    dropout = projection.attrs["dropout_rate"] if is_train else None
    mask = ops.get_dropout_mask((weights.shape[0],), dropout) if dropout else None
    if mask is not None:
        projected *= mask

    def backprop(d_projected: Floats2d) -> list[Doc]:
        d_distinct = ops.alloc2f(len(vectors), weights.shape[0])
        # A copy where there is dropout: other layers get the same gradient.
        ops.scatter_add(d_distinct, rows, d_projected if mask is None else d_projected * mask)
        projection.inc_grad("W", ops.gemm(d_distinct, vectors, trans1=True))
        return []

    return projected, backprop


def _distinct_vectors(ops: Ops, docs: list[Doc]) -> tuple[Floats2d, Ints1d]:
    """Return the vectors of distinct words, and which of these each token has.

    Tables may hold float16, which takes half the space. It becomes float32 here.
    """
    table: Any = docs[0].vocab.vectors
    tokens = attributes_of_tokens(docs, [getattr(table, "attr", ORTH)])[:, 0]
    keys, rows = numpy.unique(tokens, return_inverse=True)
    if isinstance(table, Vectors) and table.mode == Mode.default:
        own_rows = table.find(keys=keys)
        found = ops.asarray2f(table.data[own_rows], dtype="float32")
        found[own_rows < 0] = 0
    else:
        found = ops.asarray2f(table.get_batch(keys), dtype="float32")
    return found, ops.asarray1i(cast(Any, rows))


def init(model: Embedding, X: list[Doc] | None = None, Y: Any = None) -> None:
    projection = model.layers[0]
    if X:
        require_vectors(X[0].vocab)
    projection.initialize(X)
    if X:
        _scale_projection(model, X)


def require_vectors(vocab: Vocab) -> None:
    """Check that a pipeline has word vectors that can be trained with.

    Raises:
        ValueError: If it has none, or some that are not finite.
    """
    if not vocab.vectors_length:
        raise ValueError(
            "The embedding's 'vectors' setting needs word vectors, but the pipeline has none. Set "
            "'[initialize] vectors' to a pipeline with vectors, or 'vectors' to null."
        )
    _check_finite(vocab)


def _check_finite(vocab: Vocab) -> None:
    # Tables of other kinds than spaCy's own need not have an array.
    data = getattr(vocab.vectors, "data", None)
    if data is None or not data.size:
        return
    xp = get_array_module(data)
    wrong = xp.flatnonzero(~xp.isfinite(xp.einsum("ij,ij->i", data, data, dtype="float32")))
    if len(wrong):
        row = int(wrong[0])
        keys = [key for key, own_row in vocab.vectors.key2row.items() if own_row == row]
        words = [word for word in vocab.strings if vocab.strings[word] in keys]
        raise ValueError(
            f"The pipeline's vector in row {row}, of the words {words}, is not finite or too large "
            f"to be squared, and so are {len(wrong) - 1} others. Correct or remove them in the "
            f"table of '[initialize] vectors'."
        )


def _check_one_vocabulary(docs: list[Doc]) -> None:
    for doc in docs:
        if doc.vocab is not docs[0].vocab:
            raise ValueError(
                f"The embedding uses word vectors, but the documents of a batch belong to several "
                f"vocabularies, such as {doc.text[:40]!r}: make all of them with the pipeline, as "
                f"'nlp.make_doc' does."
            )


def _check_width(projection: Model, vocab: Vocab) -> None:
    expected = projection.maybe_get_dim("nM")
    # Tables of other kinds than spaCy's own need not tell their width: -1.
    if expected is not None and vocab.vectors_length not in (expected, -1):
        raise ValueError(
            f"The embedding was initialized with word vectors of width {expected}, but the "
            f"pipeline's have width {vocab.vectors_length}: load the pipeline with its vectors, "
            f"or initialize it again."
        )


def _scale_projection(model: Embedding, docs: list[Doc]) -> None:
    """Give the projected vectors the same initial scale as the learned ones."""
    projection, projected = model.layers[0], model.predict(docs)
    scale = float((projected**2).mean() ** 0.5) if projected.size else 0.0
    if scale > 0:
        projection.set_param("W", projection.get_param("W") * (INITIAL_SCALE / scale))
