"""The command `python -m benchmarks.lemmas`: how right lemmas are, beside those of its peers."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from typer import Argument, Option

from .accuracy import collect
from .lemmatizers import DICTIONARY, MODELS, SPACY, LemmaTask, choose, describe
from .models import Model
from .options import (
    Anew,
    Jobs,
    Keep,
    Limit,
    Output,
    Override,
    Seeds,
    Split,
    Train,
    make_settings,
    usage_errors,
)
from .splits import ROOT, Prepared
from .tables import markdown, number, spread
from .training import Settings, finish
from .treebanks import DEFAULT, prepare

OUTPUT = Path("benchmarks/results/lemmas")
PUBLISHED = ROOT / "benchmarks" / "published" / "lemmas"
COLUMNS = (
    *("model", "title", "overrides", "same config", "cpu_seconds", "words_per_second", "bytes"),
    *("scored.accuracy", "scored.unseen", "scored.n", "scored.n_unseen", "scored.invented"),
)


def main(
    treebanks: Annotated[
        list[str] | None,
        Argument(
            metavar="TREEBANK",
            help="Folders with train.parquet and validation.parquet, whose columns are tokens, "
            "lemmas and upos, named as fr_sequoia; or names on the hub (NAME:CONFIGURATION). "
            "Three of Universal Dependencies if none is given.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None, Option(help="A lemmatizer to compare (repeatable); all by default")
    ] = None,
    seeds: Seeds = "0,1,2",
    split: Split = "validation",
    override: Override = None,
    limit: Limit = 0,
    jobs: Jobs = 1,
    keep: Keep = False,
    anew: Anew = False,
    train: Train = True,
    output: Output = OUTPUT,
) -> None:
    """Train lemmatizers on the gold tokens of treebanks, and write tables of what they reach.

    Each has one thread. A run that was stopped goes on where it was. Published results are taken
    over.
    """
    with usage_errors():
        settings = make_settings(output, PUBLISHED, seeds, override, keep=keep, anew=anew)
        chosen = choose(models or MODELS)
        prepared = [
            prepare(source, output, scored=split, limit=limit) for source in treebanks or DEFAULT
        ]
        compare(prepared, chosen, settings, jobs if train else 0)


def compare(
    treebanks: Sequence[Prepared], models: Sequence[Model], settings: Settings, jobs: int = 1
) -> None:
    """Measure what has not been measured, and write the tables after each result.

    Args:
        jobs: How many to train at a time; 0 trains none.

    Raises:
        typer.Exit: If one failed, when the others are done.
    """
    tasks = {
        data.name: [
            LemmaTask(data, model, seed, settings)
            for model in models
            for seed in ([None] if model.name == DICTIONARY else settings.seeds)
        ]
        for data in treebanks
    }
    every = [task for own in tasks.values() for task in own]
    finish(every, jobs, describe, partial(write, settings.output, treebanks, models, tasks))


def write(
    output: Path,
    treebanks: Sequence[Prepared],
    models: Sequence[Model],
    tasks: Mapping[str, Sequence[LemmaTask]],
) -> str:
    """Write what is there by now, as Markdown and as JSON; return the former."""
    frames = {data.name: collect(models, tasks[data.name], COLUMNS) for data in treebanks}
    parts = ["# Lemmas"]
    for data in treebanks:
        if len(runs := frames[data.name]):
            parts += [f"## {data.name}", caption(data, runs), table(runs)]
    text = "\n\n".join(parts) + "\n"
    (output / "results.md").write_text(text)
    found = pd.concat([runs.assign(treebank=name) for name, runs in frames.items()])
    found.to_json(output / "results.json", orient="records", indent=2)
    return text


def caption(data: Prepared, runs: pd.DataFrame) -> str:
    n, n_unseen = (int(runs[f"scored.{name}"].iloc[0]) for name in ("n", "n_unseen"))
    return (
        f"Trained on {data.counts['train']:,} tokens, selected on {data.selection}, scored on "
        f"{data.scored}: {n:,} tokens, {n_unseen:,} of them forms that were not trained on."
    )


def without_worse(runs: pd.DataFrame) -> pd.DataFrame:
    """Leave out the worse of spaCy's settings, a choice on the scored tokens that favours it."""
    theirs = runs[runs["model"].isin(SPACY)]
    if theirs.empty:
        return runs
    best = theirs.groupby("model")["scored.accuracy"].mean().idxmax()
    return runs[~runs["model"].isin(SPACY) | (runs["model"] == best)]


def table(runs: pd.DataFrame) -> str:
    """Make a table of a row for each lemmatizer: means over the seeds, and standard deviations."""
    rows = []
    runs = without_worse(runs)
    for title in dict.fromkeys(runs["title"]):
        own = runs[runs["title"] == title]
        rows.append(
            {
                "lemmatizer": title,
                "all tokens, %": spread(100 * own["scored.accuracy"], 1),
                "unseen forms, %": spread(100 * own["scored.unseen"].astype(float), 1),
                "invented": number(own["scored.invented"].mean(), 0),
                "training, s": number(own["cpu_seconds"].mean(), 0),
                "words/s": number(own["words_per_second"].mean(), 0),
            }
        )
    return markdown(rows)


if __name__ == "__main__":
    typer.run(main)
