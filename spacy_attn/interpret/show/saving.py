"""`spacy_attn.save`: explanations and documents as files, of the kind that their name ends in."""

import dataclasses
import json
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import cast

from spacy.tokens import Doc

from ...checks import check_choice
from ...results.alignment import ALIGNMENT, Alignment
from ...results.explanation import ATTENTION, CONTRIBUTIONS, TOKEN, Explanation
from ...results.targets import Contrast
from ...text_files import write_bytes
from .canvas import require_matplotlib
from .drawing import draw
from .latex_picture import to_latex
from .legend import legend_of
from .pictures import Shown, render
from .scale import PAPER
from .shaded_text import default_style, shaded_texts

HTML, LATEX, JSON, JSON_LINES = ".html", ".tex", ".json", ".jsonl"
DRAWN = (".svg", ".png", ".pdf")
ENDINGS = (HTML, *DRAWN, LATEX, JSON, JSON_LINES)
LIGHT = "light"
_WHERE = "spacy_attn.save"


def save(
    docs: Shown | Iterable[Shown],
    path: str | PathLike[str],
    style: str | None = None,
    *,
    label: str | None = None,
    contrast: Contrast | None = None,
    by: str = TOKEN,
    theme: str | None = None,
    fold: int = 150,
    attention_attr: str = ATTENTION,
    contributions_attr: str = CONTRIBUTIONS,
) -> None:
    """Save explanations, or documents, as a file of the kind that its name ends in.

    ".html" is the page of `render`. ".svg", ".png" and ".pdf" are pictures, which Matplotlib draws
    (`pip install matplotlib`). ".tex" is LaTeX that compiles alone, and that another document can
    take in with `\\input`. All have the colours and the legend of the page.

    ".json" is a list of what `Explanation.to_dict` returns, and ".jsonl" has one in each line:
    all values, of which `Explanation.from_dict` makes explanations again. Settings of the picture
    have no effect on them.

    The file appears under its name when it is complete.

    Args:
        docs: As for `render`. Only explanations and alignments can be saved as JSON.
        path: The file.
        style: As for `render`. Alignments are shown by pages alone.
        label: As for `render`.
        contrast: As for `render`.
        by: As for `render`.
        theme: "light", the default, or "dark", for pictures. Pages have the reader's, and LaTeX is
            light.
        fold: As for `render`, for pages. Other files have the whole text.
        attention_attr: As for `render`.
        contributions_attr: As for `render`.

    Raises:
        ValueError: As `render`, for another ending or theme, and for a PNG that would be too high.
        TypeError: As `render`, and for documents that are to be JSON.
        ImportError: If a picture needs Matplotlib, and it is not installed.
    """
    path = Path(path)
    ending = check_ending(path, theme)
    style = style or default_style(label, contrast)
    if ending in (JSON, JSON_LINES):
        content = _to_json(docs, contrast, lines=ending == JSON_LINES)
    elif style == ALIGNMENT and ending != HTML:
        raise ValueError(
            f"Alignments are shown by pages alone, and not by '{path.name}': write '.html'."
        )
    elif ending == HTML:
        page = render(
            docs,
            style,
            label=label,
            contrast=contrast,
            by=by,
            fold=fold,
            page=True,
            jupyter=False,
            attention_attr=attention_attr,
            contributions_attr=contributions_attr,
        )
        content = cast(str, page).encode("utf8")
    else:
        texts = shaded_texts(
            docs,
            style,
            label=label,
            contrast=contrast,
            by=by,
            attention_attr=attention_attr,
            contributions_attr=contributions_attr,
        )
        legend = legend_of(texts, style, by)
        if ending == LATEX:
            content = to_latex(texts, legend).encode("utf8")
        else:
            content = draw(texts, legend, ending[1:], theme or LIGHT)
    write_bytes(path, content)


def check_ending(path: Path, theme: str | None = None, endings: tuple[str, ...] = ENDINGS) -> str:
    """Return how the name of a file ends, in lower case; a device gets a page.

    Args:
        path: The file.
        theme: The theme, where one was asked for.
        endings: Those that can be written.

    Raises:
        ValueError: If no such file can be written, or none in the theme.
        ImportError: If a package that it needs is not installed.
    """
    is_device = not path.suffix and path.exists() and not path.is_file() and not path.is_dir()
    ending = HTML if is_device else path.suffix.lower()
    if ending not in endings:
        raise ValueError(
            f"The name '{path.name}' must end in one of {', '.join(endings)}, which says what kind "
            f"of file to write."
        )
    if theme is not None:
        check_choice(_WHERE, "theme", theme, tuple(PAPER))
    if ending not in DRAWN and theme not in (None, LIGHT):
        raise ValueError(
            f"The theme {theme!r} is for {', '.join(DRAWN)} alone: leave it out for '{path.name}'."
        )
    if ending in DRAWN:
        require_matplotlib(ending)
    return ending


def _to_json(docs: object, contrast: Contrast | None, *, lines: bool) -> bytes:
    if isinstance(docs, Explanation | Alignment | Doc | str) or not isinstance(docs, Iterable):
        docs = [docs]
    dicts = []
    for each in docs:
        if not isinstance(each, Explanation | Alignment):
            raise TypeError(
                f"Only explanations can be saved as JSON, not {type(each).__name__}: pass what "
                f"component.explain(docs) or spacy_attn.explain(nlp, texts) returns."
            )
        if contrast is not None and isinstance(each, Explanation):
            each = dataclasses.replace(each, contrast=contrast)
        dicts.append(each.to_dict())
    if lines:
        text = "".join(json.dumps(each, allow_nan=False) + "\n" for each in dicts)
    else:
        text = json.dumps(dicts, allow_nan=False, indent=1) + "\n"
    return text.encode("utf8")
