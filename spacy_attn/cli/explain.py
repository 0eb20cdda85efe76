"""`python -m spacy attn explain`: explanations as JSON lines."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from spacy.cli._util import Arg

from ..explanation import CONTRIBUTIONS
from ..interpret.methods import check_method, explain_with
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
    MethodName,
    ReaderSettings,
    Split,
    TextColumn,
)
from .progress import progress
from .texts import HELP as TEXT_HELP
from .texts import read_texts


def explain_cli(
    model: Annotated[str, Arg(help="Name of or path to a trained pipeline")],
    text: Annotated[str, Arg(help=TEXT_HELP)],
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
    Explain the classification of texts: print a JSON object for each, in a line
    of its own, with its tokens, scores, attention, and what each token adds to
    the logit of each label. Nothing else goes to the standard output.
    """
    require_output()
    prepare(code_path, gpu_id, silent=True)  # the explanations alone go to the standard output
    options = DataOptions(split, text_column, label_column, labels, settings)
    explain(model, text, method=method, component=component, options=options)


def explain(
    model: str,
    text: str,
    *,
    method: str = CONTRIBUTIONS,
    component: str | None = None,
    options: DataOptions = DEFAULTS,
) -> None:
    """Print explanations as JSON lines, as they are found.

    Ends the process with a message on the standard error and status 1 where the input cannot be
    used.

    Args:
        model: Name or folder of a pipeline.
        text: A text, a file of texts, a data set, or "-".
        method: How to attribute, see `spacy_attn.explain`.
        component: Name of the component, where there are several.
        options: Split and columns of a data set.
    """
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = load_classifier(model, component)
    with failing("Can't explain the texts"):
        check_method("spacy attn explain", method)
        texts = read_texts(text, classifier.nlp, options)
        explanations = explain_with(classifier, texts, method=method)
        for explanation in progress(explanations, printing=True):
            typer.echo(json.dumps(explanation.to_dict(), allow_nan=False))
