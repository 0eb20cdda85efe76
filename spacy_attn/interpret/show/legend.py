"""What a legend says, in the same words on a page, in a picture and in LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...results.explanation import ATTENTION, CONTRIBUTIONS, TOKEN
from ...results.targets import Target, labels_of
from .scale import SCALES, Scale
from .shaded_text import UNIT_NAMES, ShadedText, value_names
from .templating import visible


@dataclass(frozen=True)
class Legend:
    """The scale of some documents, and what their values are.

    Attributes:
        scale: The scale.
        what: What a value is.
        positive: What positive values speak for.
        negative: What negative ones speak for.
        by: What has a bar: "sentence" or "entity"; "token" where nothing has.
    """

    scale: Scale
    what: str
    positive: str = "for the label"
    negative: str = "against it"
    by: str = TOKEN

    @property
    def ticks(self) -> tuple[str, ...]:
        """What stands below the ends of the scale, and below what is between them."""
        end = f"{self.scale.clip:g} or more"
        return (
            (f"−{self.scale.clip:g} or less", "0", f"+{end}") if self.scale.signed else ("0", end)
        )

    @property
    def text(self) -> str:
        """What the colours mean, in sentences."""
        clip = f"{self.scale.clip:g}"
        if self.scale.signed:
            meaning = (
                f"{self.what}, in logits, times the document's number of tokens. Blue with a line "
                f"above speaks {self.positive}, orange with a line below {self.negative}. The "
                f"scale is the same for every document; beyond ±{clip} it is clipped."
            )
        else:
            meaning = (
                f"{self.what}, in multiples of the document's average (1 / number of tokens). The "
                f"scale is the same for every document; from {clip} times the average on it is "
                f"clipped."
            )
        return f"{meaning} {self.bars}".strip()

    @property
    def bars(self) -> str:
        """What the bars mean, if there are any."""
        if self.by == TOKEN:
            return ""
        one, several = UNIT_NAMES[self.by]
        return (
            f"A number is what the tokens of {one} add up to. Its bar is this times the number of "
            f"{several}, on the same scale."
        )


def legend_of(texts: Sequence[ShadedText], style: str, by: str = TOKEN) -> Legend:
    """Return the one legend of some documents."""
    scale = SCALES[style]
    if style == ATTENTION:
        return Legend(scale, "A token's share of the attention", by=by)
    targets = list(dict.fromkeys(text.target for text in texts))
    sides = _sides(targets)
    return Legend(scale, _what(texts, targets), *sides, by=by)


def _what(texts: Sequence[ShadedText], targets: list[Target | None]) -> str:
    if len(targets) == 1:
        target = " rather than ".join(f"“{visible(each)}”" for each in labels_of(targets[0]))
    elif any(len(labels_of(each)) == 2 for each in targets):
        target = "what is named above the document"
    else:
        target = "the underlined label"
    names = value_names(texts)
    if len(names) > 1:
        return f"A token's attribution for {target} by the method named above the document"
    if names and names != [CONTRIBUTIONS]:
        return f"A token's attribution for {target} by {visible(names[0])}"
    return f"What a token contributes to {target}"


def _sides(targets: list[Target | None]) -> tuple[str, str]:
    """Say what both signs speak for."""
    contrasts = [labels_of(each) for each in targets if len(labels_of(each)) == 2]
    if not contrasts:
        return "for the label", "against it"
    if len(targets) == 1:
        label, other = (f"for “{visible(each)}”" for each in contrasts[0])
        return label, other
    return "for the label that is named first", "against it or for the other one"
