"""The attributes in which a component shows what each token had to do with its decision.

The attention, `doc._.attention`, has one value for each token; the contributions,
`doc._.contributions`, have one for each token and label. Either exists on tokens and spans, too.

The values lie in `doc.user_data`, together with the place of each value's token in the text. That
place does not change when tokens are merged or split, so the values can be brought back in line
with the tokens whenever they are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import LENGTH, SPACY
from spacy.tokens import Doc, Span, Token
from spacy.tokens.underscore import Underscore

from .explanation import ATTENTION, CONTRIBUTIONS

Floats = NDArray[numpy.float32]
Layout = NDArray[numpy.int32]
Bounds = NDArray[numpy.int32]


@dataclass(frozen=True)
class _Attribute:
    """One accessor of an extension; instances of a module-level class, so that they pickle.

    Attributes:
        name: Name of the extension attribute that holds the values.
    """

    name: str


class DocValues(_Attribute):
    def __call__(self, doc: Doc) -> Floats | None:
        return get_values(doc, self.name)


class DocLabels(_Attribute):
    def __call__(self, doc: Doc) -> tuple[str, ...] | None:
        return get_labels(doc, self.name)


class TokenValues(_Attribute):
    def __call__(self, token: Token) -> float | Floats | None:
        stored = _stored(token.doc, self.name)
        if stored is not None and _is_in_place(token, _stored_bounds(stored)):
            # A loop over tokens asks once for each, so this must not touch the whole document.
            return _plain(stored["values"][token.i])
        values = get_values(token.doc, self.name)
        return None if values is None else _plain(values[token.i])


class SpanValues(_Attribute):
    def __call__(self, span: Span) -> float | Floats | None:
        values = get_values(span.doc, self.name)
        return None if values is None else _plain(values[span.start : span.end].sum(axis=0))


class ReadOnly(_Attribute):
    """A setter that refuses, since spaCy would otherwise accept a value and never show it."""

    def __call__(self, obj: Doc | Token | Span, value: Any) -> None:
        raise AttributeError(
            f"'{type(obj).__name__.lower()}._.{self.name}' is read-only: it holds what the "
            f"component that classified the document has found."
        )


_VALUES: tuple[tuple[Any, type[_Attribute]], ...] = (
    (Doc, DocValues),
    (Token, TokenValues),
    (Span, SpanValues),
)


def install_extensions(name: str = ATTENTION, *, setting: str = "attention_attr") -> None:
    """Register `doc._.NAME`, `token._.NAME` and `span._.NAME`, unless they are there already.

    Args:
        setting: The component's setting that gives the name, for error messages.

    Raises:
        ValueError: If the name cannot be an attribute, or if another extension of that name exists;
            nothing is registered then.
    """
    _install([(owner, name, getter(name)) for owner, getter in _VALUES], setting)


def install_contributions(name: str = CONTRIBUTIONS) -> None:
    """Register the same for values of several labels, and `doc._.NAME_labels`, which names these.

    Raises:
        ValueError: As `install_extensions`.
    """
    accessors = [(owner, name, getter(name)) for owner, getter in _VALUES]
    _install([*accessors, (Doc, labels_attr(name), DocLabels(name))], "contributions_attr")


def labels_attr(name: str) -> str:
    """The name of the attribute that has the labels of the values in another one."""
    return f"{name}_labels"


def _install(accessors: Sequence[tuple[Any, str, _Attribute]], setting: str) -> None:
    missing = []
    for owner, name, getter in accessors:
        if not name.isidentifier() or hasattr(Underscore, name):
            raise ValueError(
                f"'{setting}' must be a name that can follow 'doc._.' and is not one of spaCy's "
                f"own (get, set, has), but is {name!r}."
            )
        if not owner.has_extension(name):
            missing.append((owner, name, getter))
        elif owner.get_extension(name)[2] != getter:
            raise ValueError(
                f"An extension attribute '{owner.__name__}._.{name}' exists already and belongs to "
                f"something else. Give the component another name for its own, for example "
                f'nlp.add_pipe("attn_textcat", config={{"{setting}": "my_{getter.name}"}}), '
                f"or remove the other extension."
            )
    for owner, name, getter in missing:
        owner.set_extension(name, getter=getter, setter=ReadOnly(name))


def set_values(
    doc: Doc,
    values: NDArray[numpy.floating],
    name: str = ATTENTION,
    *,
    labels: Sequence[str] | None = None,
    author: str | None = None,
) -> None:
    """Store the values of a document's tokens.

    Args:
        values: For each token, shape (n_tokens,) or (n_tokens, n_labels); copied.
        labels: Those of the columns.
        author: Name of the component that they are of.
    """
    _user_data(doc)[_key(name)] = {
        "values": _own(values),
        # From which the bounds of tokens follow, when they are asked for: this is called for each
        # document of a stream, and most are never looked at.
        "layout": _token_layout(doc),
        "labels": None if labels is None else list(labels),
        "author": author,
    }


def author_of(doc: Doc, name: str = ATTENTION) -> str | None:
    """The name of the component that the values of a document are of, if that is known."""
    stored = _stored(doc, name)
    return None if stored is None else stored.get("author")


def get_values(doc: Doc, name: str = ATTENTION) -> Floats | None:
    """The values of a document, in line with its present tokens.

    Returns:
        Float32, shape (n_tokens,) or (n_tokens, n_labels), read-only and owning their memory. A
        merged token has the sum of its parts, the parts of a split token share its values by their
        length. None where there are no values for this text: no component has classified the
        document, or it was cut out of a larger one.
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
    return _user_data(doc)[_key(name)]["values"]


