"""`SpanExplanation`: what the tokens of a sentence, an entity or any other span have together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import index
from typing import Any, NamedTuple, cast

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

from .targets import Target, of_target

# What is listed, or shown with a bar.
SENTENCE, ENTITY = "sentence", "entity"
# Of this method, the values of several tokens do not add up to what they do together.
LEAVE_ONE_OUT = "leave_one_out"
PLURALS = {SENTENCE: "sentences", ENTITY: "entities"}
_FINDERS = {SENTENCE: "'sentencizer'", ENTITY: "'ner' or 'entity_ruler'"}

Floats = NDArray[numpy.float32]


class Bounds(NamedTuple):
    """Where a span is: its tokens from `start` up to, and without, `end`."""

    start: int
    end: int
    kind: str = ""  # of an entity


@dataclass(frozen=True, eq=False)
class SpanExplanation:
    """The attention and the attributions of a span's tokens, added up.

    Attributes:
        text: The text of the span.
        start: The number of its first token.
        end: The number of the token after its last one.
        kind: The label of the span, say the type of an entity; "" for a sentence.
        attention: The sum of its weights.
        labels: The component's labels.
        attributions: What the span adds to each logit, shape (n_labels,). None where they were
            found by leaving out one token at a time: such values do not add up.
        method: How the attributions were found.
    """

    text: str
    start: int
    end: int
    kind: str
    attention: float
    labels: tuple[str, ...]
    attributions: Floats | None
    method: str

    def __repr__(self) -> str:
        """Show where the span is, and what it has."""
        return (
            f"SpanExplanation({self.text!r}, tokens {self.start}:{self.end}, "
            f"attention={self.attention:.3f}, attributions={self._by_label()})"
        )

    def of_label(self, target: Target) -> float:
        """Return what the span adds to a label's logit, or to how far it is above another.

        Args:
            target: A label, or a pair of labels.

        Raises:
            ValueError: For a label that the component does not have, and for attributions that do
                not add up.
        """
        check_adds_up(self.method)
        return float(of_target(cast(Floats, self.attributions), self.labels, target))

    def to_dict(self) -> dict[str, Any]:
        """Return the span in strings, numbers and a table by label, which JSON can hold."""
        data = {name: getattr(self, name) for name in ("text", "start", "end", "kind", "attention")}
        return data if self.attributions is None else {**data, "attributions": self._by_label()}

    def _by_label(self) -> dict[str, float] | None:
        if self.attributions is None:
            return None
        return dict(zip(self.labels, self.attributions.tolist(), strict=True))


def check_adds_up(method: str) -> None:
    """Check that the attributions of a span's tokens add up to that of the span.

    Raises:
        ValueError: If they were found by leaving out one token at a time.
    """
    if method == LEAVE_ONE_OUT:
        raise ValueError(
            f"Attributions of the method '{method}' are of one token at a time, and do not add up "
            f"to that of a span: use another method, such as 'contributions'."
        )


def find_spans(doc: Doc, unit: str) -> tuple[Bounds, ...] | None:
    """Return the sentences or entities of a document; None where nothing has looked for any."""
    if unit == SENTENCE:
        if not doc.has_annotation("SENT_START"):
            return None
        return tuple(Bounds(sentence.start, sentence.end) for sentence in doc.sents)
    if not doc.has_annotation("ENT_IOB"):
        return None
    return tuple(Bounds(entity.start, entity.end, entity.label_) for entity in doc.ents)


def require_spans(spans: tuple[Bounds, ...] | None, unit: str, text: str) -> tuple[Bounds, ...]:
    """Return sentences or entities.

    Raises:
        ValueError: If nothing has looked for any in the text.
    """
    if spans is None:
        raise ValueError(
            f"Nothing has looked for the {PLURALS[unit]} of {text!r}: add a component that does, "
            f"such as {_FINDERS[unit]}, before the classifier, or explain documents that have them."
        )
    return spans


def read_bounds(spans: Iterable[object], tokens: tuple[str, ...]) -> Iterator[Bounds]:
    """Go through spans, given as spans of spaCy or as pairs of numbers of tokens.

    Raises:
        TypeError: For anything else.
        ValueError: For a span that is empty, not within the tokens, or of another document.
    """
    checked: Doc | None = None
    for span in spans:
        if isinstance(span, Span):
            if span.doc is not checked and tuple(token.text for token in span.doc) != tokens:
                raise ValueError(
                    f"The span {span.text!r} is of a document with other tokens than the explained "
                    f"one, which has {len(tokens)}: take spans of the document that was explained."
                )
            checked = span.doc
            start, end, kind = span.start, span.end, span.label_
        else:
            start, end, kind = *_read_pair(span), ""
        if not 0 <= start < end <= len(tokens):
            raise ValueError(
                f"The span {start}:{end} is not within the document, which has {len(tokens)} "
                f"tokens: it must be 0 <= start < end <= {len(tokens)}."
            )
        yield Bounds(start, end, kind)


def _read_pair(span: object) -> tuple[int, int]:
    try:
        start, end = map(index, span)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise TypeError(
            f"A span must be a Span, or a pair of numbers of tokens, (start, end), but is {span!r}."
        ) from None
    return start, end
