"""From a row to its text, and from text and labels to an Example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spacy.training import Example

from .errors import MissingValue, RowProblem

if TYPE_CHECKING:
    from spacy.language import Language


def read_text(row: Mapping[str, Any], columns: Sequence[str], separator: str) -> str:
    """Join the text columns of a row. Nothing else is done to the text.

    Args:
        row: The row.
        columns: The names of the columns, in the order in which they are joined.
        separator: What stands between two columns.

    Returns:
        The text, which may be empty.

    Raises:
        MissingValue: If a column is null.
        RowProblem: If a column holds anything but a string.
    """
    for column in columns:
        value = row[column]
        if value is None:
            raise MissingValue(column, "is null where a text is wanted")
        if not isinstance(value, str):
            raise RowProblem(
                column,
                f"holds {value!r:.80} of type {type(value).__name__} where a text is wanted; "
                "name a column of strings in 'text_column'",
            )
    return separator.join(row[column] for column in columns)


def make_example(
    nlp: Language, text: str, cats: dict[str, float], columns: Sequence[str]
) -> Example:
    """Make the Example of a row.

    Args:
        nlp: Makes the document. The text is tokenized once, and the document copied.
        text: The text.
        cats: The labels, which go to the reference alone.
        columns: The text columns, for errors.

    Returns:
        The example.

    Raises:
        RowProblem: If the text is longer than the pipeline takes.
    """
    if len(text) > nlp.max_length:
        raise RowProblem(
            columns[0],
            f"makes a text of {len(text)} characters, more than nlp.max_length = {nlp.max_length};"
            " raise that, for example in an [initialize.before_init] callback",
        )
    predicted = nlp.make_doc(text)
    reference = predicted.copy()
    reference.cats = cats
    return Example(predicted, reference)
