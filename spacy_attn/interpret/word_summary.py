"""`WordSummary`: what one word contributed, over a whole corpus."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class WordSummary:
    """What a word contributed to a label's logit, over all its occurrences.

    Attributes:
        word: In lower case.
        total: The sum of its attributions.
        mean: The same by occurrence.
        count: The number of occurrences.
        examples: Stretches of text around its first occurrences.
    """

    word: str
    label: str
    total: float
    mean: float
    count: int
    examples: tuple[str, ...] = field(repr=False)
