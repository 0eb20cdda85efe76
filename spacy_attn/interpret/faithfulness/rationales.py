"""Whether the tokens that matter are those that people have marked: a comparison with rationales.

The measures are those of DeYoung et al. 2020, "ERASER: A Benchmark to Evaluate Rationalized NLP
Models". Plausible is not faithful, as in `plausibility`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from spacy.tokens import Doc

from ...pipeline.decisions import Bools
from ...results.explanation import ATTENTION
from .batch import Batch
from .measures import Estimate, Values, average_precision, estimate
from .perturbation import CHANCE

#: The span group that has the rationales, unless another one is named.
RATIONALE = "rationale"
# From this intersection over union on, a span counts as found, as in ERASER.
_MATCH = 0.5


@dataclass(frozen=True)
class Agreed:
    """How well a ranking finds the tokens that people have marked.

    Attributes:
        average_precision: Of the ranked tokens, in documents where not all are marked.
        token_f1: Of the tokens ranked first, the mean over documents.
        token_iou: The tokens that are ranked first and marked, divided by those that are either.
        iou_f1: Of spans, made of neighbouring tokens that are ranked first. One is right if its
            intersection with a marked span is at least half of their union. Precision and recall
            are averaged over documents, and F is that of both means.
    """

    average_precision: Estimate | None
    token_f1: Estimate
    token_iou: Estimate
    iou_f1: float


@dataclass(frozen=True)
class RationaleResult:
    """A comparison with rationales.

    Attributes:
        spans: The span group they stand in.
        n_docs: The number of documents that have a rationale.
        share: The share of the tokens that are marked, as the mean over these. In each document, so
            many are taken from the beginning of the ranking, rounded up.
        rankings: By name ("attention", those of the methods, "chance").
    """

    spans: str
    n_docs: int
    share: float
    rankings: dict[str, Agreed]


class Rationales:
    """A comparison of rankings with rationales.

    How many tokens are taken from a ranking depends on all documents. So what is kept of each is
    two arrays of its length for each ranking.

    Args:
        spans: The span group of the annotated documents that has the rationales.
        methods: What to rank by, besides attention and chance: by what speaks for the label that
            scores highest.
        seed: Of the ranking by chance.
    """

    def __init__(self, spans: str, methods: Sequence[str], seed: int) -> None:
        self.spans = spans
        self.rng = numpy.random.default_rng(seed)
        self.found: set[str] = set()
        self.marked: list[Bools] = []
        self.values: dict[str, list[Values]] = {name: [] for name in (ATTENTION, *methods, CHANCE)}

    def add(self, batch: Batch) -> None:
        importance = {name: batch.importance(name) for name in self.values if name != CHANCE}
        for i, (doc, reference) in enumerate(zip(batch.docs, batch.references, strict=True)):
            self.found.update(reference.spans)
            marked = marked_tokens(doc, reference, self.spans)
            if not marked.any():
                continue
            self.marked.append(marked)
            for name, values in self.values.items():
                values.append(
                    self.rng.random(len(marked)) if name == CHANCE else importance[name][i]
                )

    def result(self) -> RationaleResult | None:
        if not self.marked:
            return None
        share = float(numpy.mean([marked.mean() for marked in self.marked]))
        return RationaleResult(
            spans=self.spans,
            n_docs=len(self.marked),
            share=share,
            rankings={
                name: agreed(self.marked, values, share) for name, values in self.values.items()
            },
        )


def marked_tokens(doc: Doc, reference: Doc, spans: str) -> Bools:
    """Return which tokens of a document overlap with spans of another one of the same text.

    Args:
        doc: The document.
        reference: The other one, whose tokens may be others.
        spans: Its span group; a document without it has nothing marked.

    Returns:
        Shape (n_tokens,).
    """
    marked = numpy.zeros(len(doc), dtype=bool)
    starts = numpy.array([token.idx for token in doc], dtype=int)
    ends = starts + numpy.array([len(token) for token in doc], dtype=int)
    for span in reference.spans.get(spans, ()):
        marked |= (starts < span.end_char) & (ends > span.start_char)
    return marked


def agreed(marked: Sequence[Bools], values: Sequence[Values], share: float) -> Agreed:
    """Compare the tokens ranked first with those that are marked.

    Args:
        marked: Of each document, shape (n_tokens,), with at least one token that is.
        values: What to rank by, highest first, of the same shapes.
        share: The share of the tokens to take.
    """
    chosen = [first_tokens(row, share) for row in values]
    pairs = list(zip(marked, chosen, strict=True))
    spans = [match_spans(*pair) for pair in pairs]
    precision, recall = numpy.mean(spans, axis=0).tolist()
    return Agreed(
        average_precision=estimate(
            average_precision(row, m) for m, row in zip(marked, values, strict=True) if not m.all()
        ),
        token_f1=Estimate.of(numpy.array([token_f1(*pair) for pair in pairs])),
        token_iou=Estimate.of(numpy.array([(m & c).sum() / (m | c).sum() for m, c in pairs])),
        iou_f1=_f1(precision, recall),
    )


def first_tokens(values: Values, share: float) -> Bools:
    """Return which tokens are among the first, a share of all that is rounded up."""
    chosen = numpy.zeros(len(values), dtype=bool)
    # A share such as 1/3 of 3 tokens must not become 2 by the rounding of floats.
    count = int(numpy.ceil(round(share * len(values), 9)))
    chosen[numpy.argsort(-values, kind="stable")[:count]] = True
    return chosen


def token_f1(marked: Bools, chosen: Bools) -> float:
    """Return the F score of chosen tokens."""
    both = (marked & chosen).sum()
    return float(2 * both / (marked.sum() + chosen.sum()))


def match_spans(marked: Bools, chosen: Bools) -> tuple[float, float]:
    """Return precision and recall of chosen spans, where half an overlap is enough.

    As in ERASER, recall counts the chosen spans that match, too.
    """
    gold, predicted = spans_of(marked), spans_of(chosen)
    matched = sum(
        max((_iou(span, other) for other in gold), default=0.0) >= _MATCH for span in predicted
    )
    return matched / max(1, len(predicted)), matched / max(1, len(gold))


def spans_of(flags: Bools) -> list[range]:
    """Return the runs of tokens that are flagged."""
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([0], flags.astype(int), [0]))))
    return [range(start, end) for start, end in edges.reshape(-1, 2).tolist()]


def _iou(one: range, other: range) -> float:
    shared = max(0, min(one.stop, other.stop) - max(one.start, other.start))
    return shared / (len(one) + len(other) - shared)


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
