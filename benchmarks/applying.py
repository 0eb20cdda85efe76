"""The command `spacy attn apply` over many short rows, beside `nlp.pipe`; the task `apply`."""

import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import spacy

from .child import Child, resident_memory
from .models import OURS
from .sides import make_pipeline, make_texts
from .tables import NONE, markdown, number

#: Sides: `nlp.pipe` in one process, and the command with so many workers.
PIPE = "`nlp.pipe`"
WORKERS = (1, 2)

# A prime number of snippets, so that no two batches of a round number are alike.
_N_SNIPPETS = 5987
_ROWS_OF_A_FILE = 50_000
_BATCH = 1000
# Of the rows, `nlp.pipe` gets so many: it is as fast over all of them.
_SHARE = 10
# Seconds between two looks at the memory of the workers.
_PAUSE = 0.1


class Pass(NamedTuple):
    """One side. Memory is the highest of a worker, in bytes, where the system tells.

    Attributes:
        side: Its name.
        rows: The number of rows.
        words: Their tokens.
        seconds: From the start of the command to its end; of `nlp.pipe` without loading.
        first: Memory in the first tenth of the time in which rows are annotated.
        last: Memory in the last tenth.
    """

    side: str
    rows: int
    words: int
    seconds: float
    first: int | None = None
    last: int | None = None


def measure(rows: int) -> list[Pass]:
    """Annotate so many rows with each side, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nlp, _ = make_pipeline(OURS, make_texts("short", _N_SNIPPETS))
        nlp.to_disk(folder / "model")
        write_rows(folder / "rows.parquet", rows)
        with Child(threads=1) as child:
            passes = [child.call(pipe, folder, max(1, rows // _SHARE))]
        passes += [apply(folder, rows, workers) for workers in WORKERS]
    return passes


def write_rows(path: Path, rows: int) -> None:
    """Write a Parquet file of snippets, each with its number, so that no two rows are alike."""
    snippets = make_texts("short", _N_SNIPPETS)
    schema = pa.schema({"id": pa.int64(), "text": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, _ROWS_OF_A_FILE):
            ids = range(start, min(start + _ROWS_OF_A_FILE, rows))
            texts = [f"{snippets[i % len(snippets)]} {i}" for i in ids]
            writer.write_table(pa.table({"id": ids, "text": texts}, schema=schema))


def pipe(folder: Path, rows: int) -> Pass:
    """Go through the first rows with `nlp.pipe`, after a warm-up."""
    nlp = spacy.load(folder / "model")
    with pq.ParquetFile(folder / "rows.parquet") as file:
        batches = (batch.column("text").to_pylist() for batch in file.iter_batches())
        texts = list(islice((text for batch in batches for text in batch), rows))
    for _ in nlp.pipe(texts[:_BATCH], batch_size=_BATCH):
        pass
    start = time.perf_counter()
    words = sum(len(doc) for doc in nlp.pipe(texts, batch_size=_BATCH))
    return Pass(PIPE, rows, words, time.perf_counter() - start)


def apply(folder: Path, rows: int, workers: int) -> Pass:
    """Run the command, and look at the memory of its workers meanwhile."""
    output = folder / f"out{workers}"
    paths = [str(path) for path in (folder / "model", folder / "rows.parquet", output)]
    command = [sys.executable, "-m", "spacy", "attn", "apply", *paths, "--workers", str(workers)]
    start = time.perf_counter()
    seen: list[tuple[float, int]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            # The first worker that has begun a part has made a file for it.
            if seen or any(output.glob(".*.tmp")):
                memory = [resident_memory(pid) for pid in children(process.pid)]
                seen.append((time.perf_counter(), max([x or 0 for x in memory], default=0)))
            time.sleep(_PAUSE)
        seconds = time.perf_counter() - start
        assert process.stdout is not None
        printed = process.stdout.read()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
    summary = dict(line.rsplit(None, 1) for line in printed.splitlines())
    counts = {name: int(summary[name].replace(",", "")) for name in ("rows", "words")}
    if counts["rows"] != rows:
        raise RuntimeError(f"{counts['rows']} of {rows} rows were annotated")
    side = f"`apply --workers {workers}`"
    return Pass(side, rows, counts["words"], seconds, *first_and_last(seen))


def first_and_last(seen: list[tuple[float, int]]) -> tuple[int | None, int | None]:
    """Return the highest memory in the first and in the last tenth of a time."""
    if not seen or not any(memory for _, memory in seen):
        return None, None
    start, end = seen[0][0], seen[-1][0]
    tenth = (end - start) / 10
    first = max(memory for at, memory in seen if at <= start + tenth)
    return first, max(memory for at, memory in seen if at >= end - tenth)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, on Linux."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def table(passes: list[Pass]) -> str:
    """Make a table of a row for each side."""
    found = pd.DataFrame(passes).set_index("side").astype({"first": float, "last": float})
    speed = found["words"] / found["seconds"] / 1000
    one = f"`apply --workers {WORKERS[0]}`"
    rows: list[dict[str, Any]] = []
    for side, own in found.iterrows():
        is_pipe = side == PIPE
        rows.append(
            {
                "side": side,
                "rows": f"{int(own['rows']):,}",
                "seconds": number(own["seconds"], 0),
                "thousand words/s": number(speed[side], 1),
                "this / `nlp.pipe`": number(speed[side] / speed[PIPE], 2),
                "this / one worker": NONE if is_pipe else number(speed[side] / speed[one], 2),
                "worker's MB, first tenth": number(own["first"] / 1e6, 0),
                "last tenth": number(own["last"] / 1e6, 0),
                "last / first": number(own["last"] / own["first"], 2),
            }
        )
    return markdown(rows)
