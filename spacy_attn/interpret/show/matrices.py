"""What is shown of alignments: matrices with what was read above and what was written beside."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy
from spacy.tokens import Doc, Span, Token

from ...results.alignment import ALIGNMENT, Alignment
from ...results.explanation import TOKEN, shorten
from ...results.targets import Contrast
from ...results.written_data import (
    document_alignment,
    generated_text,
    names_with_alignments,
    token_alignment,
)
from .scale import GREYS, Shade
from .templating import visible

# So much of a symbol is in the note of each of its cells, and of a text in an error. The heading of
# a symbol has all of it.
_SHOWN_CHARACTERS = 40
_NO_WEIGHTS = numpy.zeros((0, 0), dtype=numpy.float32)
# Something that cannot be seen alone stands on this, as in the charts of Unicode.
_DOTTED_CIRCLE = "\N{DOTTED CIRCLE}"
_NOTHING = "\N{EMPTY SET}"


class Cell(NamedTuple):
    """What is shown of a weight. Nothing is escaped yet."""

    shade: Shade
    percent: str  # "" where it is less than half of one
    title: str  # both symbols and the weight, for the mouse; "" where it would say 0.0 %


class Row(NamedTuple):
    """What is shown of a symbol that was written."""

    symbol: str
    cells: list[Cell]


@dataclass(frozen=True)
class Matrix:
    """An alignment to be shown.

    Attributes:
        alignment: The alignment.
        written: What was written, as one text.
        read: What was read, where it is short enough to be named.
        language: The language code of what was read, or "".
    """

    alignment: Alignment
    written: str
    read: str | None = None
    language: str = ""

    @property
    def log_probability(self) -> str:
        """With a minus sign that screen readers read as such; "" where it is unknown."""
        known = self.alignment.log_probability
        return "" if known is None else f"{known:.2f}".replace("-", "\N{MINUS SIGN}")

    @property
    def without_rows(self) -> str:
        """What is said in place of rows where there are none."""
        return "(nothing written)" if self.alignment.source else "(no alignment)"

    @property
    def columns(self) -> list[str]:
        """What was read, visible."""
        return [heading(symbol) for symbol in self.alignment.source]

    @property
    def rows(self) -> list[Row]:
        """What was written, and the cells of its weights."""
        written = [heading(symbol) for symbol in self.alignment.target]
        read = [shorten(symbol, _SHOWN_CHARACTERS) for symbol in self.columns]
        return [
            Row(symbol, _cells(read, shorten(symbol, _SHOWN_CHARACTERS), weights, levels))
            for symbol, weights, levels in zip(
                written,
                self.alignment.weights.tolist(),
                map(GREYS.levels, self.alignment.weights),
                strict=True,
            )
        ]

    @property
    def is_upright(self) -> bool:
        """Whether what was read is narrow enough to be written without turning it."""
        return all(len(symbol) <= 1 for symbol in self.alignment.source)

    @property
    def direction(self) -> str:
        """The direction of what was read, "ltr" or "rtl", which the columns follow."""
        kinds = [unicodedata.bidirectional(c) for c in chain.from_iterable(self.alignment.source)]
        right_to_left = sum(kind in ("R", "AL") for kind in kinds)
        return "rtl" if right_to_left > kinds.count("L") else "ltr"


def heading(symbol: str) -> str:
    """Make a symbol visible, also one that is nothing alone, as a combining mark is."""
    if not symbol:
        return _NOTHING
    if all(unicodedata.category(character) == "Cf" for character in symbol):
        return "".join(f"⟨U+{ord(character):04X}⟩" for character in symbol)
    if unicodedata.category(symbol[0]).startswith("M"):
        symbol = _DOTTED_CIRCLE + symbol
    return visible(symbol)


def _cells(read: list[str], written: str, weights: list[float], levels: list[int]) -> list[Cell]:
    cells = []
    for source, weight, level in zip(read, weights, levels, strict=True):
        percent = f"{100 * weight:.0f}"
        exact = f"{100 * weight:.1f}"
        # Isolated from one another (Unicode Standard Annex 9): each keeps its own direction.
        title = f"\u2068{source}\u2069 → \u2068{written}\u2069: {exact}\N{NO-BREAK SPACE}%"
        cells.append(
            Cell(
                GREYS.shade(level),
                "" if percent == "0" else percent,
                "" if exact == "0.0" else title,
            )
        )
    return cells


def matrices(
    docs: object,
    written_attr: str | None = None,
    *,
    label: str | None = None,
    contrast: Contrast | None = None,
    by: str = TOKEN,
) -> list[Matrix]:
    """Pick the alignments to be shown. Arguments and errors are those of `render`."""
    if label is not None or contrast is not None:
        given = f"the contrast {contrast!r}" if label is None else f"the label {label!r}"
        raise ValueError(
            f"An alignment belongs to what was written, not to a label: leave out {given}."
        )
    if by != TOKEN:
        raise ValueError(f"An alignment has no bars: leave out by={by!r}.")
    if isinstance(docs, Alignment):
        return [_from_alignment(docs)]
    if isinstance(docs, Doc | Span | Token):
        return _from_doc(docs, written_attr)
    if isinstance(docs, str) or not isinstance(docs, Iterable):
        raise TypeError(
            f"Only a Doc, a Span, a Token or an Alignment, or several of them, can be shown with "
            f"style={ALIGNMENT!r}, not {type(docs).__name__}: pass nlp(text), or what "
            f"component.explain(docs) returns."
        )
    # A component that writes for tokens explains documents as lists, with None where it has not.
    of_each = (matrices(doc, written_attr) for doc in docs if doc is not None)
    return list(chain.from_iterable(of_each))


def _from_alignment(alignment: Alignment, language: str = "") -> Matrix:
    # Of tokens the columns say it, and better.
    read = alignment.source_text if alignment.of_characters else None
    return Matrix(alignment, alignment.target_text, read, language)


def _from_doc(part: Doc | Span | Token, written_attr: str | None) -> list[Matrix]:
    """Return what was written for a document, and then what was written for its tokens."""
    doc = part if isinstance(part, Doc) else part.doc
    tokens = [part] if isinstance(part, Token) else part
    found: list[Matrix] = []
    names = names_with_alignments(doc)
    for name in names if written_attr is None else [written_attr]:
        whole = document_alignment(doc, name) if part is doc else None
        if whole is not None:
            found.append(Matrix(whole, generated_text(doc, name) or "", language=doc.lang_))
        alignments = (token_alignment(token, name) for token in tokens)
        found.extend(_from_alignment(each, doc.lang_) for each in alignments if each is not None)
    if found:
        return found
    known = names if written_attr is None else {written_attr} & {*names}
    if part is not doc and known and all(document_alignment(doc, name) for name in known):
        raise ValueError(
            f"{_named(part)} has no alignment of its own, since a text was written for the whole "
            f"document: show {type(part).__name__.lower()}.doc."
        )
    if isinstance(part, Token) or not known:
        raise ValueError(_missing(part, written_attr))
    # Its lemmas come from a dictionary, say. Among several documents, it is not left out.
    return [
        Matrix(Alignment((), (), _NO_WEIGHTS), "", shorten(part.text.strip(), _SHOWN_CHARACTERS))
    ]


def _named(part: Doc | Span | Token) -> str:
    what = "document" if isinstance(part, Doc) else type(part).__name__.lower()
    return f"The {what} '{shorten(part.text, _SHOWN_CHARACTERS)}'"


def _missing(part: Doc | Span | Token, written_attr: str | None) -> str:
    named = "" if written_attr is None else f" of {written_attr!r}"
    return (
        f"{_named(part)} has no alignment{named}: run a pipeline on its text that has "
        f"'attn_seq2seq', or 'attn_lemmatizer' or 'attn_transducer' with alignment = true, or show "
        f"what the component's explain([doc]) returns."
    )
