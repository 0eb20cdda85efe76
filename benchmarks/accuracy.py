"""The command `python -m benchmarks.accuracy`."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Argument, Option

from . import table
from .data import EMBEDDED, Columns, Prepared, prepare
from .errors import UsageError
from .models import ModelSpec, choose
from .run import Launch, Settings, launch_process, plan, result_of, run_all
from .worker import Task

OUTPUT = Path("benchmarks/results/accuracy")


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
    seeds: Annotated[str, Option(help="Comma-separated seeds")] = "0,1,2",
    override: Annotated[
        list[str] | None,
        Option(help="A setting of all training configs, as training.max_steps=100 (repeatable)"),
    ] = None,
    text_column: Annotated[str, Option(help="Column of the texts")] = "text",
    label_column: Annotated[str, Option(help="Column of the labels")] = "label",
    limit: Annotated[int, Option(help="Rows of each split to use, for a trial; 0 for all")] = 0,
    jobs: Annotated[int, Option(min=1, help="Models to train at a time")] = 1,
    threads: Annotated[int, Option(min=0, help="Threads of each; 0 to share all cores")] = 0,
    keep: Annotated[bool, Option("--keep", help="Keep the trained models")] = False,
    output: Annotated[Path, Option(help="Folder for results")] = OUTPUT,
) -> None:
    """Train attn_textcat and its peers on the same splits, and write tables of what they reach.

    Each model is selected on validation rows, and scored on others. A run that was stopped goes on
    where it was: what has been measured is kept, and measured again only if its config or its data
    have changed.
    """
    try:
        compare(
            datasets or [str(EMBEDDED)],
            choose(models or [], config or []),
            Settings(
                output,
                seeds=read_seeds(seeds),
                overrides=read_overrides(override or []),
                threads=threads or max(1, (os.cpu_count() or 1) // jobs),
                keep=keep,
            ),
            columns=Columns(text_column, label_column),
            limit=limit,
            jobs=jobs,
        )
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error


def compare(
    sources: Sequence[str],
    models: Sequence[ModelSpec],
    settings: Settings,
    *,
    columns: Columns | None = None,
    limit: int = 0,
    jobs: int = 1,
    launch: Launch = launch_process,
) -> None:
    """Measure what has not been measured, and write the tables after each result.

    Args:
        launch: Does one unit of work.

    Raises:
        UsageError: For data that cannot be used; typer.Exit if a unit failed, when the others are
            done.
    """
    output = settings.output
    datasets = {
        data.name: data
        for data in (prepare(source, columns or Columns(), output, limit) for source in sources)
    }
    if len(datasets) < len(sources):
        raise UsageError("two data sets have the same name: rename a folder, or run them apart")
    tasks = [task for data in datasets.values() for task in plan(data, models, settings)]
    todo = [task for task in tasks if result_of(task) is None]
    typer.echo(f"{len(tasks) - len(todo)} of {len(tasks)} trainings were done before")
    write(output, datasets, models, tasks)
    failed = False
    with tqdm(total=len(todo), disable=not sys.stderr.isatty()) as progress:
        for task, error in run_all(todo, jobs=jobs, launch=launch):
            progress.update()
            tqdm.write(str(error) if error else describe(task))
            failed = failed or error is not None
            write(output, datasets, models, tasks)
    typer.echo((output / "results.md").read_text())
    if failed:
        raise typer.Exit(1)


def describe(task: Task) -> str:
    result = result_of(task) or {}
    return (
        f"{task.title}: accuracy {result['test']['accuracy']:.3f}, "
        f"trained in {result['train_seconds']:.0f} s"
    )


def write(
    output: Path, datasets: dict[str, Prepared], models: Sequence[ModelSpec], tasks: Sequence[Task]
) -> None:
    """Write the tables of what is there by now, as Markdown and as JSON."""
    rows: dict[str, list[table.Row]] = {name: [] for name in datasets}
    for name, own in rows.items():
        for spec in models:
            mine = [t for t in tasks if t.dataset == name and t.model == spec.trained_as]
            if results := [result for task in mine if (result := result_of(task))]:
                own.append(table.make_row(spec, results))
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.md").write_text(table.to_markdown(rows, datasets))
    content = {
        name: {
            "data": datasets[name].to_dict(),
            "ours_minus_best_peer": table.difference(own),
            "models": {row.name: {"role": row.role, "runs": row.runs} for row in own},
        }
        for name, own in rows.items()
    }
    (output / "results.json").write_text(json.dumps(content, indent=2) + "\n")


def read_seeds(text: str) -> list[int]:
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError:
        raise UsageError(f"--seeds: wanted numbers as in 0,1,2, but found '{text}'") from None


def read_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Values are JSON, or else plain strings."""
    overrides: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--override: wanted name=value, but found '{text}'")
        try:
            overrides[name] = json.loads(value)
        except json.JSONDecodeError:
            overrides[name] = value
    return overrides


if __name__ == "__main__":
    typer.run(main)
