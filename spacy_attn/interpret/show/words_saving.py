"""Words of a corpus as a file of the kind that its name ends in."""

import json
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ...text_files import write_bytes
from ..corpus_words.word_summary import WordTable, words_to_dataframe
from .saving import DRAWN, HTML, JSON, LIGHT, check_ending
from .words_page import to_html
from .words_plot import draw_words

CSV = ".csv"
WORDS_ENDINGS = (HTML, *DRAWN, CSV, JSON)
_BETWEEN_EXAMPLES = " · "


def save_words(
    path: str | PathLike[str],
    title: str,
    numbers: str,
    tables: Sequence[WordTable],
    to_dict: Callable[[], dict[str, Any]],
    theme: str | None = None,
) -> None:
    """Save words.

    Args:
        path: The file.
        title: Of a page or a plot.
        numbers: What the corpus is, in sentences, for the same.
        tables: The words.
        to_dict: Returns what JSON holds.
        theme: Of a plot.

    Raises:
        ValueError: As `WordReport.save`.
        ImportError: Likewise.
    """
    path = Path(path)
    ending = check_ending(path, theme, WORDS_ENDINGS)
    if ending in DRAWN:
        content = draw_words(title, numbers, tables, ending[1:], theme or LIGHT)
    else:
        content = _as_text(ending, title, numbers, tables, to_dict).encode("utf8")
    write_bytes(path, content)


def _as_text(
    ending: str,
    title: str,
    numbers: str,
    tables: Sequence[WordTable],
    to_dict: Callable[[], dict[str, Any]],
) -> str:
    if ending == HTML:
        return to_html(title, numbers, tables)
    if ending == JSON:
        return json.dumps(to_dict(), allow_nan=False, indent=1) + "\n"
    table = words_to_dataframe(tables)
    table["examples"] = table["examples"].map(_BETWEEN_EXAMPLES.join)
    return table.to_csv(index=False)
