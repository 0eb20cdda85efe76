"""Shaded texts, and alignments, in a terminal."""

from collections.abc import Sequence

import numpy
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text
from spacy.tokens import Doc

from ...results.alignment import ALIGNMENT
from ...results.explanation import TOKEN, Explanation
from ...results.targets import Contrast
from .legend import Legend, legend_of
from .scale import INK, PAPER
from .shaded_text import ShadedRow, ShadedText, ShadedToken, shaded_texts
from .templating import visible
from .terminal_matrix import terminal_matrices

# The colours bring their own background, whatever that of the terminal is.
_THEME = "dark"
_BASE = Style(color=INK[_THEME], bgcolor=PAPER[_THEME])
_QUIET = Style(dim=True)
# So many tokens are named with their values, which need no colour.
N_STRONGEST = 5
# So many characters is a bar wide, on each side of 0.
_BAR_WIDTH = 8


def terminal_view(
    documents: Sequence[Doc | Explanation],
    style: str,
    *,
    label: str | None = None,
    contrast: Contrast | None = None,
    by: str = TOKEN,
) -> RenderableType:
    """Draw documents and a legend, to be printed with a `rich.console.Console`.

    Arguments and errors are those of `spacy_attn.render`.
    """
    if style == ALIGNMENT:
        return terminal_matrices(documents, label=label, contrast=contrast, by=by)
    texts = shaded_texts(documents, style, label=label, contrast=contrast, by=by)
    parts: list[RenderableType] = []
    for text in texts:
        shown = _shaded(text) if by == TOKEN else _bars(text)
        parts += [_scores(text), shown, _strongest(text), Text()]
    return Group(*parts, *_legend(legend_of(texts, style, by)))


def _scores(text: ShadedText) -> Text:
    first, *others = [f"{visible(label)} {score:.2f}" for label, score in text.by_score] or [""]
    asked = [f"   {text.question}"] if text.question else []
    return Text.assemble((first, "bold"), "".join(f"   {other}" for other in others), *asked)


def _shaded(text: ShadedText) -> RenderableType:
    shown = _tokens(list(text.shaded_tokens()), text.scale.signed)
    return Padding(shown if text.tokens else Text("(no tokens)"), (1, 2), style=_BASE)


def _tokens(tokens: Sequence[ShadedToken], signed: bool) -> Text:
    shown = Text()
    for token in tokens:
        level = token.shade.level if signed else 0
        style = Style(bgcolor=token.shade.fill[_THEME], underline=level < 0, overline=level > 0)
        shown.append(token.text, style)
        shown.append(" " * token.space)
    return shown


def _bars(text: ShadedText) -> RenderableType:
    """Draw a bar for each sentence or entity, its number, and its tokens beside."""
    table = Table.grid(padding=(0, 1))
    for row in text.rows():
        what = _tokens(row.tokens, text.scale.signed) if row.tokens else Text("(all other tokens)")
        kind = f" {visible(row.kind)}" if row.kind else ""
        table.add_row(_bar(row, text), row.number, what + Text(kind, _QUIET))
    return Padding(table, (1, 2), style=_BASE)


def _bar(row: ShadedRow, text: ShadedText) -> Text:
    """Draw a bar to the right, or with signs to both sides of the middle."""
    style = Style(bgcolor=text.bar_shade(row).fill[_THEME])
    filled = Text(" " * round(abs(row.share) * _BAR_WIDTH), style)
    room = Text(" " * (_BAR_WIDTH - len(filled)))
    if not text.scale.signed:
        return filled + room
    nothing = Text(" " * _BAR_WIDTH)
    return nothing + filled + room if row.share >= 0 else room + filled + nothing


def _strongest(text: ShadedText) -> Text:
    order = numpy.argsort(-numpy.abs(text.values), kind="stable")[:N_STRONGEST]
    named = (f"{visible(text.tokens[i])} {text.number(float(text.values[i]))}" for i in order)
    return Text("strongest: " + ", ".join(named) if text.tokens else "", _QUIET)


def _legend(legend: Legend) -> list[Text]:
    scale = legend.scale
    bar = Text.assemble(
        (f"-{scale.clip:g} or less " if scale.signed else "0 ", _QUIET),
        *((" ", Style(bgcolor=shade.fill[_THEME])) for shade in scale.shades),
        (f" {scale.clip:g} or more", _QUIET),
    )
    unit = (
        f"in logits, times the number of tokens; blue: {legend.positive}, orange, underlined: "
        f"{legend.negative}"
        if scale.signed
        else "in multiples of the average, 1 / number of tokens"
    )
    lines = [f"{legend.what}, {unit}", *filter(None, [legend.bars])]
    return [bar, *(Text(line, _QUIET) for line in lines)]
