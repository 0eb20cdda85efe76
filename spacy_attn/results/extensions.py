"""The attributes that components set, and their registration.

The attention has one value for each token, the contributions one for each token and label. Either
exists on tokens and spans, too. `token_values` stores what they show. `written_data` stores what
components have written for documents and tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from spacy.tokens import Doc, Span, Token
from spacy.tokens.underscore import Underscore

from .alignment import ALIGNMENT
from .explanation import ATTENTION, CONTRIBUTIONS
from .token_values import get_labels, get_values, span_value, token_value
from .written_data import (
    GENERATED,
    LEMMA,
    generated_text,
    generated_tokens,
    generated_weights,
    store_target,
    token_source,
    token_weights,
)

Reader = Callable[[Any, str], Any]

_READERS: tuple[tuple[Any, Reader], ...] = (
    (Doc, get_values),
    (Token, token_value),
    (Span, span_value),
)

# The component that is named where any of its kind is meant.
_TEXTCAT = "attn_textcat"


# Instances of classes, not functions: these can be pickled for other processes, and compared with
# the getters of extensions that exist already.
@dataclass(frozen=True)
class _Getter:
    read: Reader
    name: str

    def __call__(self, obj: Doc | Token | Span) -> Any:
        return self.read(obj, self.name)


@dataclass(frozen=True)
class _ReadOnly:
    """A setter that refuses, since spaCy would otherwise accept a value and never show it."""

    name: str
    remedy: str = ""

    def __call__(self, obj: Doc | Token | Span, value: Any) -> None:
        raise AttributeError(
            f"'{type(obj).__name__.lower()}._.{self.name}' is read-only: it holds what the "
            f"component has found.{self.remedy}"
        )


@dataclass(frozen=True)
class _TargetSetter:
    """A setter of the text to learn from."""

    name: str

    def __call__(self, doc: Doc, value: Any) -> None:
        store_target(doc, value, self.name)


class _Attribute(NamedTuple):
    """An attribute to be registered, the setting that gives another name, and how it is set."""

    owner: Any
    getter: _Getter
    name: str
    factory: str
    setting: str | None
    setter: Callable[[Any, Any], None] | None = None

    @property
    def remedy(self) -> str:
        """What to do where another extension has the name."""
        if self.setting is None:
            return "Remove the other extension, or give it another name."
        config = f'config={{"{self.setting}": "my_{self.getter.name}"}}'
        return (
            f"Give the component another name for its own, for example "
            f'nlp.add_pipe("{self.factory}", {config}), or remove the other extension.'
        )


def install_extensions(name: str = ATTENTION, *, setting: str = "attention_attr") -> None:
    """Register `doc._.NAME`, `token._.NAME` and `span._.NAME`, unless they are there already.

    Args:
        name: The name.
        setting: The component's setting that gives the name, for error messages.

    Raises:
        ValueError: If the name cannot be an attribute, or if another extension of that name exists;
            nothing is registered then.
    """
    _install(_of_tokens(name, setting))


def install_contributions(name: str = CONTRIBUTIONS) -> None:
    """Register the same for values of several labels, and `doc._.NAME_labels`, which names these.

    Raises:
        ValueError: As `install_extensions`.
    """
    setting = "contributions_attr"
    labels = _Getter(get_labels, name)
    _install(
        [
            *_of_tokens(name, setting),
            _Attribute(Doc, labels, f"{name}_labels", _TEXTCAT, setting),
        ]
    )


def install_generated(name: str = GENERATED) -> None:
    """Register what a component writes for a document, unless it is there already.

    Args:
        name: Of the text, `doc._.NAME`, which can be set to what is to be learned. Its tokens are
            `doc._.NAME_tokens`. Its alignment is `doc._.alignment`, and under another name than
            "generated" `doc._.NAME_alignment`.

    Raises:
        ValueError: As `install_extensions`.
    """
    alignment = ALIGNMENT if name == GENERATED else f"{name}_{ALIGNMENT}"
    readers = {
        name: generated_text,
        f"{name}_tokens": generated_tokens,
        alignment: generated_weights,
    }
    remedy = f" A text to learn from is set as doc._.{name}."
    _install(
        [
            _Attribute(
                Doc,
                _Getter(read, name),
                attr,
                "attn_seq2seq",
                "generated_attr",
                _TargetSetter(name) if attr == name else _ReadOnly(attr, remedy),
            )
            for attr, read in readers.items()
        ]
    )


def install_token_alignments(name: str = LEMMA) -> None:
    """Register what a component tells of what it writes for tokens, unless it is there already.

    Args:
        name: What it writes. The alignment is `token._.NAME_alignment`, and `token._.NAME_source`
            says where it comes from.

    Raises:
        ValueError: As `install_extensions`.
    """
    readers = {f"{name}_source": token_source, f"{name}_alignment": token_weights}
    _install(
        [
            _Attribute(Token, _Getter(read, name), attr, "attn_lemmatizer", None)
            for attr, read in readers.items()
        ]
    )


def _of_tokens(name: str, setting: str) -> list[_Attribute]:
    return [
        _Attribute(owner, _Getter(read, name), name, _TEXTCAT, setting) for owner, read in _READERS
    ]


def _install(attributes: list[_Attribute]) -> None:
    missing = []
    for attribute in attributes:
        owner, getter, name, *_ = attribute
        if not name.isidentifier() or hasattr(Underscore, name):
            setting = attribute.setting or "target"
            raise ValueError(
                f"'{setting}' must be a name that can follow 'doc._.' and is not one of spaCy's "
                f"own (get, set, has), but is {getter.name!r}."
            )
        if not owner.has_extension(name):
            missing.append(attribute)
        elif owner.get_extension(name)[2] != getter:
            raise ValueError(
                f"An extension attribute '{owner.__name__}._.{name}' exists already and belongs to "
                f"something else. {attribute.remedy}"
            )
    for owner, getter, name, *_, setter in missing:
        owner.set_extension(name, getter=getter, setter=setter or _ReadOnly(name))
