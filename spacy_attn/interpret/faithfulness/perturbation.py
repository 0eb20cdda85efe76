"""What happens to decisions without the tokens that are said to matter, or with them alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy

from ...pipeline.decisions import AnyFloats
from ...results.explanation import ATTENTION
from ..subject import Indices
from .batch import Batch
from .measures import Estimate, Values

CHANCE = "chance"

# The shares of tokens, in percent, that DeYoung et al. 2020 average over.
PERCENTS = (1, 5, 10, 20, 50)
# In longer documents, a change of the decision is looked for at so many shares of the tokens.
MAX_FLIP_STEPS = 50


@dataclass(frozen=True)
class RankingResult:
    """How faithful a ranking of tokens is.

    Attributes:
        comprehensiveness: By how much the score of the predicted label falls when the first tokens
            of the ranking are left out; the mean over `PERCENTS`. Higher is better.
        sufficiency: By how much it falls when they alone are left. Lower is better.
        flip_share: The share of tokens that have to be left out, in the order of the ranking, to
            change the decision; 1 where it never changes. Lower is better.
        comprehensiveness_at: The parts of the mean, by percentage.
        sufficiency_at: The same.
    """

    comprehensiveness: Estimate
    sufficiency: Estimate
    flip_share: Estimate
    comprehensiveness_at: dict[int, Estimate] = field(repr=False)
    sufficiency_at: dict[int, Estimate] = field(repr=False)


def share_of(percent: int, n_tokens: int) -> int:
    """Return a percentage of a number of tokens, rounded up: at least one."""
    return -(-n_tokens * percent // 100)


def removal_counts(n_tokens: int) -> list[int]:
    """Return how many tokens to leave out, in growing order, up to all of them."""
    steps = min(n_tokens, MAX_FLIP_STEPS)
    flips = {-(-n_tokens * step // steps) for step in range(1, steps + 1)}
    return sorted(flips | {share_of(percent, n_tokens) for percent in PERCENTS})


def parts_of(order: Indices) -> Iterator[Indices]:
    """Iterate over what is left without first tokens, by `removal_counts`, and then over these
    tokens alone, by `PERCENTS`.

    Args:
        order: The indices of the tokens, the most important one first.
    """
    for count in removal_counts(len(order)):
        yield numpy.sort(order[count:])
    for percent in PERCENTS:
        yield numpy.sort(order[: share_of(percent, len(order))])


class Perturbations:
    """How the decisions about documents change, by several rankings of their tokens.

    Comprehensiveness and sufficiency are those of DeYoung et al. 2020, "ERASER: A Benchmark to
    Evaluate Rationalized NLP Models", as area over the perturbation curve (AOPC): the mean over the
    five shares of tokens. The share of tokens to leave out until the decision changes is after
    Serrano and Smith 2019, "Is Attention Interpretable?".

    Scores are those in `doc.cats`, of the label that has the highest. Tokens are left out, not
    masked, the number rounded up. In documents without tokens there is nothing to measure.

    Args:
        methods: What to rank by, besides attention and chance.
        n_draws: Number of rankings by chance, which are averaged in each document.
        seed: Of these, and of the order of tokens that a method finds equally important.
    """

    def __init__(self, methods: Sequence[str], n_draws: int, seed: int) -> None:
        self.names = (ATTENTION, *methods, CHANCE)
        self.n_draws = n_draws
        self.rng = numpy.random.default_rng(seed)
        self.found: dict[str, list[Values]] = {name: [] for name in self.names}

    def add(self, batch: Batch) -> None:
        filled = [i for i, doc in enumerate(batch.docs) if len(doc)]
        rankings = [self._rank(batch, name) for name in self.names]
        # One ranking after another in each document: all parts go through the model at once.
        orders = [list(chain.from_iterable(ranking[i] for ranking in rankings)) for i in filled]
        logits = batch.classifier.logits_of_parts(
            [batch.docs[i] for i in filled],
            (chain.from_iterable(map(parts_of, doc_orders)) for doc_orders in orders),
        )
        n_orders = len(self.names) - 1 + self.n_draws
        for i, doc_logits in zip(filled, logits, strict=True):
            scores = numpy.split(batch.classifier.probabilities(doc_logits), n_orders)
            measured = [_measure(batch, i, part_scores) for part_scores in scores]
            for name, values in zip(self.names[:-1], measured, strict=False):
                self.found[name].append(values)
            self.found[CHANCE].append(numpy.mean(measured[-self.n_draws :], axis=0))

    def _rank(self, batch: Batch, name: str) -> list[list[Indices]]:
        """Return for each document one order of its tokens or several."""
        if name == CHANCE:
            return [
                [self.rng.permutation(len(doc)) for _ in range(self.n_draws)] for doc in batch.docs
            ]
        return [
            [numpy.lexsort((self.rng.random(len(values)), -values))]
            for values in batch.importance(name)
        ]

    def results(self) -> dict[str, RankingResult]:
        return {name: _summarize(numpy.array(rows)) for name, rows in self.found.items() if rows}


def _measure(batch: Batch, i: int, scores: AnyFloats) -> Values:
    """Measure one ranking in one document.

    Args:
        scores: Of what `parts_of` yields, shape (n_parts, n_labels).

    Returns:
        The comprehensiveness at each percentage, the sufficiency likewise, and the share of tokens
        that changes the decision.
    """
    n_tokens, target = len(batch.docs[i]), batch.targets[i]
    counts = removal_counts(n_tokens)
    falls = float(batch.scores[i, target]) - scores[:, target]
    places = [counts.index(share_of(percent, n_tokens)) for percent in PERCENTS]
    decisions = batch.classifier.decisions.decide(scores)
    changed = decisions[: len(counts), target] != batch.decisions[i, target]
    flip_share = counts[changed.argmax()] / n_tokens if changed.any() else 1.0
    return numpy.concatenate((falls[places], falls[len(counts) :], [flip_share]))


def _summarize(rows: Values) -> RankingResult:
    """Average what `_measure` returns over documents."""
    falls, remains, flips = numpy.split(rows, [len(PERCENTS), 2 * len(PERCENTS)], axis=1)
    return RankingResult(
        comprehensiveness=Estimate.of(falls.mean(axis=1)),
        sufficiency=Estimate.of(remains.mean(axis=1)),
        flip_share=Estimate.of(flips[:, 0]),
        comprehensiveness_at=dict(zip(PERCENTS, map(Estimate.of, falls.T), strict=True)),
        sufficiency_at=dict(zip(PERCENTS, map(Estimate.of, remains.T), strict=True)),
    )
