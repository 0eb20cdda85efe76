"""Plan the units of work, and do those that have not been done."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from . import linear, worker
from .configs import complete
from .data import ROOT, Prepared
from .measure import Measures
from .models import OURS, ModelSpec
from .worker import Task

# Where numerical libraries read the number of their threads.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOG_LINES = 15

Launch = Callable[[Task], None]


class UnitFailed(RuntimeError):
    """A unit of work that ended without a result."""


def plan(
    data: Prepared,
    models: Iterable[ModelSpec],
    *,
    seeds: Sequence[int],
    overrides: Mapping[str, Any],
    output: Path,
    threads: int,
    keep: bool = False,
) -> list[Task]:
    """The units of work for a data set: a model and a seed each, a linear model once."""
    tasks: dict[tuple[str, int | None], Task] = {}
    for spec in models:
        for seed in seeds if spec.is_seeded else [None]:
            config = None if spec.config is None else spec.config()
            unit = (spec.trained_as, seed)
            if unit in tasks:
                continue
            content: Any = linear.describe(spec.name) if config is None else None
            text = None
            if config is not None and seed is not None:

                def completed(folder: Path, config=config, seed=seed) -> Any:  # type: ignore[no-untyped-def]
                    return complete(
                        config, data=folder, labels=data.labels, seed=seed, overrides=overrides
                    )

                text = completed(Path(data.folder)).to_str()
                # The place of the data is left out, so that results can be moved.
                content = completed(Path("data"))
            key = fingerprint(unit, content, data.fingerprint)
            folder = output / data.name
            stem = f"{slug(spec.trained_as)}-{'' if seed is None else f'{seed}-'}{key[:8]}"
            tasks[unit] = Task(
                dataset=data.name,
                model=spec.trained_as,
                seed=seed,
                key=key,
                config=text,
                data=data.folder,
                threads=threads,
                result=str(folder / f"{stem}.json"),
                keep=str(folder / stem) if keep else None,
                equal_weights=spec.trained_as == OURS,
            )
    return list(tasks.values())


def fingerprint(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def result_of(task: Task) -> Measures | None:
    """What is known of a unit: nothing, unless it was made of exactly what it would be made of now."""
    path = Path(task.result)
    result: Measures | None = json.loads(path.read_text()) if path.exists() else None
    return result if result and result["key"] == task.key else None


def run_all(
    tasks: Sequence[Task], *, jobs: int, launch: Launch
) -> Iterator[tuple[Task, Exception | None]]:
    """Do units of work side by side.

    launch: Does one.
    YIELDS: Each as it ends, and what went wrong with it.
    """
    with ThreadPoolExecutor(jobs) as pool:
        futures: dict[Future[None], Task] = {pool.submit(launch, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                yield futures[future], error
        finally:
            pool.shutdown(cancel_futures=True)


def launch_process(task: Task) -> None:
    """Do a unit of work in another process: for its memory, its threads and honest times.

    RAISES: UnitFailed with the end of what it said; all of it stays beside the result.
    """
    result = Path(task.result)
    result.parent.mkdir(parents=True, exist_ok=True)
    log = result.with_suffix(".log")
    with tempfile.TemporaryDirectory() as folder, log.open("w") as stream:
        worker.save(task, Path(folder) / "task.json")
        command = [sys.executable, "-m", worker.__name__, str(Path(folder) / "task.json")]
        process = subprocess.run(
            command, env=environment(task.threads), stdout=stream, stderr=subprocess.STDOUT
        )
    if process.returncode:
        tail = "\n".join(log.read_text().splitlines()[-LOG_LINES:])
        raise UnitFailed(f"{task.title} failed (all of its output is in {log}):\n{tail}")
    log.unlink()


def environment(threads: int) -> dict[str, str]:
    """Environment variables of a process with some threads that finds this package."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONPATH": path}
