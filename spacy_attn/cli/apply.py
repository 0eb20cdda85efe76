"""`python -m spacy attn apply`: a data set of any size, annotated, as a data set."""

from __future__ import annotations

import logging
import os
from enum import Enum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import table

from . import options as opt
from .console import fail, failing, load_code, progress_bar, require_output, warn

if TYPE_CHECKING:
    from ..tables.bulk import Job, Outcome
    from ..tables.output_folder import Record
    from ..tables.shards import Shard

# Failures that are shown.
_SHOWN = 20


class OnError(str, Enum):
    """What to do with a row that has no text."""

    RAISE = "raise"
    NULL = "null"


def apply_cli(
    model: opt.Model,
    data: Annotated[
        str,
        Arg(
            help="A data set in files, say .parquet, .jsonl or .csv: one, a folder or a pattern; "
            "one that save_to_disk has written; or one on the hub"
        ),
    ],
    output: Annotated[
        Path,
        Arg(
            help="A file that ends with .parquet, .jsonl or .csv, or else a folder, which gets "
            "part-00000.parquet and so on"
        ),
    ],
    workers: Annotated[int, Opt("--workers", "-w", min=1, help="Number of processes")] = 1,
    threads: Annotated[int, Opt("--threads", min=1, help="Number of threads of each")] = 1,
    split: opt.Split = None,
    text_column: Annotated[str, Opt("--text-column", help="Column of the text")] = "text",
    scores: Annotated[bool, Opt("--scores/--no-scores", help="Add a score for each label")] = True,
    tokens: Annotated[bool, Opt("--tokens", help="Add the tokens")] = False,
    attention: Annotated[bool, Opt("--attention", help="Add the weights of the tokens")] = False,
    contributions: Annotated[
        bool, Opt("--contributions", help="Add what each token adds to the logit of each label")
    ] = False,
    prefix: Annotated[
        str, Opt("--prefix", help="What the names of the new columns begin with, say 'predicted_'")
    ] = "",
    component: opt.ComponentName = None,
    batch_size: Annotated[
        int, Opt("--batch-size", min=1, help="Number of texts that the pipeline gets at a time")
    ] = 1000,
    on_error: Annotated[
        OnError,
        Opt(
            "--on-error",
            help="What a row without a text does: 'raise' refuses its part, 'null' leaves the new "
            "columns empty",
        ),
    ] = OnError.RAISE,
    overwrite_columns: Annotated[
        bool, Opt("--overwrite-columns", help="Replace columns of the data that have the new names")
    ] = False,
    rows_per_part: Annotated[
        int, Opt("--rows-per-part", min=1, help="Largest number of rows that a worker takes")
    ] = 50_000,
    overwrite: Annotated[
        bool, Opt("--overwrite", help="Replace an output that was made with other arguments")
    ] = False,
    settings: Annotated[
        list[str] | None,
        Opt(
            "--set",
            help="Where rows are or how they are written, as a setting of the reader "
            "spacy-attn.HFDataset.v1, say 'encoding=latin-1' or 'revision=main'. May be given "
            "several times",
        ),
    ] = None,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Classify the texts of a data set of any size. All of its columns are
    written, and with them the label and the scores that the pipeline gives. A
    run that was stopped goes on when it is started again with the same
    arguments.
    """
    require_output()
    load_code(code_path)
    with failing("Can't apply the pipeline"):
        # Not imported for other commands.
        from ..tables.annotator import Annotator
        from ..tables.bulk import Job
        from ..tables.output_folder import Output
        from ..tables.shards import cut, schema_of_any

        source = opt.make_source(data, split, text_column, settings)
        annotator = Annotator(
            model,
            text_column=text_column,
            scores=scores,
            attention=attention,
            contributions=contributions,
            tokens=tokens,
            component=component,
            batch_size=batch_size,
            n_threads=threads,
            on_error=on_error.value,
            overwrite=overwrite_columns,
            prefix=prefix,
        )
        place = Output(output)
        place.require_apart(data)
        arguments = {
            "version": version("spacy-attn"),
            "model": annotator.digest,
            "data": os.path.abspath(data) if os.path.exists(data) else data,
            "split": source.split,
            "set": sorted(settings or ()),
            "rows per part": rows_per_part,
            "text column": text_column,
            "scores": scores,
            "tokens": tokens,
            "attention": attention,
            "contributions": contributions,
            "prefix": prefix,
            "component": component,
            "batch size": batch_size,
            "on error": on_error.value,
            "overwrite columns": overwrite_columns,
        }
        set_up = partial(_set_up, code_path, gpu_id)
        with place.begun(arguments, overwrite=overwrite):
            shards = cut(source, rows_per_part)
            finished = place.finished([shard.identity for shard in shards], overwrite=overwrite)
            job = Job(annotator, place, schema_of_any(shards), set_up)
            outcome = _run(job, shards, finished, workers, threads)
    typer.echo(_summary(outcome))
    for where, reason in list(outcome.failures.items())[:_SHOWN]:
        warn(f"{where}: {reason}" if where else reason)
    if outcome.n_missing:
        fail(
            f"{outcome.n_missing} of {len(shards)} parts are missing",
            "The others are kept. When the cause is removed, the same command goes on.",
        )


def _run(
    job: Job, shards: list[Shard], finished: dict[int, Record], workers: int, threads: int
) -> Outcome:
    """Annotate what is not finished, and join the parts if all are there."""
    from ..tables.bulk import apply
    from ..tables.shards import require_one_schema

    if job.output.is_file and job.output.ending != ".jsonl":
        require_one_schema(shards)
    total = sum(shard.n_rows for shard in shards)
    done = sum(record["rows"] for record in finished.values())
    try:
        with progress_bar("rows", total=total, initial=done) as bar:
            outcome = apply(job, shards, finished, workers=workers, threads=threads, bar=bar)
    except KeyboardInterrupt:
        warn("Stopped. The parts that are complete are kept, and the same command goes on")
        raise
    if not outcome.n_missing:
        job.output.finish(len(shards))
    return outcome


def _summary(outcome: Outcome) -> str:
    counts = outcome.counts
    rows = [
        ("rows", f"{counts.rows:,}"),
        *((f"label {name}", f"{n:,}") for name, n in sorted(counts.labels.items())),
        ("failed rows", f"{counts.failed:,}"),
        ("words", f"{counts.words:,}"),
        ("words/s", f"{outcome.words / outcome.seconds:,.0f}" if outcome.words else "-"),
    ]
    return str(table(rows, aligns=("l", "r"))).strip("\n")


def _set_up(code_path: Path | None, gpu_id: int) -> None:
    """Prepare a worker."""
    load_code(code_path)
    # It warns of rows that fail at each table. The summary counts them.
    logging.getLogger("spacy_attn.tables").setLevel(logging.ERROR)
    setup_gpu(gpu_id, silent=True)
