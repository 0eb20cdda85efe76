"""A document of which one value of each token is to be shown."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from ...explanation import method_name
from .scale import ATTENTION, CONTRIBUTIONS, SCALES, Scale
from .visible import visible


@dataclass(frozen=True)
class ShadedToken:
    """What a template needs of a token.

    Attributes:
        text: Visible, but not yet escaped.
        space: Whether a space follows.
        shade: The name of its shade.
        title: Its text and value, for the mouse.
        spoken: Its value, for screen readers.
    """

    text: str
    space: bool
    shade: str
    title: str
    spoken: str


@dataclass(frozen=True)
class ShadedText:
    """A document and the values to show: its attention, or its tokens' parts in one label's logit.

    Attributes:
        tokens: The texts of the tokens.
        spaces: Whether a space follows each token.
        values: A value for each token, shape (n_tokens,).
        scores: The component's score of each label.
        style: What the values are, "attention" or "contributions".
        label: The label they belong to; None for attention.
        method: How the parts in the logit were found.
        direction: Of the text: "ltr", "rtl", or "auto" where it is not known.
        language: The text's language code, or "".
    """

    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    values: NDArray[numpy.floating]
    scores: dict[str, float]
    style: str
    label: str | None = None
    method: str = CONTRIBUTIONS
    direction: str = "auto"
    language: str = ""

    @property
    def scale(self) -> Scale:
        return SCALES[self.style]

    @property
    def name(self) -> str:
        """What the values are called."""
        return ATTENTION if self.style == ATTENTION else method_name(self.method)

    @property
    def adds_up(self) -> bool:
        """Whether the values are exact parts of a whole. The sum of others, say of tokens left out
        one at a time, is not what the tokens do together."""
        return self.name in (ATTENTION, CONTRIBUTIONS)

    @property
    def by_score(self) -> list[tuple[str, float]]:
        """Labels and scores, the highest first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])

    def shaded_tokens(self) -> Iterator[ShadedToken]:
        """RAISES: ValueError if a value is not finite."""
        rows = zip(self.tokens, self.spaces, self.values, self.levels(), strict=True)
        for text, space, value, level in rows:
            seen = visible(text)
            described = self.describe(float(value))
            yield ShadedToken(
                text=seen,
                space=bool(space),
                shade=self.scale.name(level),
                title=f"{seen}: {described}",
                spoken=self.number(float(value)),
            )

    def levels(self) -> list[int]:
        """The step on the scale of each token."""
        return self.scale.levels(self.values)

    def number(self, value: float) -> str:
        """A value as it is: a percentage of the attention, or a signed number of logits."""
        return (
            f"{100 * value:.1f}\N{NO-BREAK SPACE}%" if self.style == ATTENTION else _signed(value)
        )

    def describe(self, value: float) -> str:
        """A value, what it is, and how it compares."""
        n_tokens = len(self.tokens)
        if self.style == ATTENTION:
            return f"{self.number(value)} of the attention, {value * n_tokens:.2f} × the average"
        label, whole = visible(str(self.label)), _signed(value * n_tokens, digits=1)
        what = f"contributed to {label}"
        if self.method != CONTRIBUTIONS:
            what = f"for {label} by {visible(self.name)}"
        return f"{self.number(value)} {what} (× {n_tokens} tokens: {whole})"

    def total(self, start: int) -> str:
        """What the tokens from one on have together."""
        return self.number(float(self.values[start:].sum()))


def _signed(value: float, digits: int = 3) -> str:
    # With a minus sign that screen readers read as such.
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
