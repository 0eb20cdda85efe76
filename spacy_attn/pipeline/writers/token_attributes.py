"""String attributes of tokens by their names: spaCy's own, such as "LEMMA", or "_.NAME"."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy
from spacy.tokens import Doc, Token
from spacy.tokens.underscore import Underscore

# Those that a component can read, and those that it can set.
READABLE = ("ORTH", "NORM", "LOWER", "LEMMA", "PREFIX", "SUFFIX", "SHAPE")
WRITABLE = ("LEMMA", "NORM")
_EXTENSION = "_."
# What stands for no value in CoNLL-U.
EMPTY = "_"

# What an attribute holds: a string, or symbols.
Value = str | tuple[str, ...]


@dataclass(frozen=True)
class TokenAttribute:
    """A string attribute of tokens.

    Attributes:
        name: "LEMMA" for `token.lemma_`, or "_.NAME" for `token._.NAME`, which may hold a list of
            strings, too.
    """

    name: str

    def check(self, where: str, setting: str, allowed: Sequence[str]) -> None:
        """Raise a ValueError for a name that is not among those allowed, and no extension's."""
        is_own = self.is_extension and self.own_name.isidentifier()
        if self.name not in allowed and not (is_own and not hasattr(Underscore, self.own_name)):
            raise ValueError(
                f"{where}: '{setting}' must be one of {', '.join(allowed)}, or an attribute of "
                f'your own such as "_.name", but is {self.name!r}.'
            )

    @cached_property
    def is_extension(self) -> bool:
        return self.name.startswith(_EXTENSION)

    @cached_property
    def own_name(self) -> str:
        """The name alone, in lower case for those of spaCy."""
        return self.name.removeprefix(_EXTENSION) if self.is_extension else self.name.lower()

    @cached_property
    def path(self) -> str:
        """What follows `token.` where it is read: `lemma_`, or `_.NAME`."""
        return self.name if self.is_extension else f"{self.own_name}_"

    def install(self, where: str) -> None:
        """Register an extension that is not there, with None where it has no value.

        Raises:
            ValueError: If there is one that cannot be set.
        """
        if not self.is_extension:
            return
        if not Token.has_extension(self.own_name):
            Token.set_extension(self.own_name, default=None)
        _, method, getter, setter = Token.get_extension(self.own_name)
        if (method or getter) and not setter:
            raise ValueError(
                f"{where}: '{self.name}' cannot be set, since it is registered with a "
                f"{'method' if method else 'getter'} and without a setter. Name another 'target'."
            )

    def read(self, token: Token) -> Value | None:
        """Return the value of a token; None where it has none, or none that is of strings.

        One that is the default of its extension is none: nobody has given it.
        """
        if not self.is_extension:
            return getattr(token, self.path) or None
        if not Token.has_extension(self.own_name):
            return None
        value, default = token._.get(self.own_name), Token.get_extension(self.own_name)[0]
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return None if value == default else tuple(value)
        return value if isinstance(value, str) and value != default else None

    def read_ids(self, doc: Doc) -> list[int]:
        """Return the id of the string of each token; 0 where it has none."""
        if not self.is_extension:
            return doc.to_array([self.name]).reshape(-1).tolist()
        texts, strings = (self.read(token) for token in doc), doc.vocab.strings
        return [strings.add(text) if isinstance(text, str) else 0 for text in texts]

    def has_value(self, token: Token) -> bool:
        """Return whether a token has a value; of NORM, another one than all of its form have."""
        return token.norm != token.lex.norm if self.name == "NORM" else self.read(token) is not None

    def has_values(self, doc: Doc) -> list[bool]:
        """Return whether each token has a value, as `has_value`."""
        if not self.is_extension and self.name != "NORM":
            return (doc.to_array([self.name]).reshape(-1) != numpy.uint64(0)).tolist()
        return [self.has_value(token) for token in doc]

    def write(self, token: Token, value: Value) -> None:
        """Set the value of a token; symbols become a list."""
        if self.is_extension:
            token._.set(self.own_name, list(value) if isinstance(value, tuple) else value)
        else:
            setattr(token, self.path, value)
