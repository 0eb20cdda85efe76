"""`Explanation`: what a decision about one document was made of, as plain data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import index
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from ..checks import check_choice
from .span_explanation import (
    ENTITY,
    LEAVE_ONE_OUT,
    SENTENCE,
    Bounds,
    SpanExplanation,
    read_bounds,
    require_spans,
)
from .targets import Contrast, Target, check_contrast, of_target

if TYPE_CHECKING:
    import pandas
    from spacy.tokens import Span

Floats = NDArray[numpy.float32]

# What a component shows of each token, and the attributes that have it unless others are set.
ATTENTION, CONTRIBUTIONS = "attention", "contributions"
# What is listed, or shown, as one.
TOKEN = "token"
UNITS = (TOKEN, SENTENCE, ENTITY)
# So much of a text, and so many labels, are shown where an explanation is printed.
_SHOWN_CHARACTERS, _SHOWN_LABELS = 50, 3


def method_name(method: str) -> str:
    """Return what a method is called where people read it: "leave one out"."""
    return method.replace("_", " ")


def shorten(text: str, length: int) -> str:
    """Return a text, or its beginning if it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


@dataclass(frozen=True, eq=False)
class Explanation:
    r"""The tokens of a document, the component's decision, and each token's part in it.

    Attributions of the method "contributions" are exact. The logits are linear in the hidden states
    that attention averages. So each logit is a sum over tokens, plus a bias:

    .. math::
        z_c = b_c + \sum_t a_t (w_c \cdot h_t)

    The scores are softmax(z), with independent labels sigmoid(z). So w and b are the model's
    weights and bias, divided by the temperature.

    The hidden state h_t has read the whole document, in both directions. A contribution belongs to
    a place in the document, not to its word alone.

    Attributes:
        tokens: The texts of the tokens.
        spaces: Whether a space follows each token, so that tokens and spaces make the text.
        labels: The component's labels, in the order of the columns and entries below.
        attention: The weight of each token, shape (n_tokens,); sums to 1.
        logits: The logits that the scores come from, shape (n_labels,).
        scores: What `doc.cats` has, shape (n_labels,): the logits as probabilities.
        bias: What the logits are without any token, shape (n_labels,).
        attributions: What each token adds to each logit, by the method, shape (n_tokens, n_labels).
        method: How the attributions were found.
        contrast: A pair of labels, if it was asked why the first and not the second.
        sentences: Where the sentences are; None where no component has found any.
        entities: Where the entities are, and of which type; None likewise.
    """

    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    labels: tuple[str, ...]
    attention: Floats
    logits: Floats
    scores: Floats
    bias: Floats
    attributions: Floats
    method: str = CONTRIBUTIONS
    contrast: Contrast | None = None
    sentences: tuple[Bounds, ...] | None = None
    entities: tuple[Bounds, ...] | None = None

    def __post_init__(self) -> None:
        """Check that the contrast is one of the labels, and name what spans are made of."""
        object.__setattr__(self, "contrast", check_contrast(self.contrast, self.labels))
        for name in ("sentences", "entities"):
            if (spans := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(Bounds(*span) for span in spans))

    def __eq__(self, other: object) -> bool:
        """Compare all values, exactly."""
        if not isinstance(other, Explanation):
            return NotImplemented
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return all(
            numpy.array_equal(one, two) if isinstance(one, numpy.ndarray) else one == two
            for one, two in pairs
        )

    def __hash__(self) -> int:
        return hash((self.tokens, self.labels, self.method))

    def __repr__(self) -> str:
        """Show the beginning of the text and the highest scores."""
        best = numpy.argsort(-self.scores, kind="stable")[:_SHOWN_LABELS]
        scores = [f"{self.labels[i]!r}: {self.scores[i]:.3f}" for i in best]
        more = ["..."] if len(self.labels) > _SHOWN_LABELS else []
        return (
            f"Explanation({shorten(self.text, _SHOWN_CHARACTERS)!r}, {len(self.tokens)} tokens, "
            f"scores={{{', '.join(scores + more)}}}, method={self.method!r})"
        )

    def _repr_html_(self) -> str:
        """Shade the tokens, in a notebook, by what they add to the label that scores highest."""
        from ..interpret.show.pictures import notebook_picture

        return notebook_picture(self)

    @property
    def contributions(self) -> Floats:
        """Exact contributions, shape (n_tokens, n_labels), which add up to logits minus bias.

        Raises:
            ValueError: If the attributions are those of another method.
        """
        if self.method != CONTRIBUTIONS:
            raise ValueError(
                f"This explanation has attributions of the method '{self.method}', not "
                f"contributions: see its 'attributions'."
            )
        return self.attributions

    @property
    def text(self) -> str:
        """The text of the document."""
        return _join(self.tokens, self.spaces)

    def of_label(self, target: Target) -> Floats:
        """Return the attributions for a label, or for a contrast, shape (n_tokens,).

        Args:
            target: A label; or a pair of labels, of which the first is explained and not the
                second. Its contributions add up to `logit_of` it, minus `bias_of` it.

        Raises:
            ValueError: For a label that the component does not have.
        """
        return of_target(self.attributions, self.labels, target)

    def logit_of(self, target: Target) -> float:
        """Return the logit of a label, or how far it is above that of another. See `of_label`."""
        return float(of_target(self.logits, self.labels, target))

    def bias_of(self, target: Target) -> float:
        """Return what `logit_of` is without any token."""
        return float(of_target(self.bias, self.labels, target))

    def of_span(self, start: int, end: int) -> SpanExplanation:
        """Add up the attention and the attributions of the tokens from `start` up to `end`.

        Raises:
            ValueError: If these are not within the document.
        """
        return self.of([(start, end)])[0]

    def of_sentences(self) -> list[SpanExplanation]:
        """Add up the values of each sentence.

        Raises:
            ValueError: If no component has looked for sentences.
        """
        return [self._add_up(bounds) for bounds in self.bounds_of(SENTENCE)]

    def of_entities(self) -> list[SpanExplanation]:
        """Add up the values of each entity.

        Raises:
            ValueError: If no component has looked for entities.
        """
        return [self._add_up(bounds) for bounds in self.bounds_of(ENTITY)]

    def bounds_of(self, unit: str) -> tuple[Bounds, ...]:
        """Return where the sentences ("sentence") or the entities ("entity") are.

        Raises:
            ValueError: If no component has looked for them.
        """
        spans = self.sentences if unit == SENTENCE else self.entities
        return require_spans(spans, unit, shorten(self.text, _SHOWN_CHARACTERS))

    def of(self, spans: "Iterable[Span | tuple[int, int]]") -> list[SpanExplanation]:
        """Add up the values of any spans.

        Args:
            spans: Spans of the document, as spaCy has them, say a span group; or pairs of numbers
                of tokens, (start, end). They may overlap.

        Raises:
            TypeError: For anything else.
            ValueError: For a span that is not within the document, or of another one.
        """
        return [self._add_up(bounds) for bounds in read_bounds(spans, self.tokens)]

    def _add_up(self, bounds: Bounds) -> SpanExplanation:
        start, end, kind = bounds
        parts = None if self.method == LEAVE_ONE_OUT else self.attributions[start:end].sum(axis=0)
        return SpanExplanation(
            text=_join(self.tokens[start:end], (*self.spaces[start : end - 1], False)),
            start=start,
            end=end,
            kind=kind,
            attention=float(self.attention[start:end].sum()),
            labels=self.labels,
            attributions=parts,
            method=self.method,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation in lists, strings and numbers, which JSON can hold.

        Values for labels become tables by label. In "attributions", each label has a list with a
        value for each token. "contrast", "sentences" and "entities" are there where they are known,
        and have the values of the contrast and of each span. `from_dict` reads all this again.
        """
        data = {
            "text": self.text,
            "tokens": list(self.tokens),
            "spaces": list(self.spaces),
            "attention": self.attention.tolist(),
            "logits": self._by_label(self.logits),
            "scores": self._by_label(self.scores),
            "bias": self._by_label(self.bias),
            "method": self.method,
            "attributions": self._by_label(self.attributions.T),
        }
        if self.contrast is not None:
            data["contrast"] = {
                "label": self.contrast[0],
                "other": self.contrast[1],
                "logit": self.logit_of(self.contrast),
                "bias": self.bias_of(self.contrast),
                "attributions": self.of_label(self.contrast).tolist(),
            }
        if self.sentences is not None:
            data["sentences"] = [span.to_dict() for span in self.of_sentences()]
        if self.entities is not None:
            data["entities"] = [span.to_dict() for span in self.of_entities()]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Explanation":
        """Return the explanation that `to_dict` was called of, also after its way through JSON.

        Raises:
            ValueError: For anything that `to_dict` does not return.
        """
        try:
            made = cls._from_dict(data)
            consistent = made._is_consistent() and made.text == data["text"]
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ValueError(f"No explanation can be made of what was given ({what}).") from error
        if not consistent:
            raise ValueError(
                f"No explanation can be made of what was given: its tokens, values and labels do "
                f"not go together, at the text {shorten(str(data['text']), 40)!r}."
            )
        return made

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> "Explanation":
        labels = tuple(data["logits"])

        def by_label(name: str) -> Floats:
            return numpy.array([data[name][label] for label in labels], dtype=numpy.float32)

        def bounds(name: str) -> tuple[Bounds, ...] | None:
            spans = data.get(name)
            return None if spans is None else tuple(map(_read_bounds, spans))

        contrast, tokens = data.get("contrast"), tuple(data["tokens"])
        return cls(
            tokens=tokens,
            spaces=tuple(data["spaces"]),
            labels=labels,
            attention=numpy.array(data["attention"], dtype=numpy.float32),
            logits=by_label("logits"),
            scores=by_label("scores"),
            bias=by_label("bias"),
            attributions=by_label("attributions").reshape(len(labels), len(tokens)).T,
            method=data["method"],
            contrast=None if contrast is None else (contrast["label"], contrast["other"]),
            sentences=bounds("sentences"),
            entities=bounds("entities"),
        )

    def _is_consistent(self) -> bool:
        """Whether there is a number for each token and label, and every span has tokens."""
        n_tokens, n_labels = len(self.tokens), len(self.labels)
        spans = (*(self.sentences or ()), *(self.entities or ()))
        return (
            self.attention.shape == (n_tokens,)
            and self.logits.shape == self.scores.shape == self.bias.shape == (n_labels,)
            and self.attributions.shape == (n_tokens, n_labels)
            and all(map(_are_finite, (self.attention, self.logits, self.scores, self.bias)))
            and _are_finite(self.attributions)
            and isinstance(self.method, str)
            and all(0 <= start < end <= n_tokens for start, end, _ in spans)
        )

    def to_dataframe(self, by: str = TOKEN) -> "pandas.DataFrame":
        """Return a row for each token, or for each sentence or entity, and label.

        The columns are index, token, attention, label, method and attribution. Of sentences and
        entities, they are start, end, text and kind in place of index and token. With a contrast,
        each token has one more row, and "other" is the label that it is compared with.

        Args:
            by: "token", "sentence" or "entity".

        Raises:
            ValueError: For anything else, for sentences or entities that no component has found,
                and for attributions that do not add up.
        """
        import pandas

        check_choice("Explanation.to_dataframe", "by", by, UNITS)
        targets: list[Target] = [*self.labels]
        if self.contrast is not None:
            targets.append(self.contrast)
        columns: dict[str, Sequence[Any]]
        if by == TOKEN:
            columns = {"index": range(len(self.tokens)), "token": self.tokens}
            attention = self.attention
            values = [self.of_label(target) for target in targets]
        else:
            spans = [self._add_up(bounds) for bounds in self.bounds_of(by)]
            names = ("start", "end", "text", "kind")
            columns = {name: [getattr(span, name) for span in spans] for name in names}
            attention = numpy.array([span.attention for span in spans], dtype=numpy.float32)
            values = [numpy.array([span.of_label(t) for span in spans], "f") for t in targets]
        n_rows, n_targets = len(attention), len(targets)
        table: dict[str, Any] = {
            name: _repeat(column, n_targets) for name, column in columns.items()
        }
        table["attention"] = attention.repeat(n_targets)
        table["label"] = [_pair(target)[0] for target in targets] * n_rows
        if self.contrast is not None:
            table["other"] = [_pair(target)[1] for target in targets] * n_rows
        table["method"] = [self.method] * (n_rows * n_targets)
        table["attribution"] = numpy.stack(values, axis=1).reshape(-1) if values else attention[:0]
        return pandas.DataFrame(table)

    def _by_label(self, values: NDArray[numpy.floating]) -> dict[str, Any]:
        return dict(zip(self.labels, values.tolist(), strict=True))


def _are_finite(values: Floats) -> bool:
    return bool(numpy.isfinite(values).all())


def _join(tokens: Sequence[str], spaces: Sequence[bool]) -> str:
    return "".join(token + " " * space for token, space in zip(tokens, spaces, strict=True))


def _read_bounds(span: Mapping[str, Any]) -> Bounds:
    start, end, kind = (span[name] for name in Bounds._fields)
    return Bounds(index(start), index(end), kind)


def _repeat(column: Sequence[Any], n: int) -> list[Any]:
    return [value for value in column for _ in range(n)]


def _pair(target: Target) -> tuple[str, str | None]:
    return (target, None) if isinstance(target, str) else target
