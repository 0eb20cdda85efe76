"""`python -m spacy attn explain`: explanations as JSON lines, or as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from spacy import util
from spacy.cli._util import Opt
from wasabi import msg

from ..interpret.methods import check_method, explain
from ..interpret.show.saving import check_ending, save
from ..pipeline.finding import find_component
from ..results.explanation import CONTRIBUTIONS
from . import options as opt
from .console import failing, prepare, progress
from .texts import read_texts


def explain_cli(
    model: opt.Model,
    text: opt.Text,
    output: Annotated[
        Path | None,
        Opt(
            "--output",
            "-o",
            help="File to write instead: .json, .jsonl or a picture, as 'render' writes",
            dir_okay=False,
        ),
    ] = None,
    method: opt.MethodName = CONTRIBUTIONS,
    contrast: opt.ContrastNames = None,
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
    prepare(code_path, gpu_id, printing=output is None)
    with failing(f"Can't load the pipeline '{model}'"):
        nlp = util.load_model(model)
        component, found = find_component(nlp, component)
    with failing("Can't explain the texts"):
        if output is not None:
            check_ending(output)
        check_method("spacy attn explain", method)
        pair = opt.read_contrast(contrast, found.labels)
        options = opt.DataOptions(split, text_column, label_column, labels, settings)
        texts = read_texts(text, nlp, options)
        explained = explain(nlp, texts, component=component, method=method, contrast=pair)
        if output is None:
            for explanation in progress(explained, printing=True):
                typer.echo(json.dumps(explanation.to_dict(), allow_nan=False))
            return
        explanations = list(progress(explained))
        save(explanations, output, CONTRIBUTIONS)
    msg.good(f"Saved {len(explanations)} explanations: {output}")
