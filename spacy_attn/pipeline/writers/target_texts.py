"""Texts as sequences of tokens that keep the space before them, so that they can be put together.

A token has few forms so: of most words there is one with a space, and of most marks one without.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy
import spacy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.util import get_lang_class

from ...models.symbols import UNKNOWN, Symbols

_APOSTROPHES = ("'", "\N{RIGHT SINGLE QUOTATION MARK}")
# Those that look like closing ones, too, and open with a space before them.
_OPENING_QUOTES = (
    ' "',
    " '",
    " \N{LEFT DOUBLE QUOTATION MARK}",
    " \N{LEFT SINGLE QUOTATION MARK}",
)


def check_language(where: str, target_lang: str) -> None:
    """Raise a ValueError if spaCy has no such language."""
    try:
        get_lang_class(target_lang)
    except ImportError as error:
        raise ValueError(
            f"{where}: 'target_lang' must be a language of spaCy, such as 'en' or 'xx', but is "
            f"{target_lang!r}."
        ) from error


def check_labels(name: str, labels: Any) -> list[str]:
    """Return the tokens that a component can write, as a list.

    Raises:
        ValueError: If they are something else, or words without the space before them.
    """
    remedy = (
        f"write them with 'python -m spacy init labels', and name that file in "
        f"[initialize.components.{name}.labels]"
    )
    found = [labels] if isinstance(labels, str) else list(labels)
    if isinstance(labels, str) or not all(isinstance(label, str) for label in found):
        raise ValueError(
            f"Component '{name}': 'labels' must be a list of tokens, but is {labels!r:.80}: "
            f"{remedy}."
        )
    words = [label for label in found if _is_word(label.removeprefix(" "))]
    if words and not any(word.startswith(" ") for word in words):
        raise ValueError(
            f"Component '{name}': each token in 'labels' must have the space that is written "
            f"before it, as ' {words[0]:.40}', but none has, as in {words[0]!r:.40}: {remedy}."
        )
    return found


@lru_cache
def blank_tokenizer(lang: str) -> Callable[[str], Doc]:
    """Return the tokenizer that spaCy has for a language. It is slow to make, so it is kept."""
    return spacy.blank(lang).tokenizer


def spaced_tokens(doc: Doc, *, lower: bool = False) -> list[str]:
    """Return the tokens of a text, each with the space before it.

    The first one is written as if it had one, too: a word is then the same wherever it stands.

    Args:
        lower: Whether to write them in lower case.
    """
    spaces = [" ", *(token.whitespace_ for token in doc)]
    tokens = [space + token.text for space, token in zip(spaces, doc, strict=False)]
    return [token.lower() for token in tokens] if lower else tokens


def read_tokens(doc: Doc, *, lower: bool = False) -> list[str]:
    """Return the tokens of a document that are read, each with the space before it.

    White space is not read. Whatever its kind, it is a space before the next token.
    """
    found = []
    is_after_space = False
    for token, spaced in zip(doc, spaced_tokens(doc, lower=lower), strict=True):
        if not token.is_space:
            found.append(f" {spaced.removeprefix(' ')}" if is_after_space else spaced)
        is_after_space = token.is_space
    return found


def put_spaces(symbols: Iterable[str]) -> bool:
    """Return whether a language has spaces between words, from the tokens that can be written.

    In one that has none, say Chinese, only the first word of a text is a token with a space.
    """
    words = [symbol for symbol in symbols if _is_word(symbol.removeprefix(" "))]
    return sum(word.startswith(" ") for word in words) >= len(words) / 2


def spell(
    symbols: Symbols,
    numbers: Sequence[int],
    source: Sequence[str],
    weights: NDArray[numpy.float32],
    spaces: bool,
) -> list[str]:
    """Return the tokens that were written, each with the space before it.

    In place of an unknown one, there is the token of the document that was looked at most.

    Args:
        symbols: Those that can be written.
        numbers: Those that were written, as numbers.
        source: The tokens of the document, each with the space before it.
        weights: With which they were looked at, shape (n_output, n_source).
        spaces: Whether the language that is written has spaces between words.
    """
    found: list[str] = []
    for number, symbol, row in zip(numbers, symbols.spell(numbers, source), weights, strict=True):
        is_unknown = number == UNKNOWN
        if is_unknown or number >= len(symbols):
            places = [i for i, token in enumerate(source) if is_unknown or token == symbol]
            place = max(places, key=row.__getitem__)
            symbol = copied_token(source, place, found[-1] if found else "", spaces)
        found.append(symbol)
    return found


def copied_token(source: Sequence[str], place: int, before: str, spaces: bool) -> str:
    """Return a token of a document with the space that it has where it is written.

    That is the space of the document where both have the same token before it. Otherwise a word or
    an opening bracket has a space, and any other mark keeps its own.

    Args:
        source: The tokens of the document, each with the space before it.
        place: Which one is copied.
        before: The token that was written before it, with its space; "" at the beginning.
        spaces: Whether the language that is written has spaces between words.
    """
    token = source[place]
    plain = token.removeprefix(" ")
    is_same = place > 0 and source[place - 1].removeprefix(" ") == before.removeprefix(" ")
    if is_same or not (_is_word(plain) or _opens(plain)):
        return token
    return f" {plain}" if spaces and not _joins_next(before) else plain


def _is_word(token: str) -> bool:
    return token[:1].isalnum()


def _opens(token: str) -> bool:
    """Return whether a token is an opening bracket, or a quote that looks so."""
    return unicodedata.category(token[-1]) == "Ps"


def _joins_next(token: str) -> bool:
    """Return whether a token that was written has no space after it.

    That is white space, an opening bracket or quote, a sign between the parts of a word, and "l'".
    """
    if not token:
        return False
    last = token[-1]
    if last.isspace() or _opens(token) or token in _OPENING_QUOTES:
        return True
    if last in _APOSTROPHES:
        return any(map(str.isalpha, token))
    return not token.startswith(" ") and (last == "/" or unicodedata.category(last) == "Pd")


def plain_tokens(spaced: Iterable[str]) -> list[str]:
    """Return tokens without the space before them."""
    return [token.removeprefix(" ") or token for token in spaced]


def join_tokens(spaced: Iterable[str]) -> str:
    """Return the text of tokens with the space before them."""
    return "".join(spaced).removeprefix(" ")
