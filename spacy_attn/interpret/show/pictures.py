"""`spacy_attn.render` and pictures in notebooks: shaded documents, and alignments."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from markupsafe import Markup, escape
from spacy.tokens import Doc, Span, Token
from spacy.util import is_in_jupyter

from ...results.alignment import ALIGNMENT, Alignment
from ...results.explanation import ATTENTION, CONTRIBUTIONS, TOKEN, Explanation
from ...results.targets import Contrast
from .legend import legend_of
from .matrices import Matrix, matrices
from .scale import GREYS
from .shaded_text import ShadedText, default_style, shaded_texts, value_names
from .templating import fill_template, in_notebook, visible

if TYPE_CHECKING:
    import pandas

# So many rows of a table are shown in a notebook.
_MAX_ROWS = 60


# What can be shown, each in some styles.
Shown = Doc | Explanation | Span | Token | Alignment | Sequence[Alignment | None]


def render(
    docs: Shown | Iterable[Shown],
    style: str | None = None,
    *,
    label: str | None = None,
    contrast: Contrast | None = None,
    by: str = TOKEN,
    page: bool = False,
    minify: bool = False,
    jupyter: bool | None = None,
    attention_attr: str = ATTENTION,
    contributions_attr: str = CONTRIBUTIONS,
    written_attr: str | None = None,
    fold: int = 150,
) -> str | None:
    """Show documents as HTML, each token shaded by its attention or its contribution to a label.

    The scale of the shades is the same for every document, and the legend states it; its reasons
    are in `spacy_attn.interpret.show.scale`. In a notebook the documents are shown; elsewhere,
    and where a page is asked for, the HTML is returned.

    The style "alignment" shows what a component has written as a matrix: what was read is above,
    what was written is beside, and a cell is the darker the more attention there was. A document
    has a matrix for its `doc._.alignment`, and a small one for each token with a
    `token._.lemma_alignment`.

    Args:
        docs: Classified documents, or what `component.explain` returns for documents. For
            contributions, a Doc must have them as `doc._.contributions`. For alignments,
            documents that a component has written for, spans or tokens of these, or alignments, in
            lists or lists of lists.
        style: "attention", or "contributions", which shows the attributions of explanations
            whatever method they were found by, and names it; or "alignment". By default attention,
            or contributions where a label or a contrast is given.
        label: The label whose contributions to show; by default the contrast that an explanation
            was asked for, or else each document's label with the highest score.
        contrast: A pair of labels: shows what speaks for the first and not for the second, the
            differences of their contributions.
        by: "sentence" or "entity" gives each of them a bar, with what its tokens add up to. A long
            document opens at the sentences that count most, as many as `fold` allows.
        page: Return a complete HTML page. To be shown in a notebook, which is a page already, it
            is left out.
        minify: Leave out line breaks and indentation.
        jupyter: Show the documents with IPython (True) or return them (False); by default they are
            shown in a notebook, if no page is asked for.
        attention_attr: The component's setting of that name, for documents.
        contributions_attr: The same.
        written_attr: What was written, for alignments: "generated" or what its component was set
            to, "lemma" or the attribute that a transducer writes. By default all there is.
        fold: Of longer documents, the tokens from this number on are folded up; 0 folds none.
            Alignments scroll instead.

    Returns:
        The HTML; None where it is shown.

    Raises:
        ValueError: If a document has no attention, contributions or alignment, not the label, or no
            sentences or entities; or for an unknown style, for a label for attention or alignments,
            and for a contrast of anything but two labels of the document.
        TypeError: For anything that the style cannot show.
    """
    if fold < 0:
        raise ValueError(f"'fold' must be a number of tokens, or 0 to fold nothing, but is {fold}.")
    style = style or default_style(label, contrast)
    if style == ALIGNMENT:
        shown = matrices(docs, written_attr, label=label, contrast=contrast, by=by)
        html, title = _matrices(shown, minify), style
    else:
        texts = shaded_texts(
            docs,
            style,
            label=label,
            contrast=contrast,
            by=by,
            attention_attr=attention_attr,
            contributions_attr=contributions_attr,
        )
        html, title = (
            _shaded(texts, style, by, fold, minify),
            ", ".join(value_names(texts) or [style]),
        )
    if jupyter or (jupyter is None and not page and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(in_notebook(html)))
        return None
    if page:
        return fill_template(
            "page.html.jinja", minify=minify, content=Markup(html), title=title.capitalize()
        )
    return html


def _shaded(texts: list[ShadedText], style: str, by: str, fold: int, minify: bool) -> str:
    return fill_template(
        "render.html.jinja",
        minify=minify,
        texts=texts,
        styles=[style],
        key=legend_of(texts, style, by),
        # One legend is for all: where it cannot name the method, each document does.
        name_methods=len(value_names(texts)) > 1,
        fold=fold,
    )


def _matrices(shown: list[Matrix], minify: bool) -> str:
    return fill_template(
        "alignment.html.jinja",
        minify=minify,
        matrices=shown,
        scale=GREYS,
        scales={ALIGNMENT: GREYS},
        styles=[ALIGNMENT],
    )


def notebook_picture(explanation: Explanation) -> str:
    """Return what a notebook shows of an explanation: its attributions, or without labels its
    attention."""
    style = CONTRIBUTIONS if explanation.labels else ATTENTION
    return in_notebook(cast(str, render(explanation, style, jupyter=False)))


def notebook_matrix(alignment: Alignment) -> str:
    """Return what a notebook shows of an alignment."""
    return in_notebook(cast(str, render(alignment, ALIGNMENT, jupyter=False)))


def notebook_table(heading: str, words: "pandas.DataFrame") -> str:
    """Return what a notebook shows of words with their label, numbers and examples."""
    words["examples"] = words["examples"].map(" · ".join)
    for column in ("word", "label", "examples"):
        words[column] = words[column].map(visible)
    html = words.to_html(index=False, float_format="{:.3f}".format, max_rows=_MAX_ROWS)
    return in_notebook(f"<p>{escape(heading)}</p>{html}")