def get_labels(doc: Doc, name: str = CONTRIBUTIONS) -> tuple[str, ...] | None:
    """The labels of the columns of a document's values; None where it has no such values."""
    if get_values(doc, name) is None:
        return None
    labels = _user_data(doc)[_key(name)]["labels"]
    return None if labels is None else tuple(labels)


def _plain(values: Any) -> float | Floats:
    """One token's value as a number, its values for several labels as a read-only array."""
    if not numpy.ndim(values):
        return float(values)
    row = cast(Floats, values)
    row.flags.writeable = False
    return row


def _user_data(doc: Doc) -> dict[Any, Any]:
    return cast(dict[Any, Any], doc.user_data)


def _stored(doc: Doc, name: str) -> dict[str, Any] | None:
    """What `set_values` has stored, if it is that."""
    found = _user_data(doc).get(_key(name))
    return found if isinstance(found, dict) and {"values", "layout"} <= found.keys() else None


def _key(name: str) -> tuple[str, str, None, None]:
    """Where spaCy itself keeps the value of a document's extension attribute."""
    return ("._.", name, None, None)


def _is_in_place(token: Token, bounds: Bounds) -> bool:
    """Whether a token is the one that had its index when the bounds were stored."""
    last = token.doc[-1]
    return (
        token.i < len(bounds)
        and bounds[token.i, 0] == token.idx
        and bounds[token.i, 1] == token.idx + len(token)
        and bounds[-1, 1] == last.idx + len(last)
    )


def _own(values: NDArray[numpy.floating]) -> Floats:
    owned = numpy.array(values, dtype=numpy.float32)
    owned.flags.writeable = False
    return owned


def _token_layout(doc: Doc) -> Layout:
    """Characters of each token, and whether a space follows it, shape (n_tokens, 2)."""
    return doc.to_array([LENGTH, SPACY]).astype(numpy.int32)


def _stored_bounds(stored: dict[str, Any]) -> Bounds:
    """The bounds of the tokens that values were stored for, which are kept for the next time."""
    if "bounds" not in stored:
        stored["bounds"] = _token_bounds(stored["layout"])
    return cast(Bounds, stored["bounds"])


def _token_bounds(layout: Layout) -> Bounds:
    """First and past-the-last character of each token, shape (n_tokens, 2)."""
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
    columns = values.reshape(len(values), -1).T
    shares = [_realign_column(column, old, new) for column in columns]
    return numpy.stack(shares, axis=1).reshape(len(new), *values.shape[1:])


def _realign_column(values: Floats, old: Bounds, new: Bounds) -> NDArray[numpy.float64]:
    total = numpy.concatenate(([0.0], numpy.cumsum(values, dtype=numpy.float64)))
    positions = old.reshape(-1).astype(numpy.float64)
    heights = numpy.stack((total[:-1], total[1:]), axis=1).reshape(-1)
    upto = numpy.interp(new.reshape(-1), positions, heights).reshape(-1, 2)
    return upto[:, 1] - upto[:, 0]
