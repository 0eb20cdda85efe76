"""The command `python -m benchmarks.speed`: words a second and memory, by turns in one run."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from tqdm import tqdm  # type: ignore[import-untyped]
from typer import Option

from . import applying
from .child import Child
from .models import ENSEMBLE, MODELS, OURS, SPACY_DEFAULT
from .sides import (
    BARE,
    LENGTHS,
    NAIVE,
    PIPELINES,
    PLAIN,
    TOKENIZER,
    Setting,
    Side,
    Task,
    count_tokens,
    make_texts,
)
from .tables import markdown, median_and_range, number
from .training import environment

OUTPUT = Path("benchmarks/results/speed")
APPLY = "apply"
LIMIT = "limit: tokenizer, then LSTM"
TRAINING_BATCH = 32
PIPE_BATCH = 1000
BATCH_SIZES = (1, 8, 32, 128, 512, 2000)
TITLES = {
    "predict": "Prediction, thousand words a second",
    "batches": "Prediction by batch size, short documents",
    "single": "One short document, `nlp(text)`",
    "train": "Training, thousand words a second",
    APPLY: "Many rows, `spacy attn apply`",
}
# What takes turns in each part.
SIDES: dict[str, tuple[str, ...]] = {
    "predict": (*PIPELINES, TOKENIZER, BARE, NAIVE),
    "batches": (OURS, SPACY_DEFAULT, ENSEMBLE, TOKENIZER, BARE),
    "single": (*PIPELINES, TOKENIZER, BARE),
    "train": (OURS, PLAIN, *PIPELINES[1:], BARE, NAIVE),
}
TASKS: dict[str, Task] = {"train": "train", "single": "single"}


def main(
    rounds: Annotated[int, Option(min=1, help="Passes of each side, by turns")] = 5,
    threads: Annotated[str, Option(help="Comma-separated numbers of threads")] = "1,2",
    snippets: Annotated[int, Option(help="Text of a pass of prediction, of 20 tokens each")] = 4000,
    training_snippets: Annotated[int, Option(help="Text of a pass of training")] = 1500,
    rows: Annotated[int, Option(min=1, help="Number of rows of `apply`")] = 1_000_000,
    tasks: Annotated[str, Option(help="Comma-separated")] = ",".join(TITLES),
    sides: Annotated[
        list[str] | None, Option(help="A side (repeatable), beside attn_textcat; all by default")
    ] = None,
    output: Annotated[Path, Option(help="Folder for results")] = OUTPUT,
) -> None:
    """Time attn_textcat, spaCy's text classifiers, and what bounds them, by turns in one run.

    Each side has a process of its own, and each round one pass of each. Words are spaCy's tokens.
    """
    parts, counts = tasks.split(","), [int(number) for number in threads.split(",")]
    if unknown := [part for part in parts if part not in TITLES]:
        raise typer.BadParameter(f"--tasks: there is no '{unknown[0]}'; known are {list(TITLES)}")
    known = {side for own in SIDES.values() for side in own}
    if unknown := sorted({*(sides or ())} - known):
        raise typer.BadParameter(f"--sides: there is no '{unknown[0]}'; known are {sorted(known)}")
    settings = {
        "predict": [Setting(x, snippets, PIPE_BATCH) for x in LENGTHS],
        "batches": [Setting("short", snippets // 2, size) for size in BATCH_SIZES],
        "single": [Setting("short", 300, 1)],
        "train": [Setting(x, training_snippets, TRAINING_BATCH) for x in LENGTHS],
    }
    texts = ["# Speed", f"{os.cpu_count()} cores; median and range of {rounds} rounds."]
    found = []
    for n in counts:
        for part in (part for part in parts if part != APPLY):
            timings = measure(part, n, rounds, settings[part], sides)
            found.append(timings.assign(part=part, threads=n))
            texts += [f"## {TITLES[part]}, {n} thread{'s' * (n > 1)}", table(part, timings)]
    if APPLY in parts:  # whose processes have one thread each, whatever the number of threads
        applied = applying.measure(rows)
        found.append(pd.DataFrame(applied).assign(part=APPLY, threads=1))
        texts += [f"## {TITLES[APPLY]}", applying.table(applied)]
    output.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(texts) + "\n"
    (output / "results.md").write_text(text)
    passes = json.loads(pd.concat(found).to_json(orient="records"))
    content = {"environment": environment(max(counts)), "passes": passes}
    (output / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    typer.echo(text)


def measure(
    part: str,
    threads: int,
    rounds: int,
    settings: Sequence[Setting],
    wanted: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Have the sides take turns over each of the settings. Return a row for each pass."""
    sides = [side for side in SIDES[part] if side in (OURS, *(wanted or SIDES[part]))]
    rows = []
    total = len(settings) * len(sides) * (rounds + 1)
    with (
        ExitStack() as stack,
        tqdm(total=total, desc=f"{part}, {threads} threads", disable=None) as progress,
    ):
        children = {
            side: stack.enter_context(
                Child(threads, subject=partial(Side, side, TASKS.get(part, "predict")))
            )
            for side in sides
        }
        for setting in settings:
            texts = make_texts(setting.length, setting.n_snippets)
            size = {"words": sum(count_tokens(texts)), "documents": len(texts)}
            for child in children.values():
                child.call(Side.prepare, setting)
                progress.update()
            for turn in range(rounds):
                for side, child in children.items():
                    timing = child.call(Side.run)._asdict()
                    rows.append(
                        {"side": side, "round": turn, **setting._asdict(), **size, **timing}
                    )
                    progress.update()
    return pd.DataFrame(rows)


# --- The tables -----------------------------------------------------------------------------------


def table(part: str, timings: pd.DataFrame) -> str:
    """Make a table of a row for each side and setting: medians and ranges of the rounds."""
    timings = with_limit(timings)
    timings["speed"] = timings["words"] / timings["seconds"] / 1000
    settings = [*Setting._fields]
    rows = []
    for _, setting in timings.groupby(settings, sort=False):
        ours = setting.loc[setting["side"] == OURS, "speed"].to_numpy()
        for side, own in setting.groupby("side", sort=False):
            speed = own["speed"].to_numpy()
            row = describe(part, own.iloc[0])
            row["side"] = MODELS[side].title if side in MODELS else str(side)
            row["thousand words/s"] = median_and_range(speed, 1)
            row[f"{OURS} / this"] = median_and_range(ours / speed, 2)
            if part == "single":
                seconds = own["seconds"] / own["documents"]
                row["ms a document"] = number(1000 * seconds.median(), 2)
            row["peak MB"] = number(own["peak"].max() / 1e6, 0)
            rows.append(row)
    return markdown(rows)


def describe(part: str, timing: "pd.Series[Any]") -> dict[str, str]:
    """Say what a setting of a part differs in from the others."""
    if part == "batches":
        return {"batch size": str(timing["batch_size"])}
    return {"documents": str(timing["length"])}


def with_limit(timings: pd.DataFrame) -> pd.DataFrame:
    """Add what no pipeline with this LSTM can be faster than: the tokenizer, then the LSTM."""
    parts = timings[timings["side"].isin([TOKENIZER, BARE])]
    if parts["side"].nunique() < 2:
        return timings
    of_a_pass = [*Setting._fields, "round", "words", "documents"]
    limit = parts.groupby(of_a_pass, sort=False, as_index=False)["seconds"].sum()
    return pd.concat([timings, limit.assign(side=LIMIT)], ignore_index=True)


if __name__ == "__main__":
    typer.run(main)
