"""Examples that keep tokens and labels as numbers, and make their documents when asked for them."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

import numpy
from spacy.attrs import NORM, ORTH, SPACY
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example

Value = TypeVar("Value", bound=Hashable)


class Shared:
    """Keeps one of all values that are equal."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def __call__(self, value: Value) -> Value:
        """Return the value that was the first of those that are equal."""
        return self._kept.setdefault(value, value)


class LazyExample(Example):
    """An Example with labels, whose two documents are made anew each time they are asked for.

    For a sentence it takes about 1,000 bytes, where two documents take about 20,000. What is
    written to one of its documents is lost with that document.

    Args:
        doc: A document as spaCy's own tokenizer makes it, which `can_be_lazy` tells.
        cats: The labels of the reference.
        shared: What examples have in common.
    """

    __slots__ = ("_labels", "_norms", "_orths", "_spaces", "_values", "_vocab")

    def __init__(self, doc: Doc, cats: Mapping[str, float], shared: Shared) -> None:
        # That of Example would keep the documents.
        self._vocab = doc.vocab
        found = doc.to_array([ORTH, SPACY, NORM])
        self._orths = tuple(map(shared, found[:, 0].tolist()))
        self._spaces = shared(tuple(found[:, 1].astype(bool).tolist()))
        self._norms: tuple[tuple[int, str], ...] = ()
        # "n't" is another word as a part of "don't" than alone.
        (special,) = numpy.nonzero(found[:, 2] != self.predicted.to_array(NORM))
        self._norms = tuple((i, doc[i].norm_) for i in special.tolist())
        self._labels = shared(tuple(cats))
        self._values = array("d", cats.values())

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self._orths)

    @property  # type: ignore[misc]
    def predicted(self) -> Doc:
        """A document of the tokens alone."""
        doc = Doc(self._vocab, words=self._orths, spaces=self._spaces)  # type: ignore[arg-type]
        for i, norm in self._norms:
            doc[i].norm_ = norm
        return doc

    @property  # type: ignore[misc]
    def reference(self) -> Doc:
        """A document of the same tokens, with the labels."""
        doc = self.predicted
        doc.cats = dict(zip(self._labels, self._values, strict=True))
        return doc

    x, y = predicted, reference


def _of_example(name: str) -> property:
    return property(lambda lazy: getattr(Example(lazy.predicted, lazy.reference), name))


# The methods of Example read fields, in C, that are empty here.
for _name in {name for name in dir(Example) if not name.startswith("__")}:
    if _name not in (*vars(LazyExample), "from_dict"):
        setattr(LazyExample, _name, _of_example(_name))


def can_be_lazy(nlp: Language) -> bool:
    """Return whether words, spaces and norms are all that a tokenizer gives a document."""
    return type(nlp.tokenizer) is Tokenizer
