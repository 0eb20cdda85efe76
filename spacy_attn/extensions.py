"""The attributes `doc._.attention`, `token._.attention` and `span._.attention`.

The weights lie in `doc.user_data`, together with the place of each weight's token in the text. That
place does not change when tokens are merged or split, so the weights can be brought back in line
with the tokens whenever they are read.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import LENGTH, SPACY
from spacy.tokens import Doc, Span, Token
from spacy.tokens.underscore import Underscore

ATTENTION = "attention"

Floats = NDArray[numpy.float32]
Bounds = NDArray[numpy.int32]


@dataclass(frozen=True)
class _Attribute:
    """One accessor of an extension; instances of a module-level class, so that they pickle.

    name: Name of the extension attribute.
    """

    name: str


class DocAttention(_Attribute):
    def __call__(self, doc: Doc) -> Floats | None:
        return get_attention(doc, self.name)


class TokenAttention(_Attribute):
    def __call__(self, token: Token) -> float | None:
        stored = _user_data(token.doc).get(_key(self.name))
        if stored is not None and _is_in_place(token, stored["bounds"]):
            # A loop over tokens asks once for each, so this must not touch the whole document.
            return float(stored["weights"][token.i])
        weights = get_attention(token.doc, self.name)
        return None if weights is None else float(weights[token.i])


class SpanAttention(_Attribute):
    def __call__(self, span: Span) -> float | None:
        weights = get_attention(span.doc, self.name)
        return None if weights is None else float(weights[span.start : span.end].sum())


class ReadOnly(_Attribute):
    """A setter that refuses, since spaCy would otherwise accept a value and never show it."""

    def __call__(self, obj: Doc | Token | Span, value: Any) -> None:
        raise AttributeError(
            f"'{type(obj).__name__.lower()}._.{self.name}' is read-only: it holds the attention of "
            f"the component that classified the document."
        )


_GETTERS: tuple[tuple[Any, type[_Attribute]], ...] = (
    (Doc, DocAttention),
    (Token, TokenAttention),
    (Span, SpanAttention),
)


def install_extensions(name: str = ATTENTION) -> None:
    """Register `doc._.NAME`, `token._.NAME` and `span._.NAME`, unless they are there already.

    RAISES: ValueError if the name cannot be an attribute, or if another extension of that name
        exists; nothing is registered then.
    """
    if not name.isidentifier() or hasattr(Underscore, name):
        raise ValueError(
            f"'attention_attr' must be a name that can follow 'doc._.' and is not one of spaCy's "
            f"own (get, set, has), but is {name!r}."
        )
    missing = []
    for owner, getter in _GETTERS:
        if not owner.has_extension(name):
            missing.append((owner, getter))
        elif owner.get_extension(name)[2] != getter(name):
            raise ValueError(
                f"An extension attribute '{owner.__name__}._.{name}' exists already and belongs to "
                f"something else. Give the component another name for its attention, for example "
                f'nlp.add_pipe("attn_textcat", config={{"attention_attr": "{name}_weights"}}), '
                f"or remove the other extension."
            )
    for owner, getter in missing:
        owner.set_extension(name, getter=getter(name), setter=ReadOnly(name))


def set_attention(doc: Doc, weights: NDArray[numpy.floating], name: str = ATTENTION) -> None:
    """Store the attention of a document.

    weights: One weight for each token, shape (n_tokens,); copied.
    """
    _user_data(doc)[_key(name)] = {
        "weights": _own(weights),
        "bounds": _token_bounds(doc),
    }


def get_attention(doc: Doc, name: str = ATTENTION) -> Floats | None:
    """The attention of a document, in line with its present tokens.

    RETURNS: Weights, float32, shape (n_tokens,), read-only and owning their memory. A merged token
        has the sum of its parts, the parts of a split token share its weight by their length. None
        where there is no attention for this text: no component has classified the document, or it
        was cut out of a larger one.
    """
    stored = _user_data(doc).get(_key(name))
    if stored is None:
        return None
    weights, bounds = stored["weights"], _token_bounds(doc)
    if not numpy.array_equal(bounds, stored["bounds"]):
        if _text_length(bounds) != _text_length(stored["bounds"]):
            return None
        set_attention(doc, _realign(weights, stored["bounds"], bounds), name)
    elif not weights.flags.owndata or weights.flags.writeable:
        # Loaded from bytes: a view of the whole message.
        stored["weights"] = _own(weights)
    return _user_data(doc)[_key(name)]["weights"]


def _user_data(doc: Doc) -> dict[Any, Any]:
    return cast(dict[Any, Any], doc.user_data)


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


def _own(weights: NDArray[numpy.floating]) -> Floats:
    owned = numpy.array(weights, dtype=numpy.float32)
    owned.flags.writeable = False
    return owned


def _token_bounds(doc: Doc) -> Bounds:
    """First and past-the-last character of each token, shape (n_tokens, 2)."""
    lengths = doc.to_array(LENGTH).astype(numpy.int32)
    with_space = lengths + doc.to_array(SPACY).astype(numpy.int32)
    starts = numpy.cumsum(with_space, dtype=numpy.int32) - with_space
    return numpy.stack((starts, starts + lengths), axis=1)


def _text_length(bounds: Bounds) -> int:
    return int(bounds[-1, 1]) if len(bounds) else 0


def _realign(weights: Floats, old: Bounds, new: Bounds) -> NDArray[numpy.float64]:
    """Carry weights over to other tokens of the same text, each spread evenly over its characters.

    The weight up to a character grows linearly within an old token and is constant between tokens;
    a new token gets what is added between its start and its end.
    """
    total = numpy.concatenate(([0.0], numpy.cumsum(weights, dtype=numpy.float64)))
    positions = old.reshape(-1).astype(numpy.float64)
    heights = numpy.stack((total[:-1], total[1:]), axis=1).reshape(-1)
    upto = numpy.interp(new.reshape(-1), positions, heights).reshape(-1, 2)
    return upto[:, 1] - upto[:, 0]
