"""`spacy_attn.render` and pictures in notebooks: documents with their tokens shaded."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from markupsafe import Markup, escape
from spacy.tokens import Doc
from spacy.util import is_in_jupyter

from ...explanation import ATTENTION, CONTRIBUTIONS, Explanation
from .scale import SCALES
from .shaded_text import describe_values, shaded_texts, value_names
from .templating import fill_template, in_notebook, visible

if TYPE_CHECKING:
    import pandas

# So many labels are named with their scores.
MAX_SCORES = 4
# So many rows of a table are shown in a notebook.
_MAX_ROWS = 60


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
        page: Return a complete HTML page. To be shown in a notebook, which is a page already, it
            is left out.
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
            unknown style, or a label for attention.
        TypeError: For anything but Doc and Explanation.
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
    names = value_names(texts)
    html = fill_template(
        "render.html.jinja",
        minify=minify,
        texts=texts,
        scale=SCALES[style],
        styles=[style],
        what=describe_values(texts, style),
        # One legend is for all: where it cannot name the method, each document does.
        name_methods=len(names) > 1,
        max_scores=MAX_SCORES,
        fold=fold,
    )
    if jupyter or (jupyter is None and not page and is_in_jupyter()):
        from IPython.display import HTML, display

        display(HTML(in_notebook(html)))
        return None
    if page:
        title = ", ".join(names or [style]).capitalize()
        return fill_template("page.html.jinja", minify=minify, content=Markup(html), title=title)
    return html


def notebook_picture(explanation: Explanation) -> str:
    """Return what a notebook shows of an explanation: its attributions, or without labels its
    attention."""
    style = CONTRIBUTIONS if explanation.labels else ATTENTION
    return in_notebook(cast(str, render(explanation, style, jupyter=False)))


def notebook_table(heading: str, words: "pandas.DataFrame") -> str:
    """Return what a notebook shows of words with their label, numbers and examples."""
    words["examples"] = words["examples"].map(" · ".join)
    for column in ("word", "label", "examples"):
        words[column] = words[column].map(visible)
    html = words.to_html(index=False, float_format="{:.3f}".format, max_rows=_MAX_ROWS)
    return in_notebook(f"<p>{escape(heading)}</p>{html}")
