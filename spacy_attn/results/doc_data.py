"""What components store on a document, with the place of each token in the text.

It lies in `doc.user_data`. The place of a token in the text does not change when other tokens are
merged or split. So what is stored is brought back in line with the tokens whenever it is read.
"""

import warnings
from typing import Any, cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import LENGTH, SPACY
from spacy.tokens import Doc, Token

from .explanation import Floats

# Of each token, shape (n_tokens, 2): its length in characters and whether a space follows it.
Layout = NDArray[numpy.int32]
# Of each token, shape (n_tokens, 2): its first character, and the one past its last.
Bounds = NDArray[numpy.int32]
# What is stored under a name: "values", what belongs to them, "layout" and, once used, "bounds".
Record = dict[str, Any]
_SUFFIX = "_data"


def warn_of_replacement(
    doc: Doc, name: str, author: str | None, settings: str | None, owner: str = "doc"
) -> None:
    """Warn if what a component stores under a name replaces what another one has stored.

    Args:
        doc: The document.
        name: The name.
        author: Name of the component.
        settings: The component's settings that give another name; None if there are none.
        owner: What shows the values.
    """
    # A component from another pipeline, `add_pipe(source=...)`, learns only here of the others.
    earlier = (stored(doc, name) or {}).get("author")
    if author is not None and earlier not in (None, author):
        remedy = f"give one of them another name with its setting {settings}"
        if settings is None:
            remedy = "only what the last one says stays"
        warnings.warn(
            f"The component '{author}' replaces what '{earlier}' stored as '{owner}._.{name}'. If "
            f"both are in one pipeline, {remedy}.",
            stacklevel=3,
        )


def store(doc: Doc, name: str, values: Any, **others: Any) -> None:
    """Store values under a name, and what belongs to them. Msgpack must be able to hold them."""
    cast("dict[Any, Any]", doc.user_data)[_key(name)] = {
        "values": values,
        # The bounds of tokens follow from it when they are asked for: this is called for each
        # document of a stream, and most are never looked at.
        "layout": token_layout(doc),
        **others,
    }


def remove(doc: Doc, name: str) -> None:
    """Remove what is stored under a name, if anything is."""
    cast("dict[Any, Any]", doc.user_data).pop(_key(name), None)


def stored(doc: Doc, name: str) -> Record | None:
    """Return what `store` has stored, if it is that."""
    found = cast("dict[Any, Any]", doc.user_data).get(_key(name))
    return found if isinstance(found, dict) and {"values", "layout"} <= found.keys() else None


def stored_names(doc: Doc) -> list[str]:
    """Return the names under which `store` has stored something."""
    keys = (key for key in doc.user_data if isinstance(key, tuple) and len(key) == 4)
    names = ((str(key[1]).removesuffix(_SUFFIX), key) for key in keys)
    return [name for name, key in names if key == _key(name) and stored(doc, name) is not None]


def _key(name: str) -> tuple[str, str, None, None]:
    """Return where spaCy would keep the value of an extension attribute of another name.

    Under the name itself, `doc.to_json` would take what is stored for the attribute's value.
    """
    return ("._.", name + _SUFFIX, None, None)


def own(values: NDArray[numpy.floating]) -> Floats:
    """Return a read-only copy as float32."""
    owned = numpy.array(values, dtype=numpy.float32)
    owned.flags.writeable = False
    return owned


def is_in_place(token: Token, bounds: Bounds) -> bool:
    """Tell whether a token is the one that had its index when the bounds were stored."""
    return (
        token.i < len(bounds)
        and bounds[token.i, 0] == token.idx
        and bounds[token.i, 1] == token.idx + len(token)
        and _is_of_text(token.doc, bounds)
    )


def index_in(token: Token, bounds: Bounds) -> int | None:
    """Return the index that a token had when the bounds were stored; None if it was no token."""
    if is_in_place(token, bounds):
        return token.i
    if not _is_of_text(token.doc, bounds):
        return None
    index = int(numpy.searchsorted(bounds[:, 0], token.idx))
    same = index < len(bounds) and bounds[index].tolist() == [token.idx, token.idx + len(token)]
    return index if same else None


def _is_of_text(doc: Doc, bounds: Bounds) -> bool:
    last = doc[-1]
    return text_length(bounds) == last.idx + len(last)


def token_layout(doc: Doc) -> Layout:
    """Return the layout of the present tokens."""
    return doc.to_array([LENGTH, SPACY]).astype(numpy.int32)


def stored_bounds(record: Record) -> Bounds:
    """Return the bounds that values were stored for, and keep them for the next time."""
    if "bounds" not in record:
        record["bounds"] = token_bounds(record["layout"])
    return cast(Bounds, record["bounds"])


def token_bounds(layout: Layout) -> Bounds:
    """Return the bounds of the tokens of a layout."""
    lengths, with_space = layout[:, 0], layout.sum(axis=1, dtype=numpy.int32)
    starts = numpy.cumsum(with_space, dtype=numpy.int32) - with_space
    return numpy.stack((starts, starts + lengths), axis=1)


def text_length(bounds: Bounds) -> int:
    """Return the number of characters up to the end of the last token."""
    return int(bounds[-1, 1]) if len(bounds) else 0
