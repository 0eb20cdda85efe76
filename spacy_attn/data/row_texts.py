"""Texts of rows: that they are texts, and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import MissingValue, RowProblem

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


def check_text(value: Any, column: str, setting: str) -> str:
    """Return a value that is a text.

    Args:
        value: The value.
        column: Its column.
        setting: The setting that names the column.

    Raises:
        MissingValue: If it is null.
        RowProblem: If it is anything else.
    """
    if value is None:
        raise MissingValue(column, "is null where a text is wanted")
    if not isinstance(value, str):
        raise RowProblem(
            column,
            f"holds {value!r:.80} of type {type(value).__name__} where a text is wanted; name a "
            f"column of strings in '{setting}'",
        )
    return value


def tokenize(nlp: Language, text: str, column: str) -> Doc:
    """Make a document of a text.

    Raises:
        RowProblem: If the text is longer than the pipeline allows.
    """
    if len(text) > nlp.max_length:
        raise RowProblem(
            column,
            f"makes a text of {len(text)} characters, more than nlp.max_length = "
            f"{nlp.max_length}; raise that, for example in an [nlp.after_creation] callback",
        )
    return nlp.make_doc(text)
