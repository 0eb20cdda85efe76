"""A document of which one value of each token is to be shown, made of a Doc or an Explanation."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ...checks import check_choice
from ...results.alignment import ALIGNMENT, Alignment
from ...results.explanation import (
    ATTENTION,
    CONTRIBUTIONS,
    TOKEN,
    UNITS,
    Explanation,
    method_name,
    shorten,
)
from ...results.span_explanation import (
    ENTITY,
    SENTENCE,
    Bounds,
    check_adds_up,
    find_spans,
    require_spans,
)
from ...results.targets import (
    Contrast,
    Target,
    check_contrast,
    column_of,
    labels_of,
    name_target,
    of_target,
)
from ...results.token_values import get_labels, get_values
from .scale import SCALES, Scale, Shade
from .templating import visible

# So many labels are named with their scores.
MAX_SCORES = 4


class ShadedToken(NamedTuple):
    """What is shown of a token. Nothing is escaped yet."""

    text: str
    space: bool  # whether one follows
    shade: Shade
    title: str  # text and value, for the mouse
    spoken: str  # the value, for screen readers


class ShadedRow(NamedTuple):
    """What is shown of a sentence or an entity, or of all tokens that are in none."""

    tokens: list[ShadedToken]  # none of the others
    kind: str  # of an entity
    value: float
    number: str
    share: float  # of the longest bar, from -1 to 1


class RowGroup(NamedTuple):
    """Sentences that follow one another and are all open, or all folded up."""

    is_open: bool
    rows: list[ShadedRow]
    summary: str  # what the folded ones are, and what they have together


# What one and several of a unit are called.
UNIT_NAMES = {SENTENCE: ("a sentence", "sentences"), ENTITY: ("an entity", "rows")}


@dataclass(frozen=True)
class ShadedText:
    """A document and the values to show: its attention, or its tokens' parts in one label's logit.

    Attributes:
        tokens: The texts of the tokens.
        spaces: Whether a space follows each token.
        values: A value for each token, shape (n_tokens,).
        scores: The component's score of each label.
        style: What the values are, "attention" or "contributions".
        target: The label, or the pair of labels, that they belong to; None for attention.
        logit: How far the logit of one of this pair is above that of the other, where it is known.
        method: How the parts in the logit were found.
        direction: Of the text: "ltr", "rtl", or "auto" where it is not known.
        language: The text's language code, or "".
        by: What is to have a bar, "sentence" or "entity"; "token" where nothing has.
        spans: Where these are.
    """

    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    values: NDArray[numpy.floating]
    scores: dict[str, float]
    style: str
    target: Target | None = None
    logit: float | None = None
    method: str = CONTRIBUTIONS
    direction: str = "auto"
    language: str = ""
    by: str = TOKEN
    spans: tuple[Bounds, ...] = ()

    @property
    def scale(self) -> Scale:
        return SCALES[self.style]

    @property
    def name(self) -> str:
        """What the values are called."""
        return ATTENTION if self.style == ATTENTION else method_name(self.method)

    @property
    def target_name(self) -> str:
        """What the values belong to; "" for attention."""
        return "" if self.target is None else visible(name_target(self.target))

    @property
    def question(self) -> str:
        """What a contrast asks, and the difference of logits that is explained; "" without one."""
        if len(self.shown_labels) < 2:
            return ""
        logits = "" if self.logit is None else f", {_signed(self.logit, digits=2)} logits"
        return self.target_name + logits

    @property
    def shown_labels(self) -> tuple[str, ...]:
        """The labels that the values belong to."""
        return labels_of(self.target)

    @property
    def adds_up(self) -> bool:
        """Whether the values are exact parts of a whole. The sum of others, say of tokens left out
        one at a time, is not what the tokens do together."""
        return self.name in (ATTENTION, CONTRIBUTIONS)

    @property
    def by_score(self) -> list[tuple[str, float]]:
        """Labels and scores, the highest first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])

    @property
    def named_scores(self) -> list[tuple[str, float]]:
        """The highest scores, and those of the labels that the values belong to."""
        first = self.by_score[:MAX_SCORES]
        return [*first, *(one for one in self.by_score[MAX_SCORES:] if one[0] in self.shown_labels)]

    @property
    def other_scores(self) -> list[tuple[str, float]]:
        """All others, the highest first."""
        named = {label for label, _ in self.named_scores}
        return [one for one in self.by_score if one[0] not in named]

    def shaded_tokens(self) -> Iterator[ShadedToken]:
        """Iterate over the tokens.

        Raises:
            ValueError: If a value is not finite.
        """
        levels, values = self.scale.levels(self.values), self.values.tolist()
        for text, space, value, level in zip(self.tokens, self.spaces, values, levels, strict=True):
            seen = visible(text)
            title, spoken = f"{seen}: {self._describe(value)}", self.number(value)
            yield ShadedToken(seen, bool(space), self.scale.shade(level), title, spoken)

    def number(self, value: float) -> str:
        """Write a value as a percentage of the attention, or as a signed number of logits."""
        if self.style == ATTENTION:
            return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
        return _signed(value)

    def _describe(self, value: float) -> str:
        """Write a value, what it is, and how it compares."""
        n_tokens = len(self.tokens)
        if self.style == ATTENTION:
            return f"{self.number(value)} of the attention, {value * n_tokens:.2f} × the average"
        label, whole = self.target_name, _signed(value * n_tokens, digits=1)
        what = f"contributed to {label}"
        if self.method != CONTRIBUTIONS:
            what = f"for {label} by {visible(self.name)}"
        return f"{self.number(value)} {what} (× {n_tokens} tokens: {whole})"

    def total(self, start: int) -> str:
        """Write what the tokens from one on have together."""
        return self.number(float(self.values[start:].sum()))

    def rows(self) -> list[ShadedRow]:
        """Return what has a bar, in order; what all other tokens have together comes last."""
        tokens, values = list(self.shaded_tokens()), self.values.astype(numpy.float64)
        found = [
            (tokens[start:end], kind, float(values[start:end].sum()))
            for start, end, kind in self.spans
        ]
        if sum(end - start for start, end, _ in self.spans) < len(tokens):
            rest = float(values.sum()) - sum(value for _, _, value in found)
            found.append(([], "", rest))
        scale = len(found) / self.scale.clip
        return [
            ShadedRow(part, kind, value, self.number(value), min(1.0, max(-1.0, value * scale)))
            for part, kind, value in found
        ]

    def bar_shade(self, row: ShadedRow) -> Shade:
        """Return the shade of a bar: the strongest of its sign."""
        return self.scale.shades[0 if row.share < 0 else -1]

    def row_groups(self, fold: int) -> Iterator[RowGroup]:
        """Go through the rows, of which those that count least are folded up in a long document.

        Args:
            fold: So many tokens are open, or one row; 0 folds none.
        """
        rows = self.rows()
        is_open = _opened(rows, fold if self.by == SENTENCE else 0)
        for opened, group in groupby(zip(is_open, rows, strict=True), key=lambda pair: pair[0]):
            members = [row for _, row in group]
            what = f"{len(members)} {'sentence' if len(members) == 1 else 'sentences'}"
            total = self.number(sum(row.value for row in members))
            yield RowGroup(opened, members, f"{what}, together {total}")


