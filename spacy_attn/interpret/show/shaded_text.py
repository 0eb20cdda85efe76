"""A document of which one value of each token is to be shown, made of a Doc or an Explanation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ...alignment import ALIGNMENT
from ...explanation import ATTENTION, CONTRIBUTIONS, Explanation, method_name, shorten
from ...token_values import get_labels, get_values
from .scale import SCALES, Scale, Shade
from .templating import visible


class ShadedToken(NamedTuple):
    """What is shown of a token. Nothing is escaped yet."""

    text: str
    space: bool  # whether one follows
    shade: Shade
    title: str  # text and value, for the mouse
    spoken: str  # the value, for screen readers


@dataclass(frozen=True)
class ShadedText:
    """A document and the values to show: its attention, or its tokens' parts in one label's logit.

    Attributes:
        tokens: The texts of the tokens.
        spaces: Whether a space follows each token.
        values: A value for each token, shape (n_tokens,).
        scores: The component's score of each label.
        style: What the values are, "attention" or "contributions".
        label: The label they belong to; None for attention.
        method: How the parts in the logit were found.
        direction: Of the text: "ltr", "rtl", or "auto" where it is not known.
        language: The text's language code, or "".
    """

    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    values: NDArray[numpy.floating]
    scores: dict[str, float]
    style: str
    label: str | None = None
    method: str = CONTRIBUTIONS
    direction: str = "auto"
    language: str = ""

    @property
    def scale(self) -> Scale:
        return SCALES[self.style]

    @property
    def name(self) -> str:
        """What the values are called."""
        return ATTENTION if self.style == ATTENTION else method_name(self.method)

    @property
    def adds_up(self) -> bool:
        """Whether the values are exact parts of a whole. The sum of others, say of tokens left out
        one at a time, is not what the tokens do together."""
        return self.name in (ATTENTION, CONTRIBUTIONS)

    @property
    def by_score(self) -> list[tuple[str, float]]:
        """Labels and scores, the highest first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])

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
        label, whole = visible(str(self.label)), _signed(value * n_tokens, digits=1)
        what = f"contributed to {label}"
        if self.method != CONTRIBUTIONS:
            what = f"for {label} by {visible(self.name)}"
        return f"{self.number(value)} {what} (× {n_tokens} tokens: {whole})"

    def total(self, start: int) -> str:
        """Write what the tokens from one on have together."""
        return self.number(float(self.values[start:].sum()))


def _signed(value: float, digits: int = 3) -> str:
    # With a minus sign that screen readers read as such.
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def shaded_texts(
    docs: object,
    style: str,
    *,
    label: str | None = None,
    attention_attr: str = ATTENTION,
    contributions_attr: str = CONTRIBUTIONS,
) -> list[ShadedText]:
    """Pick what is to be shown of each document. Arguments and errors are those of `render`."""
    if style not in SCALES:
        known = ", ".join(map(repr, SCALES))
        raise ValueError(f"There is no style {style!r}; there are {known} and {ALIGNMENT!r}.")
    if style == ATTENTION and label is not None:
        raise ValueError(
            f"Attention is the same for all labels: leave out the label {label!r}, or set "
            f"style={CONTRIBUTIONS!r}."
        )
    if isinstance(docs, Doc | Explanation):
        docs = [docs]
    if isinstance(docs, str) or not isinstance(docs, Iterable):
        raise TypeError(_wrong_type(docs))
    texts = []
    for doc in docs:
        if isinstance(doc, Explanation):
            texts.append(_from_explanation(doc, style, label))
        elif isinstance(doc, Doc):
            texts.append(_from_doc(doc, style, label, attention_attr, contributions_attr))
        else:
            raise TypeError(_wrong_type(doc))
    return texts


def _wrong_type(doc: object) -> str:
    return (
        f"Only a Doc or an Explanation, or several of them, can be shown, not "
        f"{type(doc).__name__}: pass nlp(text), or what component.explain(docs) returns."
    )


def _from_explanation(explanation: Explanation, style: str, label: str | None) -> ShadedText:
    scores = dict(zip(explanation.labels, explanation.scores.tolist(), strict=True))
    values = explanation.attention
    if style == CONTRIBUTIONS:
        label = _label_to_show(scores, label)
        values = explanation.of_label(label)
    return ShadedText(
        tokens=explanation.tokens,
        spaces=explanation.spaces,
        values=values,
        scores=scores,
        style=style,
        label=label,
        method=explanation.method,
    )


def _from_doc(
    doc: Doc, style: str, label: str | None, attention_attr: str, contributions_attr: str
) -> ShadedText:
    scores, values = doc.cats, None
    if style == ATTENTION:
        if doc.has_extension(attention_attr):
            values = doc._.get(attention_attr)
        if values is None:
            raise ValueError(
                f"The document '{shorten(doc.text, 40)}' has no 'doc._.{attention_attr}': classify "
                f"it with a pipeline that has 'attn_textcat' or 'attn_textcat_multilabel', doc = "
                f"nlp(text), and name the attribute with 'attention_attr' if the component has "
                f"another one."
            )
    else:
        values, labels = get_values(doc, contributions_attr), get_labels(doc, contributions_attr)
        if values is None or not labels:
            raise ValueError(
                f"The document '{shorten(doc.text, 40)}' has no 'doc._.{contributions_attr}': set "
                f"the component's 'contributions_attr', name it here, and classify the document "
                f"again; or give explanations instead of documents, "
                f"spacy_attn.render(component.explain(docs), style={CONTRIBUTIONS!r})."
            )
        # Other components may have set other scores.
        scores = {name: doc.cats.get(name, 0.0) for name in labels}
        label = _label_to_show(scores, label)
        values = values[:, labels.index(label)]
    return ShadedText(
        tokens=tuple(token.text for token in doc),
        spaces=tuple(bool(token.whitespace_) for token in doc),
        values=values,
        scores=scores,
        style=style,
        label=label,
        direction=doc.vocab.writing_system.get("direction", "auto"),
        language=doc.lang_,
    )


def _label_to_show(scores: dict[str, float], label: str | None) -> str:
    """Return the label, or else the one with the highest score."""
    if label is None:
        return max(scores, key=scores.__getitem__)
    if label not in scores:
        raise ValueError(f"There is no label {label!r}; there are {', '.join(map(repr, scores))}.")
    return label


def describe_values(texts: list[ShadedText], style: str) -> str:
    """Say in a legend what the values are."""
    if style == ATTENTION:
        return "A token's share of the attention"
    labels = list(dict.fromkeys(text.label for text in texts))
    label = f"“{visible(str(labels[0]))}”" if len(labels) == 1 else "the underlined label"
    names = value_names(texts)
    if len(names) > 1:
        return f"A token's attribution for {label} by the method named above the document"
    if names and names != [CONTRIBUTIONS]:
        return f"A token's attribution for {label} by {visible(names[0])}"
    return f"What a token contributes to {label}"


def value_names(texts: list[ShadedText]) -> list[str]:
    """Return what the values of some documents are called, each name once."""
    return list(dict.fromkeys(text.name for text in texts))
