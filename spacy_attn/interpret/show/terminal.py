"""Shaded texts in a terminal."""

from collections.abc import Iterator

import numpy
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from .scale import INK, PAPER, Scale, Shade
from .shaded_text import ShadedText
from .visible import visible

# The colours bring their own background, whatever that of the terminal is.
_THEME = "dark"
_BASE = Style(color=INK[_THEME], bgcolor=PAPER[_THEME])
_QUIET = Style(dim=True)
# So many tokens are named with their values, which need no colour.
N_STRONGEST = 5


def terminal_view(texts: list[ShadedText], scale: Scale, what: str) -> RenderableType:
    """All documents and a legend, to be printed with a `rich.console.Console`.

    Args:
        what: What the legend says the values are.
    """
    parts: list[RenderableType] = []
    for text in texts:
        parts += [_scores(text), _shaded(text), _strongest(text), Text()]
    return Group(*parts, *_legend(scale, what))


def _scores(text: ShadedText) -> Text:
    scores = (f"{visible(label)} {score:.2f}" for label, score in text.by_score)
    first, *others = list(scores) or [""]
    return Text.assemble((first, "bold"), "".join(f"   {other}" for other in others))


def _shaded(text: ShadedText) -> RenderableType:
    shown = Text()
    for token, level in zip(text.shaded_tokens(), text.levels(), strict=True):
        shown.append(token.text, _style(text.scale, text.scale.shade(level)))
        shown.append(" " * token.space)
    return Padding(shown if text.tokens else Text("(no tokens)"), (1, 2), style=_BASE)


def _strongest(text: ShadedText) -> Text:
    order = numpy.argsort(-numpy.abs(text.values), kind="stable")[:N_STRONGEST]
    named = (f"{visible(text.tokens[i])} {text.number(float(text.values[i]))}" for i in order)
    return Text("strongest: " + ", ".join(named) if text.tokens else "", _QUIET)


def _style(scale: Scale, shade: Shade) -> Style:
    return Style(
        bgcolor=shade.fill[_THEME],
        underline=scale.signed and shade.level < 0,
        overline=scale.signed and shade.level > 0,
    )


def _legend(scale: Scale, what: str) -> Iterator[Text]:
    bar = Text()
    lowest = f"-{scale.clip:g} or less " if scale.signed else "0 "
    bar.append(lowest, _QUIET)
    for shade in scale.shades:
        bar.append(" ", Style(bgcolor=shade.fill[_THEME]))
    bar.append(f" {scale.clip:g} or more", _QUIET)
    yield bar
    if scale.signed:
        unit = "in logits, times the number of tokens; blue: for it, orange, underlined: against it"
    else:
        unit = "in multiples of the average, 1 / number of tokens"
    yield Text(f"{what}, {unit}", _QUIET)
