"""`spacy_attn.render`: documents with their tokens shaded, in the manner of displaCy."""

from collections.abc import Iterable
from typing import cast

import numpy
from markupsafe import Markup
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.util import is_in_jupyter

from ...explanation import Explanation, shorten
from ...extensions import get_labels, get_values
from .scale import ATTENTION, CONTRIBUTIONS, SCALES, STYLES
from .shaded_text import ShadedText
from .templating import fill_template, in_notebook
from .visible import visible

# So many labels are named with their scores.
MAX_SCORES = 4


def render(
    docs: Doc | Explanation | Iterable[Doc | Explanation],
    style: str = ATTENTION,
    *,
    label: str | None = None,
    page: bool = False,
    minify: bool = False,
    jupyter: bool | None = None,
    attention_attr: str = ATTENTION,
    contributions_attr: str = CONTRIBUTIONS,
    fold: int = 150,
) -> str | None:
    """Show documents as HTML, each token shaded by its attention or its contribution to a label.

    The scale of the shades is the same for every document, and the legend states it; its reasons
    are in `spacy_attn.interpret.show.scale`. In a notebook the documents are shown; elsewhere,
    and where a page is asked for, the HTML is returned.

    Args:
        docs: Classified documents, or what `component.explain` returns for documents. For
            contributions, a Doc must have them as `doc._.contributions`.
        style: "attention", or "contributions", which shows the attributions of explanations
            whatever method they were found by, and names it.
        label: The label whose contributions to show; by default each document's label with the
            highest score.
        page: Return a complete HTML page, in a notebook, too, unless it is to be shown there: a
            notebook is a page already, and shows the same as without.
        minify: Leave out line breaks and indentation.
        jupyter: Show the documents with IPython (True) or return them (False); by default they are
            shown in a notebook, if no page is asked for.
        attention_attr: The component's setting of that name, for documents.
        contributions_attr: The same.
        fold: Of longer documents, the tokens from this number on are folded up; 0 folds none.

    Returns:
        The HTML; None where it is shown.

    Raises:
        ValueError: If a document has no attention or contributions, or not the label; or for an
            unknown style, or a label for attention. TypeError for anything but Doc and Explanation.
    """
    if fold < 0:
        raise ValueError(f"'fold' must be a number of tokens, or 0 to fold nothing, but is {fold}.")
    texts = shaded_texts(
        docs,
        style,
        label=label,
        attention_attr=attention_attr,
        contributions_attr=contributions_attr,
    )
    html = fill_template(
        "render.html.jinja",
        minify=minify,
        texts=texts,
        scale=SCALES[style],
        styles=[style],
        what=describe_values(texts, style),
        # One legend is for all: where it cannot name the method, each document does.
        name_methods=len(_names(texts)) > 1,
        max_scores=MAX_SCORES,
        fold=fold,
    )
    if jupyter or (jupyter is None and not page and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(in_notebook(html)))
        return None
    if page:
        return fill_template(
            "page.html.jinja",
            minify=minify,
            content=Markup(html),
            title=", ".join(_names(texts) or [style]).capitalize(),
        )
    return html


def notebook_picture(explanation: Explanation) -> str:
    """What a notebook shows of an explanation: its attributions; without labels its attention."""
    style = CONTRIBUTIONS if explanation.labels else ATTENTION
    return in_notebook(cast(str, render(explanation, style, jupyter=False)))


def shaded_texts(
    docs: Doc | Explanation | Iterable[Doc | Explanation],
    style: str,
    *,
    label: str | None = None,
    attention_attr: str = ATTENTION,
    contributions_attr: str = CONTRIBUTIONS,
) -> list[ShadedText]:
    """Pick what is to be shown of each document. Takes and raises the same as `render`."""
    _check_style(style, label)
    if isinstance(docs, (Doc, Explanation)):
        docs = [docs]
    if isinstance(docs, str) or not isinstance(docs, Iterable):
        raise TypeError(_wrong_type(docs))
    return [_shaded_text(doc, style, label, attention_attr, contributions_attr) for doc in docs]


