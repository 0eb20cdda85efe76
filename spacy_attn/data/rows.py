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

    row (Mapping[str, Any]): The row.
    columns (Sequence[str]): The names of the columns, in the order in which they are joined.
    separator (str): What stands between two columns.
    RETURNS (str): The text, which may be empty.
    RAISES (MissingValue): If a column is null.
    RAISES (RowProblem): If a column holds anything but a string.
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

    nlp (Language): Makes the document. The text is tokenized once, and the document copied.
    text (str): The text.
    cats (dict[str, float]): The labels, which go to the reference alone.
    columns (Sequence[str]): The text columns, for errors.
    RETURNS (Example): The example.
    RAISES (RowProblem): If the text is longer than the pipeline takes.
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
