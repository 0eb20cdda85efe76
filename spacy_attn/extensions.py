"""The attributes `doc._.attention` and `doc._.contributions`, and their registration.

The attention has one value for each token, the contributions one for each token and label. Either
exists on tokens and spans, too. `token_values` stores what they show.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc, Span, Token
from spacy.tokens.underscore import Underscore

from .explanation import ATTENTION, CONTRIBUTIONS
from .token_values import get_labels, get_values, span_value, token_value

Reader = Callable[[Any, str], Any]

_READERS: tuple[tuple[Any, Reader], ...] = (
    (Doc, get_values),
    (Token, token_value),
    (Span, span_value),
)


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

    def __call__(self, obj: Doc | Token | Span, value: Any) -> None:
        raise AttributeError(
            f"'{type(obj).__name__.lower()}._.{self.name}' is read-only: it holds what the "
            f"component that classified the document has found."
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
    _install([(owner, _Getter(read, name), name) for owner, read in _READERS], setting)


def install_contributions(name: str = CONTRIBUTIONS) -> None:
    """Register the same for values of several labels, and `doc._.NAME_labels`, which names these.

    Raises:
        ValueError: As `install_extensions`.
    """
    getters = [(owner, _Getter(read, name), name) for owner, read in _READERS]
    labels = (Doc, _Getter(get_labels, name), f"{name}_labels")
    _install([*getters, labels], "contributions_attr")


def _install(getters: list[tuple[Any, _Getter, str]], setting: str) -> None:
    missing = []
    for owner, getter, name in getters:
        if not name.isidentifier() or hasattr(Underscore, name):
            raise ValueError(
                f"'{setting}' must be a name that can follow 'doc._.' and is not one of spaCy's "
                f"own (get, set, has), but is {name!r}."
            )
        if not owner.has_extension(name):
            missing.append((owner, getter, name))
        elif owner.get_extension(name)[2] != getter:
            raise ValueError(
                f"An extension attribute '{owner.__name__}._.{name}' exists already and belongs to "
                f"something else. Give the component another name for its own, for example "
                f'nlp.add_pipe("attn_textcat", config={{"{setting}": "my_{getter.name}"}}), '
                f"or remove the other extension."
            )
    for owner, getter, name in missing:
        owner.set_extension(name, getter=getter, setter=_ReadOnly(name))
