"""Counts of words: how often each occurred, and what its occurrences added up to."""

from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Token

from .word_summary import WordSummary

# An example of a word is so many characters of the text before and after it. Not the whole text:
# what is kept must not grow with the length of documents.
_EXCERPT = 40


@dataclass
class _Word:
    totals: NDArray[numpy.float64]
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class WordCounts:
    """Words in lower case, with the sums of what their tokens added, in columns.

    Args:
        n_examples: Number of examples to keep of each word.
    """

    n_examples: int
    words: dict[str, _Word] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.words)

    def add(self, doc: Doc, values: NDArray[numpy.floating]) -> None:
        """Count the tokens of a document but for white space.

        Args:
            doc: The document.
            values: What each token added, shape (n_tokens, n_columns).
        """
        for token, added in zip(doc, values, strict=True):
            if token.is_space:
                continue
            word = self.words.get(token.lower_)
            if word is None:
                word = self.words[token.lower_] = _Word(numpy.zeros(len(added)))
            word.totals += added
            word.count += 1
            if len(word.examples) < self.n_examples:
                word.examples.append(_excerpt(token))

    def best(
        self, label: str, column: int, top: int, *, min_count: int = 1, sort_by: str = "total"
    ) -> list[WordSummary]:
        """Return the words that added most in a column, which is that of a label.

        Args:
            label: The label.
            column: The column.
            top: At most so many words.
            min_count: Leave out words that occurred more rarely.
            sort_by: "mean" or "total".
        """
        summaries = [
            WordSummary(
                word=text,
                label=label,
                total=float(word.totals[column]),
                mean=float(word.totals[column] / word.count),
                count=word.count,
                examples=tuple(word.examples),
            )
            for text, word in self.words.items()
            if word.count >= min_count
        ]
        return sorted(summaries, key=lambda each: (-getattr(each, sort_by), each.word))[:top]


def _excerpt(token: Token) -> str:
    text, start, end = token.doc.text, token.idx, token.idx + len(token)
    before = ("…" if start > _EXCERPT else "") + text[max(0, start - _EXCERPT) : start]
    after = text[end : end + _EXCERPT] + ("…" if len(text) > end + _EXCERPT else "")
    return before + token.text + after
