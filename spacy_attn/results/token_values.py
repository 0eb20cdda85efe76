"""Values for the tokens of a document, which are carried over to tokens that have changed."""

from collections.abc import Sequence
from typing import Any, cast

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span, Token

from .doc_data import (
    Bounds,
    Record,
    is_in_place,
    own,
    store,
    stored,
    stored_bounds,
    text_length,
    token_bounds,
    token_layout,
    warn_of_replacement,
)
from .explanation import ATTENTION, CONTRIBUTIONS, Floats

# What is stored of tokens, and changes with them.
_OF_TOKENS = {"values", "layout", "bounds"}


def set_values(
    doc: Doc,
    values: NDArray[numpy.floating],
    name: str = ATTENTION,
    *,
    labels: Sequence[str] | None = None,
    author: str | None = None,
) -> None:
    """Store the values of a document's tokens; warn if they replace those of another component.

    Args:
        doc: The document.
        values: For each token, shape (n_tokens,) or (n_tokens, n_labels); copied.
        name: Name of the attribute.
        labels: Those of the columns.
        author: Name of the component that the values are of.
    """
    warn_of_replacement(doc, name, author, "'attention_attr' or 'contributions_attr'")
    labels = None if labels is None else list(labels)
    store(doc, name, own(values), labels=labels, author=author)


def get_values(doc: Doc, name: str = ATTENTION) -> Floats | None:
    """Return the values of a document, in line with its present tokens.

    A merged token has the sum of its parts. The parts of a split token share its values by their
    length.

    Args:
        doc: The document.
        name: Name of the attribute.

    Returns:
        Float32, shape (n_tokens,) or (n_tokens, n_labels), read-only and owning their memory. None
        where there are no values for this text: no component has classified the document, or it was
        cut out of a larger one.
    """
    record = get_record(doc, name)
    return None if record is None else record["values"]


def get_record(doc: Doc, name: str) -> Record | None:
    """Return values as `get_values`, as "values" beside what is stored with them."""
    record = stored(doc, name)
    if record is None:
        return None
    values, layout = record["values"], token_layout(doc)
    if not numpy.array_equal(layout, record["layout"]):
        bounds, old_bounds = token_bounds(layout), stored_bounds(record)
        if text_length(bounds) != text_length(old_bounds):
            return None
        realigned = own(_realign(values, old_bounds, bounds))
        others = {key: value for key, value in record.items() if key not in _OF_TOKENS}
        store(doc, name, realigned, **others)
    elif not values.flags.owndata or values.flags.writeable:
        # Loaded from bytes: a view of the whole message.
        record["values"] = own(values)
    return stored(doc, name)


def get_labels(doc: Doc, name: str = CONTRIBUTIONS) -> tuple[str, ...] | None:
    """Return the labels of the columns of a document's values; None where it has no such values."""
    record = stored(doc, name)
    if record is None or record["labels"] is None or get_values(doc, name) is None:
        return None
    return tuple(record["labels"])


def token_value(token: Token, name: str = ATTENTION) -> float | Floats | None:
    """Return a token's value; for several labels its values, shape (n_labels,), read-only."""
    record = stored(token.doc, name)
    if record is not None and is_in_place(token, stored_bounds(record)):
        # A loop over tokens asks once for each, so this must not touch the whole document.
        return _plain(record["values"][token.i])
    values = get_values(token.doc, name)
    return None if values is None else _plain(values[token.i])


def span_value(span: Span, name: str = ATTENTION) -> float | Floats | None:
    """Return the sum of the values of a span's tokens; as `token_value`."""
    values = get_values(span.doc, name)
    return None if values is None else _plain(values[span.start : span.end].sum(axis=0))


def _plain(values: Any) -> float | Floats:
    if not numpy.ndim(values):
        return float(values)
    row = cast(Floats, values)
    row.flags.writeable = False
    return row


def _realign(values: Floats, old: Bounds, new: Bounds) -> NDArray[numpy.float64]:
    """Carry values over to other tokens of the same text, each spread evenly over its characters.

    What has come together up to a character grows linearly within an old token and is constant
    between tokens; a new token gets what is added between its start and its end.
    """
    positions = old.reshape(-1).astype(numpy.float64)
    columns = values.reshape(len(values), -1).T
    totals = numpy.cumsum(columns, axis=1, dtype=numpy.float64)
    shares = numpy.zeros((len(new), len(columns)))
    for column, total in enumerate(numpy.pad(totals, ((0, 0), (1, 0)))):
        heights = numpy.stack((total[:-1], total[1:]), axis=1).reshape(-1)
        upto = numpy.interp(new.reshape(-1), positions, heights).reshape(-1, 2)
        shares[:, column] = upto[:, 1] - upto[:, 0]
    return shares.reshape(len(new), *values.shape[1:])
