"""`python -m spacy attn render`: texts with their tokens shaded, or alignments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from rich.console import Console
from spacy import util
from spacy.cli._util import Opt
from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc
from wasabi import msg

from ..interpret.methods import METHODS, check_method, explain
from ..interpret.show.saving import ENDINGS, JSON, JSON_LINES, check_ending, save
from ..interpret.show.shaded_text import default_style
from ..interpret.show.terminal import terminal_view
from ..pipeline.finding import find_component, names_before
from ..pipeline.writers.transducer import AttentionTransducer
from ..results.alignment import ALIGNMENT
from ..results.explanation import ATTENTION, CONTRIBUTIONS, TOKEN, Explanation
from ..results.span_explanation import SENTENCE
from . import options as opt
from .console import failing, prepare, progress
from .texts import read_texts


def render_cli(
    model: opt.Model,
    text: opt.Text,
    output: Annotated[
        Path | None,
        Opt(
            "--output",
            "-o",
            help=f"File to write, instead of the terminal: {', '.join(ENDINGS)}",
            dir_okay=False,
        ),
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
    contrast: opt.ContrastNames = None,
    by: Annotated[
        str,
        Opt("--by", help="'sentence' or 'entity' gives each of them a bar with what it adds up to"),
    ] = TOKEN,
    theme: Annotated[
        str | None, Opt("--theme", help="'light', the default, or 'dark', for .svg, .png and .pdf")
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
    Classify texts and show them in the terminal, on a web page or in a picture.
    Their tokens are shaded by attention, by what they contribute to a label, or
    by what another method attributes to them. Or show what components write,
    aligned with what they read.
    """
    prepare(code_path, gpu_id, printing=output is None)
    found = None
    with failing(f"Can't load the pipeline '{model}'"):
        nlp = util.load_model(model)
        if style != ALIGNMENT:
            component, found = find_component(nlp, component)
    with failing("Can't show the texts"):
        others = {"--method": method, "--component": component, "--contrast": contrast}
        _check_options(style, others)
        if output is not None:
            _check_output(output, theme, style, label)
        elif theme is not None:
            raise ValueError(f"'--theme {theme}' is for pictures in files: give an --output.")
        style = style or (CONTRIBUTIONS if method else default_style(label, contrast))
        pair = None if found is None else opt.read_contrast(contrast, found.labels)
        options = opt.DataOptions(split, text_column, label_column, labels, settings)
        texts = read_texts(text, nlp, options)
        if by == SENTENCE and component is not None:
            texts = _with_sentences(nlp, component, texts)
        shown: Iterator[Doc | Explanation]
        if style == ALIGNMENT:
            shown = _written(nlp, texts)
        else:
            shown = explain(nlp, texts, component=component, method=method or CONTRIBUTIONS)
        documents: list[Doc | Explanation] = list(progress(shown))
        if output is not None:
            save(documents, output, style, label=label, contrast=pair, by=by, theme=theme)
            msg.good(f"Saved {len(documents)} documents: {output}")
            return
        view = terminal_view(documents, style, label=label, contrast=pair, by=by)
    Console().print(view)  # the group of commands says what is wrong with the output


def _check_options(style: str | None, others: dict[str, str | None]) -> None:
    """Refuse options that contradict one another, and unknown methods."""
    method = others["--method"]
    if style == ATTENTION and method is not None:
        raise ValueError(
            f"Attention is not found by a method: leave out '--method {method}' or "
            f"'--style {ATTENTION}'."
        )
    given = " ".join(f"{name} {value}" for name, value in others.items() if value is not None)
    if style == ALIGNMENT and given:
        raise ValueError(
            f"'--style {ALIGNMENT}' shows what all components of the pipeline have written: "
            f"leave out '{given}'."
        )
    check_method("spacy attn render", method or CONTRIBUTIONS)


def _check_output(output: Path, theme: str | None, style: str | None, label: str | None) -> None:
    """Refuse what cannot be written, or has no effect on what is."""
    ending = check_ending(output, theme)
    if ending not in (JSON, JSON_LINES):
        return
    if style == ALIGNMENT:
        raise ValueError(f"Documents with alignments cannot be '{output.name}': write '.html'.")
    if label is not None:
        raise ValueError(f"'{output.name}' has all labels: leave out '--label {label}'.")


def _with_sentences(
    nlp: Language, component: str, texts: Iterator[str | Doc]
) -> Iterator[str | Doc]:
    """Find sentences by their ends, where no component before the classifier finds any."""
    before = [nlp.get_pipe_meta(name) for name in names_before(nlp, component)]
    if any({"doc.sents", "token.is_sent_start"} & {*meta.assigns} for meta in before):
        return texts
    sentencizer = Sentencizer()
    return (sentencizer(nlp.make_doc(text) if isinstance(text, str) else text) for text in texts)


def _written(nlp: Language, texts: Iterable[str | Doc]) -> Iterator[Doc]:
    """Run a pipeline on texts, and have its components store the alignments of tokens."""
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, AttentionTransducer):
            pipe.alignment = True
    return nlp.pipe(texts)
