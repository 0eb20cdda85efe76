"""What one layer of a transformer makes of words in their context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc

from .transformers_models import (
    Precision,
    batches_of_like_length,
    ensure_padding,
    fastest_precision,
    load,
    n_positions,
)

# Pieces that are read together at most. A longer text is read in parts.
_WINDOW = 512
_BATCH_PIECES = 8192


class TransformerWords:
    """Finds what a layer of an encoder of `transformers` makes of the tokens of documents.

    The layers above it are not computed. Where an encoder normalizes what its last layer returns,
    what the layer returns is normalized.

    Args:
        model: The name of the encoder on the Hugging Face hub, or its folder. It may be fine-tuned
            as a classifier.
        layer: The number of the layer. 0 is the embeddings, and 1 the first layer. None is the
            layer at two thirds of the way up.
        precision: The floating-point type. None is the faster one.
        device: Where to compute, as torch writes it.

    Raises:
        ImportError: If `transformers` is missing.
        ValueError: If the model cannot be loaded or used, or has no such layer.
    """

    def __init__(
        self,
        model: str,
        layer: int | None = None,
        precision: Precision | None = None,
        device: str = "cpu",
    ) -> None:
        where = "The encoder of the words"
        config = load(where, model, lambda module: module.AutoConfig.from_pretrained(model))
        n_layers = getattr(config, "num_hidden_layers", None)
        if n_layers is None or getattr(config, "is_encoder_decoder", False):
            raise ValueError(
                f"{where}: '{model}' is a model of the kind '{config.model_type}', which is no "
                f"encoder of texts. Take one as BERT is."
            )
        self.layer = round(2 / 3 * n_layers) if layer is None else layer
        if not 0 <= self.layer <= n_layers:
            raise ValueError(
                f"{where}: '{model}' has the layers 0 to {n_layers}, but the layer {layer} is "
                f"asked for."
            )
        # With none at all, some models do not return their embeddings.
        config.num_hidden_layers = max(self.layer, 1)
        dtype = getattr(torch, precision or fastest_precision(device))
        self._model = load(
            where,
            model,
            lambda module: module.AutoModel.from_pretrained(model, config=config, dtype=dtype),
        )
        self._model.eval().to(device)
        self._tokenizer = load(
            where, model, lambda module: module.AutoTokenizer.from_pretrained(model)
        )
        if not self._tokenizer.is_fast:
            raise ValueError(
                f"{where}: the tokenizer of '{model}' cannot tell where in a text its pieces are. "
                f"Convert it to one of the library tokenizers (a file tokenizer.json)."
            )
        ensure_padding(self._tokenizer, self._model)
        longest = n_positions(self._model)
        self._window = min(self._tokenizer.model_max_length, longest, _WINDOW)
        #: Splits texts into pieces, some of which are words.
        self.tokenizer = self._tokenizer.backend_tokenizer

    def token_vectors(
        self, docs: Sequence[Doc]
    ) -> Iterator[tuple[NDArray[numpy.float32], NDArray[numpy.bool_]]]:
        """Yield the vectors of the tokens of each document.

        Args:
            docs: They are read at once, so that there should not be too many of them.

        Yields:
            The mean over the pieces that a token shares, shape (n_tokens, width); and which tokens
            have a piece, shape (n_tokens,).
        """
        found: list[tuple[list[Any], list[Any]]] = [([], []) for _ in docs]
        for number, spans, states in self._piece_states([doc.text for doc in docs]):
            found[number][0].append(spans)
            found[number][1].append(states)
        for doc, parts in zip(docs, found, strict=True):
            yield _mean_by_token(doc, *map(numpy.concatenate, parts))

    def _piece_states(
        self, texts: list[str]
    ) -> Iterator[tuple[int, NDArray[numpy.int64], NDArray[numpy.float32]]]:
        """Yield the number of a text, where pieces begin and end in it, and their states."""
        encoded = self._tokenizer(
            texts,
            truncation=True,
            max_length=self._window,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        pieces, texts_of = encoded["input_ids"], encoded["overflow_to_sample_mapping"]
        for rows in batches_of_like_length([len(each) for each in pieces], _BATCH_PIECES):
            batch = self._tokenizer.pad(
                {"input_ids": [pieces[row] for row in rows]}, return_tensors="pt"
            )
            with torch.inference_mode():
                output = self._model(**batch.to(self._model.device), output_hidden_states=True)
            states = output.hidden_states[self.layer].float().cpu().numpy()
            for row, own in zip(rows, states, strict=True):
                spans = numpy.array(encoded["offset_mapping"][row])
                # Those that stand for no characters are special ones.
                real = spans[:, 1] > spans[:, 0]
                own = own[-len(real) :] if self._pads_left else own[: len(real)]
                yield texts_of[row], spans[real], own[real]

    @property
    def _pads_left(self) -> bool:
        return bool(self._tokenizer.padding_side == "left")


def _mean_by_token(
    doc: Doc, spans: NDArray[numpy.int64], states: NDArray[numpy.float32]
) -> tuple[NDArray[numpy.float32], NDArray[numpy.bool_]]:
    """Return the mean over the pieces of each token, and which tokens have any."""
    of_characters = numpy.full(len(doc.text), -1)
    for token in doc:
        if not token.is_space:
            of_characters[token.idx : token.idx + len(token)] = token.i
    # A piece can be part of two tokens, and have the space before its word.
    pairs = {
        (piece, token)
        for piece, (start, end) in enumerate(spans.tolist())
        for token in of_characters[start:end].tolist()
        if token >= 0
    }
    pieces, tokens = numpy.array(sorted(pairs), dtype=int).reshape(-1, 2).T
    sums = numpy.zeros((len(doc), states.shape[1]), dtype=numpy.float32)
    numpy.add.at(sums, tokens, states[pieces])
    counts = numpy.bincount(tokens, minlength=len(doc))
    return sums / counts.clip(min=1)[:, None], counts > 0
