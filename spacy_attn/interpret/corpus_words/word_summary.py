"""`WordSummary`: what one word contributed, over a whole corpus; and tables of such words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class WordSummary:
    """What a word contributed to a label's logit, over all its occurrences.

    Attributes:
        word: In lower case.
        total: The sum of its attributions.
        mean: The same by occurrence.
        count: The number of occurrences.
        examples: Stretches of text around its first occurrences.
    """

    word: str
    label: str
    total: float
    mean: float
    count: int
    examples: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class WordTable:
    """The words of each label, under one title.

    Attributes:
        title: Says which words these are.
        note: Says in a sentence what a value is.
        measure: The field of `WordSummary` that the words are sorted by, "mean" or "total".
        words: For each label, its words, the first one most.
    """

    title: str
    note: str
    measure: str
    words: Mapping[str, list[WordSummary]]


def words_to_dict(words: Mapping[str, list[WordSummary]]) -> dict[str, Any]:
    """Return words in lists, strings and numbers, which JSON can hold."""
    return {
        label: [{**vars(word), "examples": list(word.examples)} for word in found]
        for label, found in words.items()
    }


def words_to_dataframe(tables: Sequence[WordTable]) -> "pandas.DataFrame":
    """Return a row for each table, label and word, with the fields of `WordSummary`."""
    import pandas

    rows = [
        {"table": table.title, **vars(word)}
        for table in tables
        for words in table.words.values()
        for word in words
    ]
    return pandas.DataFrame(rows, columns=["table", *WordSummary.__dataclass_fields__])
