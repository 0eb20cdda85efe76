"""`python -m spacy attn faithfulness`: how far the explanations of a pipeline can be trusted."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from spacy import util
from spacy.cli._util import Opt
from wasabi import msg

from ..interpret.faithfulness.evaluate import evaluate_faithfulness
from ..interpret.faithfulness.plausibility import read_ratings
from ..interpret.show.faithfulness_page import to_markdown, write
from . import options as opt
from .console import failing, prepare, progress, warn


def faithfulness_cli(
    model: opt.Model,
    data: opt.Data,
    output: Annotated[
        Path | None,
        Opt(
            "--output",
            "-o",
            help="Folder to write faithfulness.md, .json and .html to. By default the Markdown "
            "is printed",
            file_okay=False,
        ),
    ] = None,
    limit: opt.Limit = 0,
    component: opt.ComponentName = None,
    methods: Annotated[
        str | None,
        Opt(
            "--methods",
            "-M",
            help="Methods to compare with attention and chance, separated by commas, say "
            "'contributions,leave_one_out'. By default all that are installed",
        ),
    ] = None,
    other_models: Annotated[
        str | None,
        Opt(
            "--other-models",
            help="Pipelines that were trained alike from other seeds, separated by commas. "
            "Their attention is compared",
        ),
    ] = None,
    ratings: Annotated[
        Path | None,
        Opt(
            "--ratings",
            help="File of words that people have rated. A line has a word, a tab and its mean "
            "rating",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    ratings_bound: Annotated[
        float,
        Opt("--ratings-bound", help="Absolute rating from which a word counts as rated strongly"),
    ] = 2.0,
    positive_label: Annotated[
        str | None, Opt("--positive-label", help="Label that a positive rating speaks for")
    ] = None,
    rationales: Annotated[
        str | None,
        Opt(
            "--rationales",
            help="Where people have marked why a text has its label: a span group of .spacy files, "
            "or a column with phrases of the text, or with pairs of the first character and the "
            "one after the last. By default the span group 'rationale', if there is one",
        ),
    ] = None,
    split: opt.Split = None,
    text_column: opt.TextColumn = None,
    label_column: opt.LabelColumn = None,
    labels: opt.LabelNames = None,
    settings: opt.ReaderSettings = None,
    draws: Annotated[
        int, Opt("--draws", min=1, help="Number of rankings by chance of each document")
    ] = 5,
    seed: Annotated[int, Opt("--seed", help="Seed of the rankings by chance")] = 0,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Measure how far the explanations of a trained pipeline can be trusted. What
    happens to its decisions without the tokens that matter by attention, by the
    contributions, by gradients or by chance? What happens when all tokens have
    the same weight? And how does attention differ between models?
    """
    prepare(code_path, gpu_id, printing=output is None)
    options = opt.DataOptions(split, text_column, label_column, labels, settings)
    with failing("Can't measure faithfulness"):
        nlp = util.load_model(model)
        others = {name: util.load_model(name) for name in _split(other_models) or ()}
        reader = opt.make_reader(data, options, rationales=rationales)
        examples = list(islice(reader(nlp), limit or None))
        report = evaluate_faithfulness(
            nlp,
            progress(examples, total=len(examples)),
            component=component,
            methods=_split(methods),
            others=others,
            ratings=None if ratings is None else read_ratings(ratings),
            ratings_bound=ratings_bound,
            positive_label=positive_label,
            rationales=rationales,
            n_draws=draws,
            seed=seed,
        )
    for note in report.notes:
        warn(note)
    if report.uniform is not None and report.uniform.accuracy is None:
        warn("No document has labels: there is no accuracy")
    title = f"Faithfulness of explanations: {model}, {Path(data).name}"
    if output is None:
        typer.echo(to_markdown(report, title))
        return
    with failing("Can't write the report"):
        for path in write(report, output, title):
            msg.good(f"Saved {path}")


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name for name in opt.split_names(names) if name]
