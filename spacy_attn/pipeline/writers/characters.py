"""Strings as sequences of characters in which capital letters are written apart, and back."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate, pairwise

import numpy
from numpy.typing import NDArray
from spacy.tokens import Token

# Before a letter that is a capital, and before a text of two or more letters that all are. Marks
# have several characters, as no character has.
CAPITAL, CAPITALS = "^capital", "^capitals"
_MARKS = (CAPITAL, CAPITALS)
# Languages in which I is the capital of an i without a dot, and one with a dot that of i.
_DOTLESS = {"az", "tr"}
_DOTLESS_LOWER = str.maketrans({"I": "\N{LATIN SMALL LETTER DOTLESS I}", "İ": "i"})
_DOTLESS_UPPER = str.maketrans({"\N{LATIN SMALL LETTER DOTLESS I}": "I", "i": "İ"})
# What is written for a plain apostrophe: the right quotation mark, the letter, and the wide one.
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bc\uff07", "'"))
# After which a sentence begins, where nothing else says so; also after several of them.
_ENDS = set(".!?…:")
# As many line breaks end a paragraph.
_PARAGRAPH = 2
# How many tokens on either side tell that a token is in a headline; how long those are that count,
# and how many of them are capitalised.
_NEAR, _LONGER, _AT_LEAST = 5, 4, 2
_DIGITS = re.compile(r"\d+")
_BEFORE_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}(?!\d))")


def lower_case(text: str, lang: str) -> str:
    """Return a text in lower case, as a language has it."""
    return (text.translate(_DOTLESS_LOWER) if lang in _DOTLESS else text).lower()


def usual_spelling(text: str) -> str:
    """Return a word as most treebanks have it: composed characters (NFC), plain apostrophes.

    What has no letter, say a closing quotation mark, is left as it is.
    """
    if text.isascii() or not any(map(str.isalpha, text)):
        return text
    return unicodedata.normalize("NFC", text).translate(_APOSTROPHES)


def numbers(text: str) -> list[str]:
    """Return the digits of a text that stand together. Signs between thousands are left out."""
    return _DIGITS.findall(_BEFORE_THOUSANDS.sub("", text))


def n_inner_dashes(text: str) -> int:
    """Return how many dashes stand inside a text."""
    return sum(unicodedata.category(character) == "Pd" for character in text[1:-1])


def has_inner_sign(text: str) -> bool:
    """Return whether a sign stands inside a text, as in an address or the name of a file.

    Apostrophes and dashes belong to words, and points and commas to numbers.
    """
    if text.isalnum() or not any(map(_is_sign, text[1:-1])):
        return False
    return any(map(str.isalpha, text)) or not any(map(str.isdecimal, text))


def has_only_signs(text: str) -> bool:
    """Return whether a text has neither letters nor digits."""
    return not any(map(str.isalnum, text))


def _is_sign(character: str) -> bool:
    # Punctuation and symbols, but for dashes and apostrophes. Marks of vowels, say, are none.
    category = unicodedata.category(character)
    is_apostrophe = character.translate(_APOSTROPHES) == "'"
    return category[0] in "PS" and category != "Pd" and not is_apostrophe


def may_be_name(token: Token, form: str) -> bool:
    """Return whether a form is capitalised for another reason than that it begins a sentence."""
    return _is_capitalised(form) and not _begins_sentence(token)


def is_capital_of_place(token: Token, form: str) -> bool:
    """Return whether a form may have its capital only as it begins a sentence, or is in a title."""
    return _is_capitalised(form) and (_begins_sentence(token) or is_in_title(token))


def is_in_title(token: Token) -> bool:
    """Return whether most longer words next to it are capitalised, as in a headline."""
    near = token.doc[max(0, token.i - _NEAR) : token.i + _NEAR + 1]
    longer = [each for each in near if len(each) >= _LONGER and each.is_alpha and each != token]
    n_capitalised = sum(_is_capitalised(each.text) for each in longer)
    return n_capitalised >= _AT_LEAST and 2 * n_capitalised > len(longer)


def capitalised(text: str, lang: str) -> str:
    """Return a text with a capital at its beginning, as a language has it."""
    return _upper_case(text[:1], lang) + text[1:]


def with_inner_capitals(text: str, lang: str) -> str:
    """Return a text with a capital after each sign inside, if it has one at its beginning alone."""
    if text.isalpha() or not text[:1].isupper() or lower_case(text[1:], lang) != text[1:]:
        return text
    starts = {0, *(i + 1 for i, character in enumerate(text) if not character.isalnum())}
    return "".join(_upper_case(c, lang) if i in starts else c for i, c in enumerate(text))


def _is_capitalised(form: str) -> bool:
    return form[:1].isupper() and not form[1:].isupper()


def _begins_sentence(token: Token) -> bool:
    """Return whether white space, quotes or brackets at most are before it in its sentence.

    Where nothing has set sentences, these begin after certain marks.
    """
    while token.i and not token.is_sent_start:
        before, is_known = token.nbor(-1), token.is_sent_start is not None
        if not is_known and before.is_space and before.text.count("\n") >= _PARAGRAPH:
            return True
        if not (before.is_space or before.is_quote or before.is_bracket):
            return not is_known and _ENDS.issuperset(before.text)
        token = before
    return True


def in_capitals(text: str, lang: str) -> str:
    """Return a text in capitals, as a language has it."""
    return "".join(_upper_case(character, lang) for character in text)


def to_symbols(text: str, lang: str) -> list[str]:
    """Return the symbols of a text: its characters, a capital letter as two.

    A text that is in capitals altogether is like that in lower case, but for one mark. A capital
    without a lower case of one character, from which it can be told, stays as it is.
    """
    if lower_case(text, lang) == text:
        return list(text)
    lowered = [_lower(character, lang) for character in text]
    n_capitals = sum(map(str.__ne__, text, lowered))
    if n_capitals > 1 and in_capitals("".join(lowered), lang) == text:
        return [CAPITALS, *lowered]
    symbols = []
    for character, lower in zip(text, lowered, strict=True):
        symbols += [character] if lower == character else [CAPITAL, lower]
    return symbols


def from_symbols(symbols: Iterable[str], lang: str) -> str:
    """Return the text that symbols stand for. Where no letter follows, a mark says nothing."""
    symbols = list(symbols)
    if not any(mark in symbols for mark in _MARKS):
        return "".join(symbols)
    text, mark = "", ""
    for symbol in symbols:
        if symbol in _MARKS:
            mark = CAPITALS if CAPITALS in (mark, symbol) else CAPITAL
        else:
            text += _upper_case(symbol, lang) if mark else symbol
            mark = mark if mark == CAPITALS else ""
    return text


def by_character(
    weights: NDArray[numpy.float32], source: Sequence[str], target: Sequence[str] | None
) -> NDArray[numpy.float32]:
    """Return the weights of symbols as those of characters, a capital letter being one again.

    Args:
        weights: Shape (n_target, n_source).
        source: The symbols of what was read.
        target: The symbols of what was written. A capital has the mean of its two rows. None where
            they are no characters.
    """
    columns = _places(source)
    merged = numpy.zeros((len(weights), max(columns) + 1), dtype="float32")
    numpy.add.at(merged.T, columns, weights.T)
    if target is None:
        return merged
    rows = _places(target)
    means = numpy.zeros((max(rows) + 1, merged.shape[1]), dtype="float32")
    numpy.add.at(means, rows, merged)
    means /= numpy.bincount(rows).reshape(-1, 1)
    return means


def in_own_characters(weights: NDArray[numpy.float32], text: str) -> NDArray[numpy.float32]:
    """Return the weights of a text in its usual spelling as those of its own characters.

    Those that make up a composed character share its weight.

    Args:
        weights: Shape (n_target, n_composed).
        text: The text as it is spelled.
    """
    composed = partial(unicodedata.normalize, "NFC")
    whole = composed(text)
    # Where nothing before is composed with what follows.
    starts = [i for i in range(len(text)) if composed(text[:i]) + composed(text[i:]) == whole]
    found = numpy.zeros((len(weights), len(text)), dtype="float32")
    for start, end in pairwise([*starts, len(text)]):
        part = weights[:, len(composed(text[:start])) : len(composed(text[:end]))]
        is_same = part.shape[1] == end - start
        found[:, start:end] = part if is_same else part.sum(axis=1, keepdims=True) / (end - start)
    return found


def _places(symbols: Sequence[str]) -> list[int]:
    """Return the place of the character that each symbol belongs to."""
    # Of the letters before it.
    return list(accumulate((symbol not in _MARKS for symbol in symbols[:-1]), initial=0))


def _lower(character: str, lang: str) -> str:
    """Return the small letter of a capital, if it tells this; else the character itself."""
    lower = lower_case(character, lang)
    if lower == character:
        return character
    return lower if len(lower) == 1 and _upper_case(lower, lang) == character else character


def _upper_case(letter: str, lang: str) -> str:
    return (letter.translate(_DOTLESS_UPPER) if lang in _DOTLESS else letter).upper()