def _opened(rows: Sequence[ShadedRow], fold: int) -> list[bool]:
    """Say of each row whether it is open: those of the largest values, while there is room."""
    lengths = [len(row.tokens) for row in rows]
    if not fold or sum(lengths) <= fold:
        return [True] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: -abs(rows[i].value))
    room = numpy.cumsum([lengths[i] for i in order]) <= fold
    opened = {order[0], *(i for i, fits in zip(order, room, strict=True) if fits)}
    return [i in opened for i in range(len(rows))]


def _signed(value: float, digits: int = 3) -> str:
    # With a minus sign that screen readers read as such.
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


class Asked(NamedTuple):
    """What is to be shown of documents. Its fields are arguments of `render`."""

    style: str
    label: str | None = None
    contrast: Contrast | None = None
    by: str = TOKEN
    attention_attr: str = ATTENTION
    contributions_attr: str = CONTRIBUTIONS

    def target(
        self, labels: Sequence[str], scores: Sequence[float], own: Contrast | None = None
    ) -> Target:
        """Return the label or the contrast to show of a document.

        Args:
            labels: Those that the document has values for.
            scores: Of each.
            own: The contrast that its explanation was asked for.
        """
        if self.label is not None:
            column_of(self.label, labels, "the document")
            return self.label
        contrast = check_contrast(self.contrast, labels, "the document") or own
        return contrast or labels[max(range(len(labels)), key=scores.__getitem__)]


