"""What a visitor of the page has chosen, and the address that holds it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from ...results.explanation import ATTENTION, CONTRIBUTIONS
from ...results.targets import Target

STYLES = (CONTRIBUTIONS, ATTENTION)
# So many characters of an address pass the servers that a page on a hub stands behind.
LONGEST_QUERY = 6000
_PLACE = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class Visit:
    """What a visitor has chosen.

    Attributes:
        text: The text.
        style: "attention" or "contributions".
        label: The label whose contributions to show; None for the predicted one.
        other: The label to compare it with; None for none.
        left_out: The places of the tokens to leave out.
    """

    text: str = ""
    style: str = CONTRIBUTIONS
    label: str | None = None
    other: str | None = None
    left_out: tuple[int, ...] = ()

    @classmethod
    def from_query(cls, query: Mapping[str, str], labels: Sequence[str]) -> Visit:
        """Read the parameters of an address, as far as the pipeline has what they name."""
        style, label, other = (query.get(name) for name in ("style", "label", "other"))
        return cls(
            text=query.get("text", ""),
            style=style if style in STYLES else CONTRIBUTIONS,
            label=label if label in labels else None,
            other=other if other in labels else None,
            left_out=tuple(
                int(place)
                for place in query.get("without", "").split(".")
                if _PLACE.fullmatch(place)
            ),
        )

    def to_query(self) -> str:
        """Return the parameters of an address, with all that is not as at the beginning."""
        values = {
            "text": self.text or None,
            "style": None if self.style == CONTRIBUTIONS else self.style,
            "label": self.label,
            "other": self.other,
            "without": ".".join(map(str, self.left_out)) or None,
        }
        # A label may be an empty string.
        return urlencode({name: value for name, value in values.items() if value is not None})

    def target(self, predicted: str) -> Target:
        """Return the label or the contrast to show.

        Raises:
            ValueError: For a contrast of a label with itself.
        """
        label = predicted if self.label is None else self.label
        if self.other is None:
            return label
        if label == self.other:
            raise ValueError(
                f"“{label}” cannot be compared with itself: choose another label after it."
            )
        return label, self.other
