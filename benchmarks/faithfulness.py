"""The command `python -m benchmarks.faithfulness`: what `evidence` of the attention brings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import spacy
import typer
from spacy.cli._util import parse_config_overrides
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Argument, Option

from spacy_attn.cli.options import make_reader
from spacy_attn.data.errors import DatasetError
from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness
from spacy_attn.results.explanation import method_name

from .models import OURS, UsageError, choose
from .options import numbers
from .splits import EMBEDDED, Prepared, prepare
from .tables import markdown, spread
from .training import Settings, Task, fingerprint, plan, run_all

OUTPUT = Path("benchmarks/results/faithfulness")
EVIDENCE = "components.attn_textcat.model.evidence"

Report = dict[str, Any]


def main(
    datasets: Annotated[
        list[str] | None, Argument(metavar="DATASET", help="As for `python -m benchmarks.accuracy`")
    ] = None,
    evidence: Annotated[str, Option(help="Comma-separated values of `evidence`")] = "0,1",
    seeds: Annotated[str, Option(help="Comma-separated seeds")] = "0,1,2",
    limit: Annotated[int, Option(help="Scored documents to explain, the first; 0 for all")] = 500,
    methods: Annotated[
        str | None, Option(help="Comma-separated methods; by default all that are installed")
    ] = None,
    override: Annotated[
        list[str] | None, Option(help="A setting of all training configs (repeatable)")
    ] = None,
    jobs: Annotated[int, Option(min=1, help="Models to train at a time")] = 1,
    output: Annotated[Path, Option(help="Folder for models and results")] = OUTPUT,
) -> None:
    """Train attn_textcat with each value of `evidence` and seed, on one thread each, and measure
    how faithful its attention and explanations are, on documents it was not trained or selected on.

    A run that was stopped goes on where it was. Trainings of `python -m benchmarks.accuracy --keep`
    with the same `--output` are used.
    """
    try:
        values = numbers(evidence, float, "--evidence")
        overrides = parse_config_overrides([f"--{setting}" for setting in override or []])
        settings = {
            value: Settings(
                output,
                numbers(seeds, int, "--seeds"),
                {**overrides, EVIDENCE: value},
                keep=True,
            )
            for value in values
        }
        for source in datasets or [str(EMBEDDED)]:
            data = prepare(source, output)
            tasks = {value: plan(data, choose([OURS]), own) for value, own in settings.items()}
            train([task for own in tasks.values() for task in own], jobs)
            names = None if methods is None else methods.split(",")
            reports = {
                value: [report(task, own, limit, names) for task in own]
                for value, own in tasks.items()
            }
            text = to_markdown(data, reports, limit)
            (output / f"{data.name}.md").write_text(text)
            typer.echo(text)
    except (UsageError, DatasetError) as error:
        raise typer.BadParameter(str(error)) from error


def train(tasks: Sequence[Task], jobs: int) -> None:
    todo = [task for task in tasks if not (task.read() and model_path(task).is_dir())]
    for _, error in tqdm(run_all(todo, jobs), desc="training", total=len(todo), disable=None):
        if error is not None:
            raise error


def model_path(task: Task) -> Path:
    return task.place / "model-best"


def report(task: Task, seeds: Sequence[Task], limit: int, methods: Sequence[str] | None) -> Report:
    """Return what `spacy attn faithfulness` says of a model beside those of other seeds.

    It is read where it was measured before. The accuracy of all scored rows is added.
    """
    others = [model_path(other) for other in seeds if other is not task]
    key = fingerprint(task.key, limit, methods, [path.parent.name for path in others])
    path = task.place / f"faithfulness-{key[:8]}.json"
    if not path.exists():
        path.write_text(json.dumps(measure(task, others, limit, methods)))
    accuracy = (task.read() or {})["test"]["accuracy"]
    return {**json.loads(path.read_text()), "accuracy": accuracy}


def measure(
    task: Task, others: Sequence[Path], limit: int, methods: Sequence[str] | None
) -> Report:
    nlp = spacy.load(model_path(task))
    examples = islice(make_reader(str(task.data.folder / "test.parquet"))(nlp), limit or None)
    progress = tqdm(examples, desc=task.title, total=limit or None, disable=None)
    loaded = {str(path): spacy.load(path) for path in others}
    return evaluate_faithfulness(nlp, progress, methods=methods, others=loaded).to_dict()


# --- The tables -----------------------------------------------------------------------------------


def to_markdown(data: Prepared, reports: Mapping[float, Sequence[Report]], limit: int) -> str:
    """Make a table of a row for each measure, a column for each value of `evidence`."""
    table = pd.DataFrame(
        {
            f"evidence = {value:g}": {name: spread(found, 3) for name, found in rows_of(own)}
            for value, own in reports.items()
        }
    )
    n_seeds = max(len(own) for own in reports.values())
    explained = f"the first {limit} of them" if limit else "all of them"
    return (
        f"## {data.name}\n\nMean and standard deviation of {n_seeds} seeds. Accuracy on "
        f"{data.scored}, {data.counts['test']} documents; all else on {explained}. "
        f"Comprehensiveness is the fall of the score of the predicted label without the tokens "
        f"ranked first, averaged over 1, 5, 10, 20 and 50 % of them.\n\n"
        f"{markdown(table.reset_index(names=''))}\n"
    )


def rows_of(reports: Sequence[Report]) -> Iterator[tuple[str, list[float]]]:
    """Yield the name of each measure, and its values."""
    rankings = [report["rankings"] for report in reports]
    falls = pd.DataFrame(
        [{name: r["comprehensiveness"]["mean"] for name, r in own.items()} for own in rankings]
    )
    yield "accuracy", [report["accuracy"] for report in reports]
    for name in falls:
        yield f"comprehensiveness, {method_name(name)}", falls[name].tolist()
    if "leave_one_out" in falls:
        for name in ("attention", "contributions"):
            shares = (falls[name] / falls["leave_one_out"]).tolist()
            yield f"{name}: its share of leave one out's", shares
    yield (
        "Kendall's tau of attention and the change without each token",
        means(report["change_agreement"] for report in reports),
    )
    yield (
        "same decision with equal weights",
        means((report["uniform"] or {}).get("same_decision") for report in reports),
    )
    yield "conicity of the hidden states", means(report["conicity"] for report in reports)
    yield (
        "divergence of attention between seeds, nats",
        means(
            seed["attention_divergence"] for report in reports for seed in report["seeds"].values()
        ),
    )


def means(estimates: Iterator[Mapping[str, float] | None]) -> list[float]:
    """Return the means of estimates; none where there was nothing to measure."""
    return [estimate["mean"] for estimate in estimates if estimate is not None]


if __name__ == "__main__":
    typer.run(main)