def shaded_texts(
    docs: object,
    style: str | None,
    *,
    label: str | None = None,
    contrast: Contrast | None = None,
    by: str = TOKEN,
    attention_attr: str = ATTENTION,
    contributions_attr: str = CONTRIBUTIONS,
) -> list[ShadedText]:
    """Pick what is to be shown of each document. Arguments and errors are those of `render`."""
    style = style or default_style(label, contrast)
    if style not in SCALES:
        known = ", ".join(map(repr, SCALES))
        raise ValueError(f"There is no style {style!r}; there are {known} and {ALIGNMENT!r}.")
    check_choice("spacy_attn.render", "by", by, UNITS)
    _check_targets(style, label, contrast)
    asked = Asked(style, label, contrast, by, attention_attr, contributions_attr)
    if isinstance(docs, Doc | Explanation):
        docs = [docs]
    if isinstance(docs, str) or not isinstance(docs, Iterable):
        raise TypeError(_wrong_type(docs))
    texts = []
    for doc in docs:
        if isinstance(doc, Explanation):
            texts.append(_from_explanation(doc, asked))
        elif isinstance(doc, Doc):
            texts.append(_from_doc(doc, asked))
        else:
            raise TypeError(_wrong_type(doc))
    return texts


def default_style(label: object, contrast: object) -> str:
    """Return the style where none is named: attention, which has no label."""
    return ATTENTION if label is None and contrast is None else CONTRIBUTIONS


def _check_targets(style: str, label: str | None, contrast: Contrast | None) -> None:
    """Refuse a label or a contrast where it says nothing."""
    if label is not None and contrast is not None:
        raise ValueError(
            f"The label {label!r} and the contrast {contrast!r} are given, but one of them alone "
            f"can be shown: leave the other one out."
        )
    given = f"the label {label!r}" if contrast is None else f"the contrast {contrast!r}"
    if style == ATTENTION and (label, contrast) != (None, None):
        raise ValueError(
            f"Attention is the same for all labels: leave out {given}, or set "
            f"style={CONTRIBUTIONS!r}."
        )


def _wrong_type(doc: object) -> str:
    if isinstance(doc, Alignment):
        return f"Alignments are shown with style={ALIGNMENT!r}: set it."
    return (
        f"Only a Doc or an Explanation, or several of them, can be shown, not "
        f"{type(doc).__name__}: pass nlp(text), or what component.explain(docs) returns."
    )


def _from_explanation(explanation: Explanation, asked: Asked) -> ShadedText:
    labels, scores = explanation.labels, explanation.scores.tolist()
    values, target = explanation.attention, None
    if asked.style == CONTRIBUTIONS:
        target = asked.target(labels, scores, explanation.contrast)
        values = explanation.of_label(target)
        if asked.by != TOKEN:
            check_adds_up(explanation.method)
    return ShadedText(
        tokens=explanation.tokens,
        spaces=explanation.spaces,
        values=values,
        scores=dict(zip(labels, scores, strict=True)),
        style=asked.style,
        target=target,
        logit=None if target is None else explanation.logit_of(target),
        method=explanation.method,
        by=asked.by,
        spans=() if asked.by == TOKEN else explanation.bounds_of(asked.by),
    )


def _from_doc(doc: Doc, asked: Asked) -> ShadedText:
    scores, values, target = doc.cats, None, None
    if asked.style == ATTENTION:
        if doc.has_extension(asked.attention_attr):
            values = doc._.get(asked.attention_attr)
        if values is None:
            raise ValueError(
                f"The document '{shorten(doc.text, 40)}' has no 'doc._.{asked.attention_attr}': "
                f"classify it with a pipeline that has 'attn_textcat' or 'attn_textcat_multilabel',"
                f" doc = nlp(text), and name the attribute with 'attention_attr' if the component "
                f"has another one."
            )
    else:
        attr = asked.contributions_attr
        values, labels = get_values(doc, attr), get_labels(doc, attr)
        if values is None or not labels:
            raise ValueError(
                f"The document '{shorten(doc.text, 40)}' has no 'doc._.{attr}': set the "
                f"component's 'contributions_attr', name it here, and classify the document again; "
                f"or give explanations instead of documents, "
                f"spacy_attn.render(component.explain(docs), style={CONTRIBUTIONS!r})."
            )
        # Other components may have set other scores.
        scores = {name: doc.cats.get(name, 0.0) for name in labels}
        target = asked.target(labels, list(scores.values()))
        values = of_target(values, labels, target)
    return ShadedText(
        tokens=tuple(token.text for token in doc),
        spaces=tuple(bool(token.whitespace_) for token in doc),
        values=values,
        scores=scores,
        style=asked.style,
        target=target,
        direction=doc.vocab.writing_system.get("direction", "auto"),
        language=doc.lang_,
        by=asked.by,
        spans=_spans_of_doc(doc, asked.by),
    )


def _spans_of_doc(doc: Doc, by: str) -> tuple[Bounds, ...]:
    return () if by == TOKEN else require_spans(find_spans(doc, by), by, shorten(doc.text, 40))


def value_names(texts: Sequence[ShadedText]) -> list[str]:
    """Return what the values of some documents are called, each name once."""
    return list(dict.fromkeys(text.name for text in texts))
