"""`python -m spacy attn report`: a page to look through classified documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt
from spacy.language import Language
from wasabi import msg

from ..data.reader import HFDataset
from ..explanation import CONTRIBUTIONS, method_name
from ..interpret.methods import check_method, explain_with
from ..interpret.show.report_page import report as report_html
from ..text_files import write_text
from .common import load_classifier, make_reader, read_first
from .console import failing, prepare
from .options import (
    DATA_HELP,
    CodePath,
    ComponentName,
    DataOptions,
    GpuId,
    LabelColumn,
    LabelNames,
    Limit,
    MethodName,
    ReaderSettings,
    Split,
    TextColumn,
)
from .progress import progress


def report_cli(
    model: Annotated[str, Arg(help="Name of or path to a trained pipeline")],
    data: Annotated[str, Arg(help=DATA_HELP)],
    output: Annotated[
        Path, Opt("--output", "-o", help="HTML file to write", dir_okay=False)
    ] = Path("report.html"),
    limit: Limit = 0,
    method: MethodName = CONTRIBUTIONS,
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
    Write a web page on how documents were classified, in one file: their gold
    and predicted labels, confidence, and tokens shaded by attention and by
    contributions (or another method), to be filtered, sorted and searched.
    """
    prepare(code_path, gpu_id, silent=False)
    with failing("Can't read the data"):
        reader = make_reader(data, DataOptions(split, text_column, label_column, labels, settings))
    title = f"{_short(model)} on {_short(data)}"
    if method != CONTRIBUTIONS:
        title += f", by {method_name(method)}"
    report(
        model,
        reader,
        output=output,
        title=title,
        limit=limit,
        method=method,
        component=component,
    )


def report(
    model: str,
    reader: HFDataset,
    *,
    output: Path,
    title: str = "Report",
    limit: int = 0,
    method: str = CONTRIBUTIONS,
    component: str | None = None,
) -> None:
    """Write the report page.

    Ends the process with a message on the standard error and status 1 where the input cannot be
    used.

    Args:
        model: Name or folder of a pipeline.
        reader: Reads the documents and their labels.
        output: The HTML file.
        title: Of the page.
        limit: Use the first documents only; 0 uses all.
        method: How to attribute, see `spacy_attn.explain`.
        component: Name of the component, where there are several.
    """
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = load_classifier(model, component)
    with failing("Can't make the report"):
        check_method("spacy attn report", method)
    with failing("Can't read the data"):
        examples = read_first(reader, classifier.nlp, limit)
        if not examples:
            raise ValueError("There is no document in it.")
    with failing("Can't make the report"):
        docs = (example.predicted for example in examples)
        explanations = explain_with(classifier, docs, method=method)
        html = report_html(
            list(progress(explanations, total=len(examples))),
            [example.reference.cats for example in examples],
            classifier.decisions,
            title=title,
            **_writing(classifier.nlp),
        )
        write_text(output, html)
    msg.good(f"Saved a report on {len(examples)} documents: {output}")


def _short(path: str) -> str:
    """The end of a path, which says enough."""
    return "/".join(Path(path).parts[-2:])


def _writing(nlp: Language) -> dict[str, str]:
    return {"direction": nlp.vocab.writing_system.get("direction", "auto"), "language": nlp.lang}
