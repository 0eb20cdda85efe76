"""`python -m spacy attn explain`: explanations as JSON lines."""

from __future__ import annotations

import json

import typer
from spacy import util

from ..explanation import CONTRIBUTIONS
from ..interpret.methods import check_method, explain
from ..pipeline.finding import find_component
from . import options as opt
from .console import failing, prepare, progress
from .texts import read_texts


def explain_cli(
    model: opt.Model,
    text: opt.Text,
    method: opt.MethodName = CONTRIBUTIONS,
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
    Explain the classification of texts. Print a JSON object for each text in a
    line of its own. It holds the tokens, the scores, the attention, and what
    each token adds to the logit of each label. Nothing else goes to the
    standard output.
    """
    prepare(code_path, gpu_id, printing=True)
    with failing(f"Can't load the pipeline '{model}'"):
        nlp = util.load_model(model)
        component, _ = find_component(nlp, component)
    with failing("Can't explain the texts"):
        check_method("spacy attn explain", method)
        options = opt.DataOptions(split, text_column, label_column, labels, settings)
        texts = read_texts(text, nlp, options)
        explanations = explain(nlp, texts, component=component, method=method)
        for explanation in progress(explanations, printing=True):
            typer.echo(json.dumps(explanation.to_dict(), allow_nan=False))
