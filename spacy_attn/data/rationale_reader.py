"""A reader of labelled texts in which people have marked what the label was given for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example

from .errors import RowProblem
from .reader import HFDataset
from .rows import Item, Row, Skipped


@dataclass
class HFRationales(HFDataset):
    """Read a data set as `HFDataset` does, and rationales as `reference.spans`.

    Args:
        rationale_column: The column of the rationales, whose name the span group gets. Each row has
            phrases of its text, or pairs of the first character and the one after the last. A
            phrase stands for its first occurrence, and for the next one each time it is repeated.
            An empty list or a null has none.
    """

    rationale_column: str = "rationale"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(bool(self.rationale_column), "'rationale_column' must name a column")
        self.columns = tuple(dict.fromkeys([*self.columns, self.rationale_column]))

    def read_rows(self, convert: Callable[[Row, Skipped], Item]) -> Iterator[Item]:
        """Go through the rows once, and mark the rationale of each document."""

        def convert_marked(row: Row, skipped: Skipped) -> Item:
            item = convert(row, skipped)
            if isinstance(item, Example):
                mark(item.reference, row[self.rationale_column], self.rationale_column)
            return item

        return super().read_rows(convert_marked)


def mark(doc: Doc, rationale: Any, column: str) -> None:
    """Put a rationale into the span group that has the name of its column.

    Args:
        doc: The document.
        rationale: As in `HFRationales`.
        column: Its column.

    Raises:
        RowProblem: For a phrase that is not in the text, and for any other value.
    """
    parts = [] if rationale is None else rationale
    if isinstance(parts, str):
        parts = [parts]
    if not isinstance(parts, list):
        raise RowProblem(column, f"holds {rationale!r:.80}, {_WANTED}")
    spans, ends = [], dict[str, int]()
    for part in parts:
        if isinstance(part, str):
            start = doc.text.find(part, ends.get(part, 0)) if part else -1
            if start < 0:
                raise RowProblem(
                    column, f"has the phrase {part!r:.80}, which its text does not have so often"
                )
            bounds = (start, start + len(part))
            ends[part] = bounds[1]
        else:
            bounds = _read_pair(part, len(doc.text), column)
        spans.append(doc.char_span(*bounds, alignment_mode="expand"))
    doc.spans[column] = [span for span in spans if span is not None and len(span)]


_WANTED = (
    "where a list is wanted of phrases of the text, or of pairs of the first character and the one "
    "after the last"
)


def _read_pair(pair: Any, length: int, column: str) -> tuple[int, int]:
    """Read the bounds of a span, in characters."""
    values = pair if isinstance(pair, list | tuple) else []
    if len(values) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        raise RowProblem(column, f"holds {pair!r:.80}, {_WANTED}")
    start, end = values
    if not 0 <= start < end <= length:
        raise RowProblem(
            column, f"has the span {[start, end]}, but its text has {length} characters"
        )
    return start, end
