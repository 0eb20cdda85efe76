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
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from . import linear, worker
from .configs import complete
from .data import ROOT, Prepared
from .errors import UnitError
from .measure import Measures
from .models import OURS, ModelSpec
from .worker import Task

# Where numerical libraries read the number of their threads.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOG_LINES = 15

Launch = Callable[[Task], None]


@dataclass(frozen=True)
class Settings:
    """How models are trained, beside their configs.

    Attributes:
        output: Folder for prepared data and results.
        seeds: A training each, except for linear models.
        overrides: Values in all training configs, by dotted name.
        threads: For each training and measurement.
        keep: Whether to keep the trained models.
    """

    output: Path
    seeds: Sequence[int] = (0, 1, 2)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    keep: bool = False


def plan(data: Prepared, models: Iterable[ModelSpec], settings: Settings) -> list[Task]:
    """The units of work for a data set: a model and a seed each, a linear model once."""
    tasks: dict[tuple[str, int | None], Task] = {}
    for spec in models:
        for seed in settings.seeds if spec.is_seeded else [None]:
            unit = (spec.trained_as, seed)
            if unit not in tasks:
                tasks[unit] = make_task(data, spec, seed, settings)
    return list(tasks.values())


def make_task(data: Prepared, spec: ModelSpec, seed: int | None, settings: Settings) -> Task:
    config, decisive = make_config(data, spec, seed, settings.overrides)
    key = fingerprint(spec.trained_as, seed, decisive, data.fingerprint)
    # With the key in its name, a result of another config or of other data is left as it is.
    seed_part = "" if seed is None else f"seed{seed}-"
    place = settings.output / data.name / f"{slug(spec.trained_as)}-{seed_part}{key[:8]}"
    return Task(
        dataset=data.name,
        model=spec.trained_as,
        seed=seed,
        key=key,
        config=config,
        data=data.folder,
        threads=settings.threads,
        result=f"{place}.json",
        keep=str(place) if settings.keep else None,
        equal_weights=spec.trained_as == OURS,
    )


def make_config(
    data: Prepared, spec: ModelSpec, seed: int | None, overrides: Mapping[str, Any]
) -> tuple[str | None, Any]:
    """RETURNS: The training config, None for a linear model; and all settings that decide what is
    learned, for the fingerprint: without the place of the data, so that results can be moved.
    """
    if spec.config is None or seed is None:
        return None, linear.describe(spec.name)
    make = partial(complete, spec.config(), labels=data.labels, seed=seed, overrides=overrides)
    return make(data=Path(data.folder)).to_str(), make(data=Path())


def fingerprint(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def result_of(task: Task) -> Measures | None:
    """The result of a unit, if it was made with the config and data that it has now."""
    path = Path(task.result)
    result: Measures | None = json.loads(path.read_text()) if path.exists() else None
    return result if result and result["key"] == task.key else None


def run_all(
    tasks: Sequence[Task], *, jobs: int, launch: Launch
) -> Iterator[tuple[Task, Exception | None]]:
    """Do units of work side by side.

    Args:
        launch: Does one.

    Yields:
        Each as it ends, and what went wrong with it.
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

    Raises:
        UnitError: With the end of what it said; all of it stays beside the result.
    """
    result = Path(task.result)
    result.parent.mkdir(parents=True, exist_ok=True)
    log = result.with_suffix(".log")
    with tempfile.TemporaryDirectory() as folder, log.open("w") as stream:
        worker.save(task, Path(folder) / "task.json")
        command = [sys.executable, "-m", worker.__name__, "--attached", f"{folder}/task.json"]
        with subprocess.Popen(
            command,
            env=environment(task.threads),
            stdin=subprocess.PIPE,  # ends with this process, and the worker with it
            stdout=stream,
            stderr=subprocess.STDOUT,
        ) as process:
            failed = process.wait()
    if failed:
        tail = "\n".join(log.read_text().splitlines()[-LOG_LINES:])
        raise UnitError(f"{task.title} failed (all of its output is in {log}):\n{tail}")
    log.unlink()


def environment(threads: int) -> dict[str, str]:
    """Environment variables of a process with some threads that finds this package."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONPATH": path}
