"""The words of a corpus as a web page: those of each label, and those that misled."""

from collections.abc import Mapping
from typing import NamedTuple

from ..word_summary import WordSummary
from .templating import fill_template


class _Bar(NamedTuple):
    word: WordSummary
    share: float  # of the longest bar of the section, from 0 to 1


class _Section(NamedTuple):
    title: str
    note: str
    measure: str  # the field that the bars are of
    labels: dict[str, list[_Bar]]


def to_html(
    title: str,
    numbers: str,
    words: Mapping[str, list[WordSummary]],
    sort_by: str,
    misleading: Mapping[str, list[WordSummary]],
) -> str:
    """Write a page, complete in one file: it fetches nothing.

    Args:
        title: Of the page.
        numbers: What the corpus is, in sentences.
        words: Those of each label.
        sort_by: What these are sorted by, "mean" or "total".
        misleading: For each label that was wrongly given, the words that spoke for it.
    """
    what = "an occurrence of the word adds to the logit, on average"
    if sort_by == "total":
        what = "the word added to the logits, over all its occurrences"
    sections = [_section("Words of each label", f"A bar is what {what}.", sort_by, words)]
    if misleading:
        note = (
            "In documents that were decided wrongly: what the word added to the label that was "
            "given, and not to the one that was missed, over all its occurrences."
        )
        sections.append(_section("Words that misled", note, "total", misleading))
    return fill_template(
        "words.html.jinja",
        title=title,
        numbers=numbers,
        sections=sections,
        styles=["contributions"],
    )


def _section(
    title: str, note: str, measure: str, words: Mapping[str, list[WordSummary]]
) -> _Section:
    values = [abs(getattr(word, measure)) for found in words.values() for word in found]
    longest = max(values, default=0.0) or 1.0
    labels = {
        label: [_Bar(word, getattr(word, measure) / longest) for word in found]
        for label, found in words.items()
    }
    return _Section(title, note, measure, labels)
