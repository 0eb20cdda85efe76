"""Whether what a model looks at is what people find telling: a comparison with ratings of words.

Plausible is not faithful: a model may decide by other things, and a good explanation then shows
these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from ...explanation import ATTENTION, CONTRIBUTIONS
from ...pipeline.decisions import Bools
from ...text_files import read_lines
from .batch import Batch, Values
from .measures import Estimate, estimate
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
    def __init__(
        self,
        ratings: Mapping[str, float],
        methods: Sequence[str],
        *,
        bound: float,
        positive_label: str | None,
        seed: int,
    ) -> None:
        """ratings: The mean rating of each word, as written or in lower case.

        Args:
            methods: What to rank by, besides attention and chance.
            bound, positive_label: As in `PlausibilityResult`.
            seed: Of the ranking by chance.
        """
        self.ratings = ratings
        self.bound = bound
        self.positive_label = positive_label
        self.rng = numpy.random.default_rng(seed)
        self.precisions: dict[str, list[float]] = {
            name: [] for name in (ATTENTION, *methods, CHANCE)
        }
        self.agreements: dict[str, list[float]] = {name: [] for name in (*methods, DECISION)}

    def add(self, batch: Batch) -> None:
        names = (name for name in self.precisions if name != CHANCE)
        importance = {name: batch.importance(name) for name in names}
        column = None
        if self.positive_label is not None:
            (column,) = batch.classifier.columns([self.positive_label])
        for i, explanation in enumerate(batch.explanations[CONTRIBUTIONS]):
            ratings = self._rate(explanation.tokens)
            strong = numpy.abs(ratings) >= self.bound
            if not strong.any():
                continue
            if not strong.all():
                self._add_precisions({name: of[i] for name, of in importance.items()}, strong)
            if column is not None:
                self._add_agreements(batch, i, column, ratings, strong)

    def _rate(self, tokens: Sequence[str]) -> Values:
        """The ratings of tokens, 0 for those without, shape (n_tokens,)."""
        known = (self.ratings.get(token, self.ratings.get(token.lower(), 0.0)) for token in tokens)
        return numpy.fromiter(known, dtype=numpy.float64, count=len(tokens))

    def _add_precisions(self, importance: Mapping[str, Values], strong: Bools) -> None:
        for name, precisions in self.precisions.items():
            values = importance.get(name)
            values = self.rng.random(len(strong)) if values is None else numpy.abs(values)
            precisions.append(average_precision(values, strong))

    def _add_agreements(
        self, batch: Batch, i: int, column: int, ratings: Values, strong: Bools
    ) -> None:
        signs = numpy.sign(ratings[strong])
        for name, agreements in self.agreements.items():
            if name == DECISION:
                values = numpy.full(len(signs), 1.0 if batch.decisions[i, column] else -1.0)
            else:
                values = batch.toward(batch.explanations[name][i], column)[strong]
            agreements.append(float((numpy.sign(values) == signs).mean()))

    def result(self) -> PlausibilityResult:
        known = self.positive_label is not None
        return PlausibilityResult(
            bound=self.bound,
            average_precision={name: estimate(rows) for name, rows in self.precisions.items()},
            sign_agreement={
                name: estimate(rows) for name, rows in self.agreements.items() if known
            },
            positive_label=self.positive_label,
        )


def average_precision(values: Values, relevant: Bools) -> float:
    """The mean, over the relevant tokens, of the share of relevant ones among those ranked as high
    or higher; tokens of equal values stand in the order of the text.

    Args:
        values: What to rank by, highest first, shape (n_tokens,).
        relevant: Which tokens are relevant, at least one, shape (n_tokens,).
    """
    hits = relevant[numpy.argsort(-values, kind="stable")]
    precisions = numpy.cumsum(hits) / numpy.arange(1, len(hits) + 1)
    return float(precisions[hits].mean())


def read_ratings(path: Path) -> dict[str, float]:
    """Read words and their mean ratings.

    Args:
        path: A line is a word, a tab, a number, and whatever follows after another tab. The first
            line may be a heading.

    Raises:
        ValueError: Naming the line that is none of these.
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
