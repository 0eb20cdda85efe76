"""Values for the tokens of a document: storage, and realignment with tokens that have changed.

The values lie in `doc.user_data`, together with the place of each value's token in the text. That
place does not change when tokens are merged or split. So values are brought back in line with the
tokens whenever they are read.
"""

import warnings
from collections.abc import Sequence
from typing import Any, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import LENGTH, SPACY
from spacy.tokens import Doc, Span, Token

from .explanation import ATTENTION, CONTRIBUTIONS, Floats

# Of each token, shape (n_tokens, 2): its length in characters and whether a space follows it.
Layout = NDArray[numpy.int32]
# Of each token, shape (n_tokens, 2): its first character, and the one past its last.
Bounds = NDArray[numpy.int32]


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
    # A component from another pipeline, `add_pipe(source=...)`, learns only here of the others.
    earlier = (_stored(doc, name) or {}).get("author")
    if author is not None and earlier not in (None, author):
        warnings.warn(
            f"The component '{author}' replaces what '{earlier}' stored as 'doc._.{name}'. If both "
            f"are in one pipeline, give one of them another name with its setting "
            f"'attention_attr' or 'contributions_attr'.",
            stacklevel=2,
        )
    cast("dict[Any, Any]", doc.user_data)[_key(name)] = {
        "values": _own(values),
        # The bounds of tokens follow from it when they are asked for: this is called for each
        # document of a stream, and most are never looked at.
        "layout": _token_layout(doc),
        "labels": None if labels is None else list(labels),
        "author": author,
    }


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
    stored = _stored(doc, name)
    if stored is None:
        return None
    values, layout = stored["values"], _token_layout(doc)
    if not numpy.array_equal(layout, stored["layout"]):
        bounds, stored_bounds = _token_bounds(layout), _stored_bounds(stored)
        if _text_length(bounds) != _text_length(stored_bounds):
            return None
        realigned = _realign(values, stored_bounds, bounds)
        set_values(doc, realigned, name, labels=stored["labels"], author=stored.get("author"))
    elif not values.flags.owndata or values.flags.writeable:
        # Loaded from bytes: a view of the whole message.
        stored["values"] = _own(values)
    return cast(dict[str, Any], _stored(doc, name))["values"]


def get_labels(doc: Doc, name: str = CONTRIBUTIONS) -> tuple[str, ...] | None:
    """Return the labels of the columns of a document's values; None where it has no such values."""
    stored = _stored(doc, name)
    if stored is None or stored["labels"] is None or get_values(doc, name) is None:
        return None
    return tuple(stored["labels"])


def token_value(token: Token, name: str = ATTENTION) -> float | Floats | None:
    """Return a token's value; for several labels its values, shape (n_labels,), read-only."""
    stored = _stored(token.doc, name)
    if stored is not None and _is_in_place(token, _stored_bounds(stored)):
        # A loop over tokens asks once for each, so this must not touch the whole document.
        return _plain(stored["values"][token.i])
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


def _key(name: str) -> tuple[str, str, None, None]:
    """Return where spaCy itself keeps the value of a document's extension attribute."""
    return ("._.", name, None, None)


def _stored(doc: Doc, name: str) -> dict[str, Any] | None:
    """Return what `set_values` has stored, if it is that."""
    found = cast("dict[Any, Any]", doc.user_data).get(_key(name))
    return found if isinstance(found, dict) and {"values", "layout"} <= found.keys() else None


def _own(values: NDArray[numpy.floating]) -> Floats:
    owned = numpy.array(values, dtype=numpy.float32)
    owned.flags.writeable = False
    return owned


def _is_in_place(token: Token, bounds: Bounds) -> bool:
    """Tell whether a token is the one that had its index when the bounds were stored."""
    last = token.doc[-1]
    return (
        token.i < len(bounds)
        and bounds[token.i, 0] == token.idx
        and bounds[token.i, 1] == token.idx + len(token)
        and bounds[-1, 1] == last.idx + len(last)
    )


def _token_layout(doc: Doc) -> Layout:
    return doc.to_array([LENGTH, SPACY]).astype(numpy.int32)


def _stored_bounds(stored: dict[str, Any]) -> Bounds:
    """Return the bounds that values were stored for, and keep them for the next time."""
    if "bounds" not in stored:
        stored["bounds"] = _token_bounds(stored["layout"])
    return cast(Bounds, stored["bounds"])


def _token_bounds(layout: Layout) -> Bounds:
    lengths, with_space = layout[:, 0], layout.sum(axis=1, dtype=numpy.int32)
    starts = numpy.cumsum(with_space, dtype=numpy.int32) - with_space
    return numpy.stack((starts, starts + lengths), axis=1)


def _text_length(bounds: Bounds) -> int:
    return int(bounds[-1, 1]) if len(bounds) else 0


def _realign(values: Floats, old: Bounds, new: Bounds) -> NDArray[numpy.float64]:
    """Carry values over to other tokens of the same text, each spread evenly over its characters.

    What has come together up to a character grows linearly within an old token and is constant
    between tokens; a new token gets what is added between its start and its end.
    """
    positions = old.reshape(-1).astype(numpy.float64)
    columns = values.reshape(len(values), -1).T
    totals = numpy.cumsum(columns, axis=1, dtype=numpy.float64)
    shares = []
    for total in numpy.pad(totals, ((0, 0), (1, 0))):
        heights = numpy.stack((total[:-1], total[1:]), axis=1).reshape(-1)
        upto = numpy.interp(new.reshape(-1), positions, heights).reshape(-1, 2)
        shares.append(upto[:, 1] - upto[:, 0])
    return numpy.stack(shares, axis=1).reshape(len(new), *values.shape[1:])
