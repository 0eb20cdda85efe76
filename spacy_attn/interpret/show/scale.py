"""The colour scales: which shade a value gets, the same for every document and model.

A value is a token's part of a whole. Parts shrink as documents grow, so that a shade stands for the
value times the number of tokens:

- Attention sums to 1 over a document. Times the number of tokens, it averages 1, and 2 is twice the
  average weight in a document of any length. Weights above 3 times the average are clipped.
- Contributions add up to a logit (minus the bias). Times the number of tokens, they average that
  logit, and a shade says what the logit would be if every token contributed as much. They are
  clipped at 6, where an independent label has the score 0.998: a logit beyond decides nothing more.
  Logits are those of the calibrated scores, so that this holds for every model. The shipped
  snippets have 5 % of their tokens beyond it (`configs/default.cfg`, test split, predicted label).

No scale adapts to its document: what is nearly uniform looks so, and documents can be compared.

Weights of an alignment are shown as they are, from 0 to 1: each of their rows is a choice of its
own, which is read by its largest weights.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from ...results.explanation import ATTENTION, CONTRIBUTIONS

# A colour in each theme, as #rrggbb.
Colour = dict[str, str]

# What lies behind the shades, and the text on them.
PAPER = {"light": "#ffffff", "dark": "#15181d"}
INK = {"light": "#1a1d21", "dark": "#eef0f3"}
# Less important text, rules between documents, and what is pointed out.
QUIET = {"light": "#5b6470", "dark": "#a3adb9"}
LINE = {"light": "#dfe3e8", "dark": "#333a44"}
ACCENT = {"light": "#15559f", "dark": "#82bdff"}
# Where a mark begins, on the way from the paper to its full colour: it must be seen to be a mark.
_FAINTEST_MARK = 0.3


class Hue(NamedTuple):
    """The colours of the strongest value of one sign."""

    fill: Colour  # behind the text
    mark: Colour  # of the line that tells the signs apart without colour


VIOLET = Hue(
    fill={"light": "#b794f6", "dark": "#6b46b8"}, mark={"light": "#6b3fb5", "dark": "#b79bf5"}
)
# Blue and orange stay apart in every common kind of colour blindness.
BLUE = Hue(
    fill={"light": "#6cb0f5", "dark": "#1f63ad"}, mark={"light": "#15559f", "dark": "#82bdff"}
)
ORANGE = Hue(
    fill={"light": "#f5a54a", "dark": "#9a5310"}, mark={"light": "#9b4a00", "dark": "#ffb469"}
)


# As in the pictures of Bahdanau et al. 2015, but on a dark paper the strongest is white.
GREY = Hue(fill=INK, mark=INK)


class Shade(NamedTuple):
    """One step of a scale, with the end of the name of its CSS class."""

    name: str
    level: int  # 0 is the paper; negative ones speak against a label, with a line below the text
    fill: Colour
    mark: Colour


@dataclass(frozen=True)
class Scale:
    """Steps from 0 to where values are clipped, on one side of 0 or on both.

    Attributes:
        step: The width of a step, in values times the number of tokens where this counts.
        n_levels: The number of steps on each side of 0.
        positive: The hue of positive values.
        negative: The hue of negative ones; None where there are none.
        prefixes: Of the names of positive and of negative shades.
        by_length: Whether the number of tokens counts.
    """

    step: float
    n_levels: int
    positive: Hue
    negative: Hue | None = None
    prefixes: tuple[str, str] = ("p", "n")
    by_length: bool = True

    @property
    def clip(self) -> float:
        """The first value that has the strongest shade for sure."""
        return self.step * self.n_levels

    @property
    def signed(self) -> bool:
        return self.negative is not None

    def levels(self, values: NDArray[numpy.floating]) -> list[int]:
        """Return the steps of the values of one document, shape (n_tokens,).

        Raises:
            ValueError: If a value is not finite.
        """
        if not numpy.isfinite(values).all():
            raise ValueError(f"Values to be shown must be finite numbers, but are {values}.")
        relative = numpy.asarray(values, dtype=numpy.float64)
        if self.by_length:
            relative = relative * len(values)
        levels = numpy.floor(numpy.abs(relative) / self.step + 0.5).clip(max=self.n_levels)
        return (numpy.sign(relative) * levels).astype(int).tolist()

    def name(self, level: int) -> str:
        """Return the name of a step's shade."""
        return f"{self.prefixes[level < 0]}{abs(level)}"

    @cached_property
    def shades(self) -> list[Shade]:
        """All shades, from the lowest value to the highest."""
        lowest = -self.n_levels if self.signed else 0
        return [self._make_shade(level) for level in range(lowest, self.n_levels + 1)]

    def shade(self, level: int) -> Shade:
        """Return the shade of a step."""
        return self.shades[level + (self.n_levels if self.signed else 0)]

    def _make_shade(self, level: int) -> Shade:
        hue = self.negative if level < 0 and self.negative else self.positive
        share = abs(level) / self.n_levels
        mark_share = _FAINTEST_MARK + (1.0 - _FAINTEST_MARK) * share
        return Shade(
            self.name(level), level, _on_paper(hue.fill, share), _on_paper(hue.mark, mark_share)
        )


def _on_paper(colour: Colour, share: float) -> Colour:
    return {theme: mix(PAPER[theme], end, share) for theme, end in colour.items()}


def mix(start: str, end: str, share: float) -> str:
    """Return the colour at a share of the way between two, as #rrggbb."""
    pairs = zip(bytes.fromhex(start[1:]), bytes.fromhex(end[1:]), strict=True)
    return "#" + bytes(round(a + (b - a) * share) for a, b in pairs).hex()


SCALES = {
    ATTENTION: Scale(step=0.2, n_levels=15, positive=VIOLET, prefixes=("a", "a")),
    CONTRIBUTIONS: Scale(step=0.5, n_levels=12, positive=BLUE, negative=ORANGE),
}
# Not among them: it shades cells, not tokens, and its darkest shade needs other text on it.
GREYS = Scale(step=0.05, n_levels=20, positive=GREY, prefixes=("g", "g"), by_length=False)


def text_on(fill: Colour) -> Colour:
    """Return black or white for each theme, whichever has more contrast with a shade."""
    return {
        theme: "#000000" if _luminance(end) > _EVEN else "#ffffff" for theme, end in fill.items()
    }


# Where black and white have the same contrast, (1.05 / 0.229) = 4.58.
_EVEN = 0.179


def _luminance(colour: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    channels = [channel / 255 for channel in bytes.fromhex(colour[1:])]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
