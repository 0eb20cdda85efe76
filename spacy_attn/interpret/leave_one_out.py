"""Attributions by leaving out one token at a time."""

from collections.abc import Iterator, Sequence

import numpy
from spacy.tokens import Doc
from thinc.types import Floats2d

from .subject import Classifier, Indices


def leave_one_out(
    classifier: Classifier, docs: list[Doc], columns: Sequence[int]
) -> list[Floats2d]:
    """Say how much each logit is lower when a token is left out of the document.

    It is exact. Each token costs one prediction for the remaining ones (see
    `Classifier.logits_of_parts`), so that time grows with the square of a document's length.

    Args:
        docs: As `Classifier.prepare` returns them.
        columns: The places of the labels.

    Returns:
        For each document, shape (n_tokens, n_columns), on the CPU.
    """
    parts = [_all_and_without_each(len(doc)) for doc in docs]
    logits = classifier.logits_of_parts(docs, parts)
    return [(rows[0] - rows[1:])[:, list(columns)] for rows in logits]


def _all_and_without_each(n_tokens: int) -> Iterator[Indices]:
    everything = numpy.arange(n_tokens)
    yield everything
    for i in range(n_tokens):
        yield numpy.delete(everything, i)