def describe_values(texts: list[ShadedText], style: str) -> str:
    """What a legend says the values are."""
    if style == ATTENTION:
        return "A token's share of the attention"
    labels = list(dict.fromkeys(text.label for text in texts))
    label = f"“{visible(str(labels[0]))}”" if len(labels) == 1 else "the underlined label"
    names = _names(texts)
    if len(names) > 1:
        return f"A token's attribution for {label} by the method named above the document"
    if names and names != [CONTRIBUTIONS]:
        return f"A token's attribution for {label} by {visible(names[0])}"
    return f"What a token contributes to {label}"


def _names(texts: list[ShadedText]) -> list[str]:
    """What the values of some documents are called, each name once."""
    return list(dict.fromkeys(text.name for text in texts))


def _check_style(style: str, label: str | None) -> None:
    if style not in STYLES:
        known = " and ".join(map(repr, STYLES))
        raise ValueError(f"There is no style {style!r}; there are {known}.")
    if style == ATTENTION and label is not None:
        raise ValueError(
            f"Attention is the same for all labels: leave out the label {label!r}, or set "
            f"style={CONTRIBUTIONS!r}."
        )


def _shaded_text(
    doc: Doc | Explanation,
    style: str,
    label: str | None,
    attention_attr: str,
    contributions_attr: str,
) -> ShadedText:
    if isinstance(doc, Explanation):
        return _from_explanation(doc, style, label)
    if isinstance(doc, Doc):
        return _from_doc(doc, style, label, attention_attr, contributions_attr)
    raise TypeError(_wrong_type(doc))


def _from_explanation(explanation: Explanation, style: str, label: str | None) -> ShadedText:
    scores = dict(zip(explanation.labels, explanation.scores.tolist(), strict=True))
    label = _label_to_show(scores, style, label)
    return ShadedText(
        tokens=explanation.tokens,
        spaces=explanation.spaces,
        values=explanation.attention if label is None else explanation.of_label(label),
        scores=scores,
        style=style,
        label=label,
        method=explanation.method,
    )


def _from_doc(
    doc: Doc, style: str, label: str | None, attention_attr: str, contributions_attr: str
) -> ShadedText:
    scores = doc.cats
    if style == CONTRIBUTIONS:
        values, labels = _contributions(doc, contributions_attr)
        # Other components may have set others.
        scores = {name: doc.cats.get(name, 0.0) for name in labels}
        label = _label_to_show(scores, style, label)
        values = values[:, labels.index(cast(str, label))]
    else:
        values = _attention(doc, attention_attr)
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


def _label_to_show(scores: dict[str, float], style: str, label: str | None) -> str | None:
    if style == ATTENTION:
        return None
    if label is None:
        return max(scores, key=scores.__getitem__)
    if label not in scores:
        raise ValueError(f"There is no label {label!r}; there are {', '.join(map(repr, scores))}.")
    return label


def _attention(doc: Doc, name: str) -> NDArray[numpy.floating]:
    weights = doc._.get(name) if doc.has_extension(name) else None
    if weights is None:
        raise ValueError(
            f"The document '{shorten(doc.text, 40)}' has no 'doc._.{name}': classify it with a "
            f"pipeline that has 'attn_textcat' or 'attn_textcat_multilabel', doc = nlp(text), and "
            f"name the attribute with 'attention_attr' if the component has another one."
        )
    return weights


def _contributions(doc: Doc, name: str) -> tuple[NDArray[numpy.floating], tuple[str, ...]]:
    """RETURNS: The contributions, shape (n_tokens, n_labels), and the labels of the columns."""
    values, labels = get_values(doc, name), get_labels(doc, name)
    if values is None or not labels:
        raise ValueError(
            f"The document '{shorten(doc.text, 40)}' has no 'doc._.{name}': set the component's "
            f"'contributions_attr', name it here, and classify the document again; or give "
            f"explanations instead of documents, spacy_attn.render(component.explain(docs), "
            f"style={CONTRIBUTIONS!r})."
        )
    return values, labels


def _wrong_type(doc: object) -> str:
    return (
        f"Only a Doc or an Explanation, or several of them, can be shown, not "
        f"{type(doc).__name__}: pass nlp(text), or what component.explain(docs) returns."
    )
