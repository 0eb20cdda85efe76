"""The command `python -m benchmarks.accuracy`: how accurate `attn_textcat` is beside its peers."""

import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from typer import Argument, Option

from .models import ENSEMBLE, MODELS, OURS, Model, UsageError, choose
from .options import (
    Anew,
    Jobs,
    Keep,
    Limit,
    Output,
    Override,
    Seeds,
    Train,
    make_settings,
    usage_errors,
)
from .splits import EMBEDDED, ROOT, Prepared, prepare
from .tables import NONE, markdown, number, spread
from .training import Settings, Task, finish, plan

OUTPUT = Path("benchmarks/results/accuracy")
COLUMNS = (
    *("model", "title", "role", "overrides", "same config", "curve", "train_seconds", "bytes"),
    *("test.accuracy", "test.macro_f", "test.ece", "validation.accuracy", "words_per_second"),
)
PUBLISHED = ROOT / "benchmarks" / "published" / "accuracy"


def main(
    datasets: Annotated[
        list[str] | None,
        Argument(
            metavar="DATASET",
            help="Folders with train.parquet and perhaps validation.parquet and test.parquet, or "
            "names on the Hugging Face hub (NAME or NAME:CONFIGURATION). The embedded data set "
            "if none is given.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        Option(help="A model to compare (repeatable); ten of them by default"),
    ] = None,
    config: Annotated[
        list[Path] | None, Option(help="A training config to compare, too (repeatable)")
    ] = None,
    seeds: Seeds = "0,1,2",
    override: Override = None,
    text_column: Annotated[str, Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, Option(help="Column of the labels")] = "label",
    limit: Limit = 0,
    jobs: Jobs = 1,
    threads: Annotated[int, Option(min=0, help="Threads of each; 0 to share all cores")] = 0,
    keep: Keep = False,
    anew: Anew = False,
    train: Train = True,
    output: Output = OUTPUT,
) -> None:
    """Train attn_textcat and its peers on the same splits, and write tables of what they reach.

    Each model is selected on validation rows, and scored on others. A run that was stopped goes on
    where it was. Published results are taken over.
    """
    with usage_errors():
        n_threads = threads or max(1, (os.cpu_count() or 1) // jobs)
        settings = make_settings(
            output, PUBLISHED, seeds, override, keep=keep, anew=anew, threads=n_threads
        )
        chosen = choose(models or ([] if train else list(MODELS)), config or [])
        columns = {"text_column": text_column, "label_column": label_column}
        prepared = [
            prepare(source, output, limit=limit, **columns)
            for source in datasets or [str(EMBEDDED)]
        ]
        compare(prepared, chosen, settings, jobs=jobs if train else 0)


def compare(
    datasets: Sequence[Prepared], models: Sequence[Model], settings: Settings, jobs: int = 1
) -> None:
    """Measure what has not been measured, and write the tables after each result.

    Args:
        jobs: How many models to train at a time; 0 trains none.

    Raises:
        UsageError: For data sets of one name; typer.Exit if a unit failed, when the others are
            done.
    """
    if len({data.name for data in datasets}) < len(datasets):
        raise UsageError("two data sets have the same name: rename a folder, or run them apart")
    tasks = {data.name: plan(data, models, settings) for data in datasets}
    every = [task for own in tasks.values() for task in own]
    finish(every, jobs, describe, partial(write, settings.output, datasets, models, tasks))


def describe(task: Task) -> str:
    result = task.read() or {}
    accuracy, seconds = result["test"]["accuracy"], result["train_seconds"]
    return f"{task.title}: accuracy {accuracy:.3f}, trained in {seconds:.0f} s"


# --- The tables -----------------------------------------------------------------------------------


def write(
    output: Path,
    datasets: Sequence[Prepared],
    models: Sequence[Model],
    tasks: Mapping[str, Sequence[Task]],
) -> str:
    """Write what is there by now, as Markdown and as JSON; return the former."""
    frames = {data.name: collect(models, tasks[data.name]) for data in datasets}
    text = to_markdown(datasets, frames)
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.md").write_text(text)
    runs = pd.concat([runs.assign(dataset=name) for name, runs in frames.items()])
    runs.to_json(output / "results.json", orient="records", indent=2)
    return text


def collect(
    models: Sequence[Model], tasks: Sequence[Task], columns: Sequence[str] = COLUMNS
) -> pd.DataFrame:
    """Return a row for each model and seed that has been measured, a column for each measure."""
    results = [(task.model.training, task.read()) for task in tasks]
    rows = []
    for model in models:
        about = {"model": model.name, "title": model.title, "role": model.role}
        for name, result in results:
            if result is None or name != model.training:
                continue
            overrides = ", ".join(f"{k} = {v}" for k, v in result.get("overrides", {}).items())
            same, where = result["same config"], result["environment"]
            if model.trained_as:
                # Not trained itself, and of the size of what was.
                result = result["equal_weights"]
            rows.append(
                {**result, **about, "overrides": overrides, "same config": same, "where": where}
            )
    found = pd.json_normalize(rows, max_level=1)
    return found.reindex(columns=list(dict.fromkeys([*columns, *found.columns])))


def to_markdown(datasets: Sequence[Prepared], frames: Mapping[str, pd.DataFrame]) -> str:
    parts = ["# Accuracy", summary(frames)]
    for data in datasets:
        if len(runs := frames[data.name]):
            parts += [f"## {data.name}", caption(data, runs), dataset_table(runs)]
    parts.append("benchmarks/README.md says what the columns are.")
    return "\n\n".join(parts) + "\n"


def mean_accuracies(runs: pd.DataFrame) -> "pd.Series[float]":
    """Return the mean of each model on the scored rows, by title."""
    return runs.groupby("title", sort=False)["test.accuracy"].mean()


def difference(runs: pd.DataFrame) -> tuple[str, float] | None:
    """Return the best peer, and our mean accuracy minus its: negative where ours is worse.

    The best is chosen on the scored rows: a choice that favours the peers.
    """
    ours, peers = runs[runs["role"] == "ours"], runs[runs["role"] == "peer"]
    if ours.empty or peers.empty:
        return None
    accuracies = mean_accuracies(peers)
    return str(accuracies.idxmax()), float(ours["test.accuracy"].mean() - accuracies.max())


def summary(frames: Mapping[str, pd.DataFrame]) -> str:
    """Make a table of a row for each model, a column for each data set."""
    table = pd.DataFrame(
        {name: mean_accuracies(runs).map(lambda x: number(x, 3)) for name, runs in frames.items()},
        index=list(dict.fromkeys(title for runs in frames.values() for title in runs["title"])),
        dtype=object,
    )
    found = {name: difference(runs) or (NONE, math.nan) for name, runs in frames.items()}
    table.loc["best peer"] = {name: peer for name, (peer, _) in found.items()}
    table.loc[f"{OURS} minus best peer"] = {k: number(x, 3, "+") for k, (_, x) in found.items()}
    return markdown(table.reset_index(names="mean accuracy"))


def caption(data: Prepared, runs: pd.DataFrame) -> str:
    """Say what the rows are, and in what the measurements differ."""
    counts = data.counts
    best = mean_accuracies(runs).max()
    error = math.sqrt(best * (1 - best) / counts["test"])
    sentences = [
        f"{data.name}, {len(data.labels)} labels: trained on {counts['train']:,} rows, selected "
        f"on {counts['validation']:,} ({data.selection}), scored on {counts['test']:,} "
        f"({data.scored}), which gives each figure a standard error of about {error:.3f}.",
    ]
    if data.n_repeated:
        sentences.append(
            f"{data.n_repeated:,} scored texts are in the training or validation rows, too."
        )
    where = runs.filter(like="where.").astype(str)
    threads = ", ".join(sorted(where.pop("where.threads").unique(), key=int))
    sentences.append(
        f"Times cannot be compared: threads differ ({threads})."
        if "," in threads
        else f"Threads: {threads}."
    )
    if others := [name[6:] for name in where if where[name].nunique() > 1]:
        sentences.append(f"Rows were measured with different {', '.join(others)}.")
    for setting, some in runs[runs["overrides"] != ""].groupby("overrides"):
        sentences.append(f"With {setting}: {'; '.join(some['title'].unique())}.")
    earlier = runs[~runs["same config"].astype(bool) & (runs["overrides"] == "")]
    if len(earlier):
        sentences.append(
            f"Published with an earlier config: {'; '.join(earlier['title'].unique())}."
        )
    return " ".join(sentences)


def dataset_table(runs: pd.DataFrame) -> str:
    """Make a table of a row for each model, the most accurate first."""
    curves = runs.loc[runs["model"] == ENSEMBLE, "curve"].dropna()
    level = sum(max(score for _, score in curve) for curve in curves) / max(1, len(curves))
    rows = []
    for title in mean_accuracies(runs).sort_values(ascending=False, kind="stable").index:
        own = runs[runs["title"] == title]
        rows.append(
            {
                "model": title,
                "accuracy": spread(own["test.accuracy"], 3),
                "each seed": ", ".join(number(value, 3) for value in own["test.accuracy"]),
                "validation": mean(own["validation.accuracy"], 3),
                "macro F": spread(own["test.macro_f"], 3),
                "ECE": mean(own["test.ece"], 3),
                "training, s": mean(own["train_seconds"], 1),
                "to the ensemble's score, s": time_to(own["curve"].dropna(), level),
                "words/s": mean(own["words_per_second"], 0),
                "size, MB": mean(own["bytes"] / 1e6, 1),
            }
        )
    return markdown(rows)


def mean(values: "pd.Series[float]", digits: int) -> str:
    return number(values.astype(float).mean(), digits)


def time_to(curves: "pd.Series[Any]", level: float) -> str:
    """Write the mean seconds of the trainings that reached a score, and how many did not."""
    if not level or curves.empty:
        return NONE
    found = [next((s for s, score in curve if score >= level), math.nan) for curve in curves]
    missed = sum(map(math.isnan, found))
    return mean(pd.Series(found), 0) + (f" ({missed} of {len(found)} never)" if missed else "")


if __name__ == "__main__":
    typer.run(main)
