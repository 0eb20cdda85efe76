"""A small table of word vectors, as a pipeline that `[initialize] vectors` can name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.vectors import Vectors

from ..checks import check_choice, check_positive

#: How numbers are stored.
Storage = Literal["float16", "float32"]


def set_table(
    nlp: Language,
    words: Sequence[str],
    vectors: NDArray[Any],
    *,
    attr: str,
    width: int,
    storage: Storage,
    name: str,
) -> None:
    """Give a pipeline vectors for words: the main directions of some, each of length 1.

    Args:
        nlp: The pipeline.
        words: The words.
        vectors: Shape (n_words, any width).
        attr: The attribute by which tokens are looked up.
        width: The width of the new ones, if the others are not narrower: principal components.
        storage: Their floating-point type.
        name: The name of the table.

    Raises:
        ValueError: If a setting is out of its range.
    """
    check_positive("The table of vectors", width=width)
    check_choice("The table of vectors", "storage", storage, get_args(Storage))
    if len(words) < 2:
        raise ValueError(
            f"The table of vectors needs two words at least, but there is {list(words)}, and a "
            f"vector says how a word differs from others. Give more texts, or a larger table."
        )
    main = principal_components(vectors, width)
    # So that no setting of a model depends on the scale of the encoder.
    main /= numpy.linalg.norm(main, axis=1, keepdims=True).clip(min=1e-8)
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings,
        data=main.astype(storage),
        # Their spelling is saved, too.
        keys=[nlp.vocab.strings.add(word) for word in words],
        name=name,
        attr=attr,
    )


def principal_components(values: NDArray[Any], n: int) -> NDArray[numpy.float32]:
    """Return vectors, shape (n_vectors, width), less their mean, along their main directions."""
    centred = values - values.mean(axis=0)
    _, directions = numpy.linalg.eigh(centred.T @ centred)
    return numpy.asarray(centred @ directions[:, ::-1][:, :n], dtype=numpy.float32)
