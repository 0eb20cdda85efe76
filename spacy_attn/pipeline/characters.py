"""Strings as sequences of characters in which capital letters are written apart, and back."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy
from numpy.typing import NDArray
from spacy.tokens import Token

# Before a letter that is a capital. It has several characters, as no character has.
CAPITAL = "^capital"
# Languages in which I is the capital of an i without a dot, and one with a dot that of i.
_DOTLESS = {"az", "tr"}
_DOTLESS_LOWER = {"I": "\N{LATIN SMALL LETTER DOTLESS I}", "İ": "i"}
# After which a sentence begins.
_ENDS = {".", "!", "?", "…", ":"}
_DOTLESS_UPPER = {lower: upper for upper, lower in _DOTLESS_LOWER.items()}


def lower_case(text: str, lang: str) -> str:
    """Return a text in lower case, as a language has it."""
    if lang in _DOTLESS:
        text = "".join(_DOTLESS_LOWER.get(each, each) for each in text)
    return text.lower()


def may_be_name(token: Token, form: str) -> bool:
    """Return whether a form is capitalised for another reason than that it begins a sentence."""
    if not form[:1].isupper() or form[1:].isupper():
        return False
    before = next((each for each in reversed(token.doc[: token.i]) if not each.is_quote), None)
    begins = before is None or before.text in _ENDS or token.is_sent_start is True
    return not begins


def to_symbols(text: str, lang: str) -> list[str]:
    """Return the symbols of a text: its characters, a capital letter as two.

    A capital without a lower case of one character, from which it can be told, stays as it is.
    """
    symbols = []
    for character in text:
        lower = lower_case(character, lang)
        if lower != character and len(lower) == 1 and _upper_case(lower, lang) == character:
            symbols += [CAPITAL, lower]
        else:
            symbols.append(character)
    return symbols


def from_symbols(symbols: Iterable[str], lang: str) -> str:
    """Return the text that symbols stand for. Where no letter follows, `CAPITAL` says nothing."""
    text, is_capital = "", False
    for symbol in symbols:
        if symbol == CAPITAL:
            is_capital = True
        else:
            text += _upper_case(symbol, lang) if is_capital else symbol
            is_capital = False
    return text


def by_character(
    weights: NDArray[numpy.float32], source: Sequence[str], target: Sequence[str]
) -> NDArray[numpy.float32]:
    """Return the weights of symbols as those of characters, a capital letter being one again.

    Args:
        weights: Shape (n_target, n_source).
        source: The symbols of what was read.
        target: The symbols of what was written. A capital has the mean of its two rows.
    """
    columns, rows = _places(source), _places(target)
    merged = numpy.zeros((len(target), max(columns) + 1), dtype="float32")
    numpy.add.at(merged.T, columns, weights.T)
    means = numpy.zeros((max(rows) + 1, merged.shape[1]), dtype="float32")
    numpy.add.at(means, rows, merged)
    means /= numpy.bincount(rows).reshape(-1, 1)
    return means


def _places(symbols: Sequence[str]) -> list[int]:
    """Return the place of the character that each symbol belongs to."""
    # Of the letters before it.
    return list(accumulate((symbol != CAPITAL for symbol in symbols[:-1]), initial=0))


def _upper_case(letter: str, lang: str) -> str:
    return _DOTLESS_UPPER.get(letter, letter.upper()) if lang in _DOTLESS else letter.upper()
