"""Shaded texts, and alignments, in a terminal."""

from collections.abc import Sequence

import numpy
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text
from spacy.tokens import Doc

from ...alignment import ALIGNMENT
from ...explanation import Explanation
from .scale import INK, PAPER, SCALES, Scale
from .shaded_text import ShadedText, describe_values, shaded_texts
from .templating import visible
from .terminal_matrix import terminal_matrices

# The colours bring their own background, whatever that of the terminal is.
_THEME = "dark"
_BASE = Style(color=INK[_THEME], bgcolor=PAPER[_THEME])
_QUIET = Style(dim=True)
# So many tokens are named with their values, which need no colour.
N_STRONGEST = 5


def terminal_view(
    documents: Sequence[Doc | Explanation], style: str, *, label: str | None = None
) -> RenderableType:
    """Draw documents and a legend, to be printed with a `rich.console.Console`.

    Arguments and errors are those of `spacy_attn.render`.
    """
    if style == ALIGNMENT:
        return terminal_matrices(documents, label=label)
    texts = shaded_texts(documents, style, label=label)
    parts: list[RenderableType] = []
    for text in texts:
        parts += [_scores(text), _shaded(text), _strongest(text), Text()]
    return Group(*parts, *_legend(SCALES[style], describe_values(texts, style)))


def _scores(text: ShadedText) -> Text:
    first, *others = [f"{visible(label)} {score:.2f}" for label, score in text.by_score] or [""]
    return Text.assemble((first, "bold"), "".join(f"   {other}" for other in others))


def _shaded(text: ShadedText) -> RenderableType:
    shown = Text() if text.tokens else Text("(no tokens)")
    for token in text.shaded_tokens():
        level = token.shade.level if text.scale.signed else 0
        style = Style(bgcolor=token.shade.fill[_THEME], underline=level < 0, overline=level > 0)
        shown.append(token.text, style)
        shown.append(" " * token.space)
    return Padding(shown, (1, 2), style=_BASE)


def _strongest(text: ShadedText) -> Text:
    order = numpy.argsort(-numpy.abs(text.values), kind="stable")[:N_STRONGEST]
    named = (f"{visible(text.tokens[i])} {text.number(float(text.values[i]))}" for i in order)
    return Text("strongest: " + ", ".join(named) if text.tokens else "", _QUIET)


def _legend(scale: Scale, what: str) -> list[Text]:
    bar = Text.assemble(
        (f"-{scale.clip:g} or less " if scale.signed else "0 ", _QUIET),
        *((" ", Style(bgcolor=shade.fill[_THEME])) for shade in scale.shades),
        (f" {scale.clip:g} or more", _QUIET),
    )
    unit = (
        "in logits, times the number of tokens; blue: for it, orange, underlined: against it"
        if scale.signed
        else "in multiples of the average, 1 / number of tokens"
    )
    return [bar, Text(f"{what}, {unit}", _QUIET)]
