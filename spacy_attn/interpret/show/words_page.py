"""The words of a corpus as a web page: a section for each table, with bars and examples."""

from collections.abc import Sequence
from typing import NamedTuple

from ..corpus_words.word_summary import WordSummary, WordTable
from .templating import fill_template

# Follows the note of each table.
COUNTED = "Behind it is the number of occurrences."


class Bar(NamedTuple):
    """A word, and the length and number of its bar."""

    word: WordSummary
    share: float  # of the longest bar of the table, from -1 to 1
    value: str


def bars(table: WordTable) -> dict[str, list[Bar]]:
    """Return the bars of each label of a table."""
    words = [word for found in table.words.values() for word in found]
    longest = max((abs(getattr(word, table.measure)) for word in words), default=0.0) or 1.0
    return {
        label: [_bar(word, getattr(word, table.measure), longest) for word in found]
        for label, found in table.words.items()
    }


def _bar(word: WordSummary, value: float, longest: float) -> Bar:
    return Bar(word, value / longest, f"{value:+.3f}".replace("-", "\N{MINUS SIGN}"))


def to_html(title: str, numbers: str, tables: Sequence[WordTable]) -> str:
    """Write a page, complete in one file: it fetches nothing.

    Args:
        title: Of the page.
        numbers: What the corpus is, in sentences.
        tables: The words.
    """
    return fill_template(
        "words.html.jinja",
        title=title,
        numbers=numbers,
        counted=COUNTED,
        sections=[(table, bars(table)) for table in tables],
        styles=["contributions"],
    )
