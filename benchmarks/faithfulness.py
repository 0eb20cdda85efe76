"""The command `python -m benchmarks.faithfulness`: explanations of models trained with and without
the `evidence` of the attention, over data sets and seeds."""

import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from tabulate import tabulate
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Argument, Option

from spacy_attn.explanation import method_name

from .accuracy.__main__ import read_overrides, read_seeds
from .accuracy.data import EMBEDDED, Columns, Prepared, prepare
from .accuracy.errors import UsageError
from .accuracy.models import OURS, choose
from .accuracy.run import Settings, fingerprint, launch_process, plan, result_of, run_all
from .accuracy.worker import Task, write_result

OUTPUT = Path("benchmarks/results/faithfulness")
EVIDENCE = "components.attn_textcat.model.evidence"

Report = dict[str, Any]
# The trainings of a data set, by the value of `evidence`: one for each seed.
Trainings = Mapping[float, Sequence[Task]]


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
        settings = Settings(output, read_seeds(seeds), read_overrides(override or []), 1, keep=True)
        values = read_values(evidence)
        for source in datasets or [str(EMBEDDED)]:
            data = prepare(source, Columns(), output)
            trainings = plan_trainings(data, values, settings)
            train([task for tasks in trainings.values() for task in tasks], jobs)
            names = None if methods is None else methods.split(",")
            write(data, trainings, measure_all(data, trainings, limit, names), limit, output)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error


def read_values(text: str) -> list[float]:
    try:
        return [float(value) for value in text.split(",")]
    except ValueError:
        raise UsageError(f"--evidence: wanted numbers as in 0,1, but found '{text}'") from None


def plan_trainings(data: Prepared, values: Sequence[float], settings: Settings) -> Trainings:
    def tasks(value: float) -> list[Task]:
        overrides = {**settings.overrides, EVIDENCE: value}
        return plan(data, choose([OURS], []), replace(settings, overrides=overrides))

    return {value: tasks(value) for value in values}


def train(tasks: Sequence[Task], jobs: int) -> None:
    todo = [task for task in tasks if result_of(task) is None or not model_path(task).is_dir()]
    progress = tqdm(
        run_all(todo, jobs=jobs, launch=launch_process),
        desc="training",
        total=len(todo),
        disable=not sys.stderr.isatty(),
    )
    for _, error in progress:
        if error is not None:
            raise error


def model_path(task: Task) -> Path:
    return Path(str(task.keep)) / "model-best"


def measure_all(
    data: Prepared, trainings: Trainings, limit: int, methods: Sequence[str] | None
) -> dict[float, list[Report]]:
    """The reports of `spacy attn faithfulness` for all models, and their accuracy on all rows."""
    reports: dict[float, list[Report]] = {value: [] for value in trainings}
    for value, tasks in trainings.items():
        for task in tasks:
            others = [model_path(other) for other in tasks if other is not task]
            key = fingerprint(task.key, limit, methods, [str(path.parent.name) for path in others])
            path = Path(str(task.keep)) / f"faithfulness-{key[:8]}.json"
            if not path.exists():
                write_result(path, measure(data, model_path(task), others, limit, methods))
            accuracy = (result_of(task) or {})["test"]["accuracy"]
            reports[value].append({**json.loads(path.read_text()), "accuracy": accuracy})
    return reports


def measure(
    data: Prepared,
    model: Path,
    others: Sequence[Path],
    limit: int,
    methods: Sequence[str] | None,
) -> Report:
    import spacy

    from spacy_attn.cli.options import make_reader
    from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness

    nlp = spacy.load(model)
    rows = str(Path(data.folder) / "test.parquet")
    examples = make_reader(rows)(nlp)
    report = evaluate_faithfulness(
        nlp,
        tqdm(
            islice(examples, limit or None),
            desc=f"{data.name}, {model.parent.name}",
            total=limit or None,
            disable=not sys.stderr.isatty(),
        ),
        methods=methods,
        others={str(path): spacy.load(path) for path in others},
    )
    return report.to_dict()


# --- The tables ----------------------------------------------------------------------------------


def write(
    data: Prepared,
    trainings: Trainings,
    reports: Mapping[float, Sequence[Report]],
    limit: int,
    output: Path,
) -> None:
    text = to_markdown(data, reports, limit)
    (output / f"{data.name}.md").write_text(text)
    typer.echo(text)


def to_markdown(data: Prepared, reports: Mapping[float, Sequence[Report]], limit: int) -> str:
    """A row for each measure, a column for each value of `evidence`."""
    columns = {value: dict(rows_of(own)) for value, own in reports.items()}
    names = list(dict.fromkeys(name for rows in columns.values() for name in rows))
    table = tabulate(
        [[name, *(rows.get(name, "-") for rows in columns.values())] for name in names],
        headers=["", *(f"evidence = {value:g}" for value in columns)],
        tablefmt="pipe",
    )
    n_seeds = max(len(own) for own in reports.values())
    explained = f"the first {limit} of them" if limit else "all of them"
    return (
        f"## {data.name}\n\nMean and standard deviation of {n_seeds} seeds. Accuracy on "
        f"{data.scored}, {data.counts['test']} documents; all else on {explained}. "
        f"Comprehensiveness is the fall of the score of the predicted label without the tokens "
        f"ranked first, averaged over 1, 5, 10, 20 and 50 % of them.\n\n{table}\n"
    )


def rows_of(reports: Sequence[Report]) -> Iterator[tuple[str, str]]:
    """The name of each measure, and its mean and standard deviation."""
    yield "accuracy", spread([report["accuracy"] for report in reports])
    for name in reports[0]["rankings"]:
        yield (
            f"comprehensiveness, {method_name(name)}",
            spread([comprehensiveness(report, name) for report in reports]),
        )
    for name in ("attention", "contributions"):
        yield (
            f"{name}: its share of leave one out's",
            spread(
                [
                    comprehensiveness(report, name) / comprehensiveness(report, "leave_one_out")
                    for report in reports
                    if "leave_one_out" in report["rankings"]
                ]
            ),
        )
    measures: dict[str, Callable[[Report], list[float]]] = {
        "Kendall's tau of attention and the change without each token": lambda report: means(
            report["change_agreement"]
        ),
        "same decision with equal weights": lambda report: means(
            (report["uniform"] or {}).get("same_decision")
        ),
        "conicity of the hidden states": lambda report: means(report["conicity"]),
        "divergence of attention between seeds, nats": lambda report: [
            found
            for seed in report["seeds"].values()
            for found in means(seed["attention_divergence"])
        ],
    }
    for name, read in measures.items():
        yield name, spread([value for report in reports for value in read(report)])


def comprehensiveness(report: Report, name: str) -> float:
    return float(report["rankings"][name]["comprehensiveness"]["mean"])


def means(found: Mapping[str, float] | None) -> list[float]:
    """The mean of an estimate; none where there was nothing to measure."""
    return [] if found is None else [found["mean"]]


def spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    typer.run(main)
