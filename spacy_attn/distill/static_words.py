"""The vectors that a model of `model2vec` has for words, whatever their context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

#: How a model is written that is one of `model2vec`.
PREFIX = "model2vec:"


class StaticWords:
    """Composes the vectors of words of the pieces that a model of `model2vec` makes of them.

    Args:
        model: The name of the model on the Hugging Face hub, or its folder.

    Raises:
        ImportError: If `model2vec` is missing.
        ValueError: If the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        try:
            from model2vec import StaticModel
        except ImportError as error:
            raise ImportError(
                f"Vectors of '{model}' need model2vec ({error}): pip install model2vec."
            ) from error
        try:
            self._model = StaticModel.from_pretrained(model, force_download=False)
        # Of a damaged file, its libraries raise errors of their own, some a plain `Exception`.
        except Exception as error:
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            raise ValueError(
                f"model2vec cannot load '{model}' ({reason}). Give the name of a model on the "
                f"Hugging Face hub, or a folder whose files are whole."
            ) from error
        #: Splits texts into pieces, some of which are words.
        self.tokenizer: Any = self._model.tokenizer
        self._vector = cache(self._encode)

    def token_vectors(
        self, docs: Sequence[Doc]
    ) -> Iterator[tuple[NDArray[numpy.float32], NDArray[numpy.bool_]]]:
        """Yield the vectors of the tokens of each document.

        Yields:
            Shape (n_tokens, width); and which tokens have a piece, shape (n_tokens,).
        """
        for doc in docs:
            vectors = [self._vector(token.text) for token in doc]
            found = numpy.array(vectors, dtype=numpy.float32).reshape(len(doc), self._model.dim)
            yield found, numpy.abs(found).sum(axis=1) > 0

    def _encode(self, word: str) -> NDArray[Any]:
        if not word.strip():
            return numpy.zeros(self._model.dim)
        return self._model.encode([word], max_length=None, use_multiprocessing=False)[0]
