"""Whether what a model looks at is what people find telling: a comparison with ratings of words.

Plausible is not faithful: a model may decide by other things, and a good explanation then shows
these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from ...results.explanation import ATTENTION, CONTRIBUTIONS
from ...text_files import read_lines
from .batch import Batch
from .measures import Estimate, Values, average_precision, estimate
from .perturbation import CHANCE

DECISION = "the decision alone"


@dataclass(frozen=True)
class PlausibilityResult:
    """How well tokens that people rated strongly stand out.

    Attributes:
        bound: From which absolute mean rating on a word counts as rated strongly.
        average_precision: Of the tokens ranked by absolute importance, in documents that have both
            kinds of tokens.
        sign_agreement: The share of strongly rated tokens for which what speaks for the positive
            label has the sign of the rating, mean over documents. "the decision alone" gives every
            token the sign of the document's decision.
        positive_label: The label that a positive rating speaks for; None where it is not known.
    """

    bound: float
    average_precision: dict[str, Estimate | None]
    sign_agreement: dict[str, Estimate | None]
    positive_label: str | None


class Plausibility:
    """A comparison of explanations with ratings.

    Args:
        ratings: The mean rating of each word, as written or in lower case.
        methods: What to rank by, besides attention and chance.
        bound: As in `PlausibilityResult`.
        positive_label: As in `PlausibilityResult`.
        seed: Of the ranking by chance.
    """

    def __init__(
        self,
        ratings: Mapping[str, float],
        methods: Sequence[str],
        *,
        bound: float,
        positive_label: str | None,
        seed: int,
    ) -> None:
        self.ratings = ratings
        self.bound = bound
        self.positive_label = positive_label
        self.rng = numpy.random.default_rng(seed)
        self.precisions: dict[str, list[float]] = {
            name: [] for name in (ATTENTION, *methods, CHANCE)
        }
        self.agreements: dict[str, list[float]] = {name: [] for name in (*methods, DECISION)}

    def add(self, batch: Batch) -> None:
        importance = {name: batch.importance(name) for name in self.precisions if name != CHANCE}
        for i, explanation in enumerate(batch.explanations[CONTRIBUTIONS]):
            ratings = self._rate(explanation.tokens)
            strong = numpy.abs(ratings) >= self.bound
            if not strong.any():
                continue
            if not strong.all():
                for name, precisions in self.precisions.items():
                    chance = name == CHANCE
                    values = self.rng.random(len(strong)) if chance else importance[name][i]
                    precisions.append(average_precision(numpy.abs(values), strong))
            if self.positive_label is not None:
                (column,) = batch.classifier.columns([self.positive_label])
                signs = numpy.sign(ratings[strong])
                for name, agreements in self.agreements.items():
                    if name == DECISION:
                        values = numpy.full(len(signs), 1.0 if batch.decisions[i, column] else -1.0)
                    else:
                        values = batch.toward(batch.explanations[name][i], column)[strong]
                    agreements.append(float((numpy.sign(values) == signs).mean()))

    def _rate(self, tokens: Sequence[str]) -> Values:
        """Return the ratings of tokens, 0 for those without, shape (n_tokens,)."""
        known = (self.ratings.get(token, self.ratings.get(token.lower(), 0.0)) for token in tokens)
        return numpy.fromiter(known, dtype=numpy.float64, count=len(tokens))

    def result(self) -> PlausibilityResult:
        agreements = self.agreements if self.positive_label is not None else {}
        return PlausibilityResult(
            bound=self.bound,
            average_precision={name: estimate(rows) for name, rows in self.precisions.items()},
            sign_agreement={name: estimate(rows) for name, rows in agreements.items()},
            positive_label=self.positive_label,
        )


def read_ratings(path: Path) -> dict[str, float]:
    """Read words and their mean ratings.

    Args:
        path: Each line holds a word, a tab, a number, and whatever follows after another tab. The
            first line may be a heading.

    Raises:
        ValueError: Naming the line that holds something else.
    """
    ratings: dict[str, float] = {}
    for number, line in read_lines(path, newline="\n"):
        word, *rest = line.rstrip("\r\n").split("\t")
        try:
            ratings[word] = float(rest[0])
        except (IndexError, ValueError):
            if number > 1:
                raise ValueError(
                    f"{path}, line {number}: expected a word, a tab and its mean rating, but "
                    f"found {line.rstrip()!r}."
                ) from None
    if not ratings:
        raise ValueError(f"{path}: there is no word with a rating in it.")
    return ratings
