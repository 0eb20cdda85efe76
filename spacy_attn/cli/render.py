"""`python -m spacy attn render`: texts with their tokens shaded, or alignments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, cast

from rich.console import Console
from spacy import util
from spacy.cli._util import Opt
from spacy.language import Language
from spacy.tokens import Doc
from wasabi import msg

from ..alignment import ALIGNMENT
from ..explanation import ATTENTION, CONTRIBUTIONS, Explanation
from ..interpret.methods import METHODS, check_method, explain
from ..interpret.show.pictures import render
from ..interpret.show.terminal import terminal_view
from ..pipeline.finding import find_component
from ..pipeline.writers.transducer import AttentionTransducer
from ..text_files import write_text
from . import options as opt
from .console import failing, prepare, progress
from .texts import read_texts


def render_cli(
    model: opt.Model,
    text: opt.Text,
    output: Annotated[
        Path | None,
        Opt("--output", "-o", help="HTML file to write, instead of the terminal", dir_okay=False),
    ] = None,
    style: Annotated[
        str | None,
        Opt("--style", "-s", help="'attention', the default, 'contributions' or 'alignment'"),
    ] = None,
    method: Annotated[
        str | None,
        Opt(
            "--method",
            "-m",
            help=f"How to attribute, in place of attention: {', '.join(METHODS)}",
        ),
    ] = None,
    label: Annotated[
        str | None,
        Opt("--label", "-l", help="Label whose attributions to show. By default the predicted one"),
    ] = None,
    component: opt.ComponentName = None,
    split: opt.Split = None,
    text_column: opt.TextColumn = None,
    label_column: opt.LabelColumn = None,
    labels: opt.LabelNames = None,
    settings: opt.ReaderSettings = None,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Classify texts and show them in the terminal or on a web page. Their tokens
    are shaded by attention, by what they contribute to a label, or by what
    another method attributes to them. Or show what components write, aligned
    with what they read.
    """
    prepare(code_path, gpu_id, printing=output is None)
    with failing(f"Can't load the pipeline '{model}'"):
        nlp = util.load_model(model)
        if style != ALIGNMENT:
            component, _ = find_component(nlp, component)
    with failing("Can't show the texts"):
        _check_options(style, method, component)
        style = style or (ATTENTION if method is None else CONTRIBUTIONS)
        options = opt.DataOptions(split, text_column, label_column, labels, settings)
        texts = read_texts(text, nlp, options)
        shown: Iterator[Doc | Explanation]
        if style == ALIGNMENT:
            shown = _written(nlp, texts)
        else:
            shown = explain(nlp, texts, component=component, method=method or CONTRIBUTIONS)
        documents: list[Doc | Explanation] = list(progress(shown))
        if output is not None:
            html = render(documents, style, label=label, page=True, jupyter=False)
            write_text(output, cast(str, html))
            msg.good(f"Saved {len(documents)} documents: {output}")
            return
        view = terminal_view(documents, style, label=label)
    Console().print(view)  # the group of commands says what is wrong with the output


def _check_options(style: str | None, method: str | None, component: str | None) -> None:
    """Refuse options that contradict one another, and unknown methods."""
    if style == ATTENTION and method is not None:
        raise ValueError(
            f"Attention is not found by a method: leave out '--method {method}' or "
            f"'--style {ATTENTION}'."
        )
    if style == ALIGNMENT:
        extra = {"--method": method, "--component": component}
        given = " ".join(f"{name} {value}" for name, value in extra.items() if value is not None)
        if given:
            raise ValueError(
                f"'--style {ALIGNMENT}' shows what all components of the pipeline have written: "
                f"leave out '{given}'."
            )
    check_method("spacy attn render", method or CONTRIBUTIONS)


def _written(nlp: Language, texts: Iterable[str | Doc]) -> Iterator[Doc]:
    """Run a pipeline on texts, and have its components store the alignments of tokens."""
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, AttentionTransducer):
            pipe.alignment = True
    return nlp.pipe(texts)
