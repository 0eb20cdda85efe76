"""The command `python -m benchmarks.distillation`: what a student learns from a transformer."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from typer import Argument, Option

from .distilling import (
    PLAIN,
    STUDENTS,
    TEACHER,
    DistillationTask,
    Taught,
    plan,
    with_texts,
)
from .models import UsageError
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
from .splits import ROOT, prepare
from .tables import NONE, markdown, number, spread
from .teacher import offline_encoder
from .training import Measures, Task, finish

OUTPUT = Path("benchmarks/results/distillation")
PUBLISHED = ROOT / "benchmarks" / "published" / "distillation"


def main(
    datasets: Annotated[
        list[str], Argument(metavar="DATASET...", help="As for `python -m benchmarks.accuracy`")
    ],
    texts: Annotated[
        list[Path] | None,
        Option(help="Parquet file of texts without labels, for all data sets (repeatable)"),
    ] = None,
    labelled: Annotated[
        int, Option(help="So many rows keep their labels, the others are texts; 0 for all")
    ] = 0,
    encoder: Annotated[
        str, Option(help="The encoder to fine-tune; by default all-MiniLM-L6-v2 as a package")
    ] = "",
    gold_weight: Annotated[float, Option(help="As for `spacy attn distill`")] = 0.0,
    augment: Annotated[int, Option(help="Variants of each text to learn, too")] = 0,
    explain: Annotated[int, Option(help="Scored documents to explain, the first")] = 200,
    seeds: Seeds = "0,1,2",
    override: Override = None,
    limit: Limit = 0,
    jobs: Jobs = 1,
    keep: Keep = False,
    anew: Anew = False,
    train: Train = True,
    output: Output = OUTPUT,
) -> None:
    """Fine-tune a teacher on the training split, have it label that and further texts, and train
    students on what it says. Score all on rows that none has seen, and time them on one core.

    A run that was stopped goes on where it was. Published results are taken over.
    """
    with usage_errors():
        settings = make_settings(output, PUBLISHED, seeds, override, keep=keep, anew=anew)
        data = [
            with_texts(prepare(source, output, limit=limit), texts or [], labelled)
            for source in datasets
        ]
        if len({each.name for each in data}) < len(data):
            raise UsageError("two data sets have the same name: rename a folder, or run them apart")
        others: dict[str, Any] = {
            "augment": augment,
            "encoder": encoder or offline_encoder(),
            "gold_weight": gold_weight,
            "explained": explain,
        }
        tasks = [(each, plan(each, settings, **others)) for each in data]
        every = [task for _, own in tasks for task in own]
        finish(every, jobs if train else 0, describe, partial(write, output, tasks))


def describe(task: Task) -> str:
    """Write the line that is shown when one has been measured."""
    result = task.read() or {}
    shown = ", ".join(
        f"{name} {100 * result[name]['test']['accuracy']:.1f}" for name in measured([result])
    )
    return f"{task.title}: {shown}"


def write(output: Path, tasks: Sequence[tuple[Taught, Sequence[DistillationTask]]]) -> str:
    """Write what is there by now, as Markdown and as JSON; return the former."""
    parts, frames = ["# Distillation"], []
    for data, own in tasks:
        results = [result for task in own if (result := task.read())]
        if results:
            parts += [f"## {data.name}", caption(data, results), table(results)]
            frames += results
    text = "\n\n".join(parts) + "\n"
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.md").write_text(text)
    pd.json_normalize(frames).to_json(output / "results.json", orient="records", indent=2)
    return text


def caption(data: Taught, results: Sequence[Measures]) -> str:
    """Say what was learned and scored."""
    counts = data.counts
    texts = pd.DataFrame([result["texts"] for result in results])
    further, variants = (texts[name].mean() for name in ("further", "variants"))
    earlier = [str(result["seed"]) for result in results if not result["same config"]]
    note = f" Published with an earlier config: seed {', '.join(earlier)}." if earlier else ""
    made = f" and {variants:,.0f} variants of texts" if variants else ""
    return (
        f"{len(data.labels)} labels. Teacher and students learn from {counts['train']:,} labelled "
        f"rows, students with a teacher also from {further:,.0f} texts without labels{made}. "
        f"Selected and calibrated on {counts['validation']:,} rows ({data.selection}), scored on "
        f"{counts['test']:,} ({data.scored}). Seeds: {len(results)}.{note}"
    )


def table(results: Sequence[Measures]) -> str:
    """Make a table of a row for each pipeline: means over the seeds, and standard deviations."""
    return markdown([dict(row(name, results)) for name in measured(results)])


def measured(results: Sequence[Measures]) -> list[str]:
    """Return the names of the pipelines. Published results may be from before one was added."""
    names = (TEACHER, *STUDENTS)
    return [name for name in names if all(name in result for result in results)]


def row(name: str, results: Sequence[Measures]) -> Iterator[tuple[str, str]]:
    """Yield the columns of a row."""
    own = [result[name] for result in results]
    scores = {
        key: pd.Series([each["test"][key] for each in own])
        for key in ("accuracy", "macro_f", "calibration_error", "agreement")
    }
    yield "", STUDENTS[name][0] if name in STUDENTS else f"{TEACHER}, fine-tuned"
    yield "accuracy", spread(100 * scores["accuracy"], 1)
    yield "macro F", spread(100 * scores["macro_f"], 1)
    yield "ECE", spread(scores["calibration_error"], 3)
    yield "as teacher", spread(100 * scores["agreement"], 1)
    yield "gap closed, %", gap_closed(name, results)
    fast, slow = (
        pd.Series([result[each]["words_per_second"] for result in results])
        for each in (name, TEACHER)
    )
    yield "words/s", number(fast.mean(), 0)
    yield "x teacher", number((fast / slow).mean(), 0)
    yield "size, MB", number(pd.Series([each["bytes"] for each in own]).mean() / 1e6, 1)
    yield (
        "comprehensiveness, % of leave one out",
        spread([100 * each["comprehensiveness"] for each in own if "comprehensiveness" in each], 0),
    )
    yield "training, min", number(pd.Series([each["cpu_seconds"] for each in own]).mean() / 60, 1)


def gap_closed(name: str, results: Sequence[Measures]) -> str:
    """Write which share of the teacher's lead a student has made up for, of the means."""
    if name in (TEACHER, PLAIN):
        return NONE
    teacher, plain, student = (
        pd.Series([result[each]["test"]["accuracy"] for result in results]).mean()
        for each in (TEACHER, PLAIN, name)
    )
    lead = teacher - plain
    return number(100 * (student - plain) / lead, 0) if lead > 0 else NONE


if __name__ == "__main__":
    typer.run(main)
