"""Texts as sequences of tokens that keep the space before them, so that they can be put together.

A token has few forms so: of most words there is one with a space, and of most marks one without.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

import spacy
from spacy.tokens import Doc
from spacy.util import get_lang_class


def check_language(where: str, target_lang: str) -> None:
    """Raise a ValueError if spaCy has no such language."""
    try:
        get_lang_class(target_lang)
    except ImportError as error:
        raise ValueError(
            f"{where}: 'target_lang' must be a language of spaCy, such as 'en' or 'xx', but is "
            f"{target_lang!r}."
        ) from error


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


def plain_tokens(spaced: Iterable[str]) -> list[str]:
    """Return tokens without the space before them."""
    return [token.removeprefix(" ") or token for token in spaced]


def join_tokens(spaced: Iterable[str]) -> str:
    """Return the text of tokens with the space before them."""
    return "".join(spaced).removeprefix(" ")
