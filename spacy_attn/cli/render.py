"""`python -m spacy attn render`: texts with their tokens shaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

from rich.console import Console
from spacy.cli._util import Arg, Opt
from wasabi import msg

from ..interpret.methods import METHODS, check_method, explain_with
from ..interpret.show.pictures import describe_values, shaded_texts
from ..interpret.show.pictures import render as render_html
from ..interpret.show.scale import ATTENTION, CONTRIBUTIONS, SCALES
from ..interpret.show.terminal import terminal_view
from ..text_files import write_text
from .common import load_classifier
from .console import failing, prepare, require_output
from .options import (
    DEFAULTS,
    CodePath,
    ComponentName,
    DataOptions,
    GpuId,
    LabelColumn,
    LabelNames,
    ReaderSettings,
    Split,
    TextColumn,
)
from .progress import progress
from .texts import HELP as TEXT_HELP
from .texts import read_texts


def render_cli(
    model: Annotated[str, Arg(help="Name of or path to a trained pipeline")],
    text: Annotated[str, Arg(help=TEXT_HELP)],
    output: Annotated[
        Path | None,
        Opt("--output", "-o", help="HTML file to write, instead of the terminal", dir_okay=False),
    ] = None,
    style: Annotated[
        str | None,
        Opt("--style", "-s", help="'attention', the default, or 'contributions'"),
    ] = None,
    method: Annotated[
        str | None,
        Opt(
            "--method",
            "-m",
            help=f"How to attribute, instead of showing attention: {', '.join(METHODS)}",
        ),
    ] = None,
    label: Annotated[
        str | None,
        Opt("--label", "-l", help="Whose attributions to show, instead of the predicted label's"),
    ] = None,
    component: ComponentName = None,
    split: Split = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    labels: LabelNames = None,
    settings: ReaderSettings = None,
    gpu_id: GpuId = -1,
    code_path: CodePath = None,
) -> None:
    """
    Classify texts and show them with their tokens shaded by attention, or by
    what they contribute to a label, or what another method attributes to them:
    in the terminal, or as a web page.
    """
    if output is None:
        require_output()
    prepare(code_path, gpu_id, silent=output is None)  # nothing else goes to the terminal
    render(
        model,
        text,
        output=output,
        style=style,
        method=method,
        label=label,
        component=component,
        options=DataOptions(split, text_column, label_column, labels, settings),
    )


def render(
    model: str,
    text: str,
    *,
    output: Path | None = None,
    style: str | None = None,
    method: str | None = None,
    label: str | None = None,
    component: str | None = None,
    options: DataOptions = DEFAULTS,
) -> None:
    """Show texts in the terminal, or write them as a web page.

    Ends the process with a message on the standard error and status 1 where the input cannot be
    used.

    Args:
        model: Name or folder of a pipeline.
        text: A text, a file of texts, a data set, or "-".
        output: The HTML file; None for the terminal.
        style: "attention" or "contributions"; None for attention, or for contributions if there is
            a method.
        method: How to attribute, see `spacy_attn.explain`; None for contributions.
        label: Whose attributions to show; None for the predicted label's.
        component: Name of the component, where there are several.
        options: Split and columns of a data set.
    """
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = load_classifier(model, component)
    with failing("Can't show the texts"):
        style = _choose_style(style, method)
        method = method or CONTRIBUTIONS
        check_method("spacy attn render", method)
        docs = read_texts(text, classifier.nlp, options)
        explanations = list(progress(explain_with(classifier, docs, method=method)))
        texts = shaded_texts(explanations, style, label=label)
        if output is not None:
            html = render_html(explanations, style, label=label, page=True, jupyter=False)
            write_text(output, cast(str, html))
            msg.good(f"Saved {len(explanations)} documents: {output}")
            return
    Console().print(terminal_view(texts, SCALES[style], describe_values(texts, style)))


def _choose_style(style: str | None, method: str | None) -> str:
    if style == ATTENTION and method is not None:
        raise ValueError(
            f"Attention is not found by a method: leave out '--method {method}' or "
            f"'--style {ATTENTION}'."
        )
    return style or (ATTENTION if method is None else CONTRIBUTIONS)
