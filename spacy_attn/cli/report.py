"""`python -m spacy attn report`: a page to look through classified documents."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

from spacy import util
from spacy.cli._util import Opt
from wasabi import msg

from ..interpret.counterfactuals import counterfactual
from ..interpret.methods import check_method, explain
from ..interpret.show.report_page import report
from ..interpret.subject import Classifier
from ..results.explanation import CONTRIBUTIONS, method_name
from ..text_files import write_text
from . import options as opt
from .console import failing, prepare, progress


def report_cli(
    model: opt.Model,
    data: opt.Data,
    output: Annotated[
        Path, Opt("--output", "-o", help="HTML file to write", dir_okay=False)
    ] = Path("report.html"),
    limit: opt.Limit = 0,
    method: opt.MethodName = CONTRIBUTIONS,
    contrast: opt.ContrastNames = None,
    counterfactuals: Annotated[
        int,
        Opt(
            "--counterfactuals",
            min=0,
            help="Look for the tokens that each decision hangs on, with so many predictions",
        ),
    ] = 0,
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
    Write a web page on how documents were classified, in one file. It shows
    their gold and predicted labels, the confidence, and their tokens, shaded by
    attention and by contributions (or another method). Its documents can be
    filtered, sorted and searched.
    """
    prepare(code_path, gpu_id, printing=False)
    options = opt.DataOptions(split, text_column, label_column, labels, settings)
    with failing("Can't read the data"):
        reader = opt.make_reader(data, options)
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = Classifier(util.load_model(model), component)
    nlp = classifier.nlp
    with failing("Can't make the report"):
        check_method("spacy attn report", method)
        pair = opt.read_contrast(contrast, classifier.labels)
    with failing("Can't read the data"):
        examples = list(islice(reader(nlp), limit or None))
        if not examples:
            raise ValueError("There is no document in it.")
    by = "" if method == CONTRIBUTIONS else f", by {method_name(method)}"
    with failing("Can't make the report"):
        docs = [example.predicted for example in examples]
        explanations = explain(nlp, docs, component=classifier.name, method=method)
        found = None
        if counterfactuals:
            searched = (
                counterfactual(nlp, doc, component=classifier.name, max_predictions=counterfactuals)
                for doc in docs
            )
            found = list(progress(searched, name="Counterfactuals", total=len(docs)))
        html = report(
            list(progress(explanations, total=len(examples))),
            [example.reference.cats for example in examples],
            classifier.decisions,
            contrast=pair,
            counterfactuals=found,
            title=f"{opt.end_of_path(model)} on {opt.end_of_path(data)}{by}",
            direction=nlp.vocab.writing_system.get("direction", "auto"),
            language=nlp.lang or "",
        )
        write_text(output, html)
    msg.good(f"Saved a report on {len(examples)} documents: {output}")
