"""Train and measure one model with one seed on one data set, and know what has been measured."""

import hashlib
import json
import os
import pickle
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, TypeVar

import pandas as pd
import spacy
import typer
from sklearn.metrics import accuracy_score, f1_score
from spacy import util
from spacy.cli.train import train
from spacy.language import Language
from thinc.api import Config
from tqdm import tqdm  # type: ignore[import-untyped]

import spacy_attn
from spacy_attn.distill.comparison import size_of
from spacy_attn.pipeline.scorer import expected_calibration_error

from .child import Child, ChildError, peak_memory, reset_peak
from .models import OURS, STRENGTHS, Block, Model, UsageError, linear_settings, make_linear
from .splits import Prepared

Measures = dict[str, Any]
Result = TypeVar("Result")

# A pass over the texts that is shorter than this is repeated, since its time says little.
MIN_SECONDS = 5.0
MAX_PASSES = 3
PACKAGES = ("spacy", "thinc", "torch", "scikit-learn", "numpy", "spacy-attn")
LOGGER = "spacy-attn-benchmarks.JSONLines.v1"
# The corpora of a training config, and the splits that they read.
CORPORA = {"train": "train", "dev": "validation"}


@dataclass(frozen=True)
class Settings:
    """How models are trained, beside their configs.

    Attributes:
        output: Folder for prepared data and results.
        seeds: A training each, except for linear models.
        overrides: Values in all training configs, by dotted name.
        threads: For each training and measurement.
        keep: Whether to keep the trained models.
        published: Folder of results that count although the config has changed since, unless there
            are overrides; None for none.
    """

    output: Path
    seeds: Sequence[int] = (0, 1, 2)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    keep: bool = False
    published: Path | None = None


@dataclass(frozen=True)
class Task:
    """A unit of work: a model to train on a data set, with a seed if it needs one."""

    data: Prepared
    model: Model
    seed: int | None
    settings: Settings

    @property
    def title(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.data.name}: {self.model.training}{seed}"

    def config(self, folder: Path) -> Config | None:
        """Return the complete training config, for data in a folder; None for a linear model."""
        if not self.model.config or self.seed is None:
            return None
        corpora = text_corpora(folder, self.data.labels)
        return complete(self.model.config(), corpora, self.seed, self.settings.overrides)

    def decisive(self) -> Measures:
        """Return all settings that decide what is learned."""
        return self.config(Path()) or linear_settings(self.model.name)

    def act(self, folder: Path) -> Measures:
        """Train the model in a folder, and measure it."""
        return (measure_spacy if self.model.config else measure_linear)(self, folder)

    @cached_property
    def key(self) -> str:
        """The fingerprint of all that decides the result, but for where the data lie."""
        return fingerprint(self.model.training, self.seed, self.decisive(), self.data.fingerprint)

    @cached_property
    def place(self) -> Path:
        """The folder of the model; with ".json", the file of the result."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.model.training.lower()).strip("-")
        seed = "" if self.seed is None else f"-seed{self.seed}"
        # With the key in its name, a result of another config or of other data is left as it is.
        return self.settings.output / self.data.name / f"{slug}{seed}-{self.key[:8]}"

    def read(self) -> Measures | None:
        """Return the result, if it was made with the config and data of now or was published."""
        files = [self.place.with_suffix(".json")]
        published = self.settings.published
        if published and not self.settings.overrides:
            files += (published / self.data.name).glob(f"{self.place.name[:-8]}{'?' * 8}.json")
        for file in filter(Path.exists, files):
            result: Measures = json.loads(file.read_text())
            same = result["key"] == self.key
            if same or (file != files[0] and result["data"] == self.data.fingerprint):
                return {**result, "same config": same}
        return None

    def write(self, measures: Measures) -> None:
        """Write a result whole or not at all."""
        result = {
            "dataset": self.data.name,
            "model": self.model.training,
            "seed": self.seed,
            "key": self.key,
            "overrides": self.settings.overrides,
            "data": self.data.fingerprint,
            **measures,
        }
        unfinished = self.place.with_suffix(".partial")
        unfinished.write_text(json.dumps(result, indent=2))
        unfinished.replace(self.place.with_suffix(".json"))


def plan(data: Prepared, models: Iterable[Model], settings: Settings) -> list[Task]:
    """Return the units of work for a data set: a model and a seed each, a linear model once."""
    units = {
        (model.training, seed): Task(data, model, seed, settings)
        for model in models
        for seed in (settings.seeds if model.config else [None])
    }
    return list(units.values())


def text_corpora(folder: Path, labels: Sequence[str]) -> dict[str, Block]:
    """Make the readers of texts with labels that lie in a folder."""
    return {
        name: {
            "@readers": "spacy-attn.HFDataset.v1",
            "path": (folder / f"{split}.parquet").as_posix(),
            "labels": list(labels),
            "exclusive": True,
        }
        for name, split in CORPORA.items()
    }


def complete(
    config: Config, corpora: Mapping[str, Block], seed: int, overrides: Mapping[str, Any]
) -> Config:
    """Return a copy that reads prepared data, trains with a seed, and refers to nothing else.

    Args:
        config: As somebody would train it.
        corpora: The blocks of the readers "train" and "dev".
        seed: Of the training.
        overrides: Values by dotted name.

    Raises:
        UsageError: For an override of what the config does not have.
    """
    config = config.copy()
    config.setdefault("system", {})["seed"] = seed
    for name, value in overrides.items():
        try:
            util.dot_to_object(config, name)  # it must be there
            util.set_dot_to_object(config, name, value)
        except KeyError:
            raise UsageError(f"no setting '{name}' in the config to override") from None
    # Before references are resolved: other blocks may refer to the corpora. Those of other names,
    # such as raw text that an encoder was pretrained on, stay.
    others = {k: v for k, v in config.get("corpora", {}).items() if k != "test"}
    config["corpora"] = {**others, **corpora}
    config = config.interpolate()
    config["training"] |= {
        "seed": seed,
        "train_corpus": "corpora.train",
        "dev_corpus": "corpora.dev",
    }
    # Of no more use, and perhaps of another data set.
    config["paths"] = {}
    return config


def fingerprint(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def finish(
    tasks: Sequence[Task],
    jobs: int,
    describe: Callable[[Task], str],
    write: Callable[[], str],
) -> None:
    """Do what has not been done, and write the tables after each result.

    Args:
        tasks: All, those done before as well.
        jobs: How many to do at a time; 0 does none.
        describe: Makes the line that is shown when one is done.
        write: Writes the tables, and returns what is shown at the end.

    Raises:
        typer.Exit: If one failed, when the others are done.
    """
    todo = [task for task in tasks if task.read() is None]
    typer.echo(f"{len(tasks) - len(todo)} of {len(tasks)} trainings were done before")
    todo = [task for task in todo if jobs and not task.model.retired]
    failed = False
    with tqdm(total=len(todo), disable=None) as progress:
        for task, error in run_all(todo, jobs or 1):
            progress.update()
            tqdm.write(f"{task.title} failed: {error}" if error else describe(task))
            failed = failed or error is not None
            write()
    typer.echo(write())
    if failed:
        raise typer.Exit(1)


def run_all(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, BaseException | None]]:
    """Do units of work, so many at a time. Yield each as it ends, and what went wrong with it."""
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(run, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.exception()
        finally:
            pool.shutdown(cancel_futures=True)


def run(task: Task) -> None:
    """Do a unit of work in a process of its own, whose output stays only if it fails."""
    task.place.parent.mkdir(parents=True, exist_ok=True)
    log = task.place.with_suffix(".log")
    try:
        with Child(task.settings.threads, log) as child:
            task.write(child.call(measure, task))
    except ChildError as error:
        raise ChildError(f"{error} (all of its output is in {log})") from None
    log.unlink()


# --- In the process of a training -----------------------------------------------------------------


def measure(task: Task) -> Measures:
    """Train a model and measure it."""
    if task.settings.keep:
        task.place.mkdir(parents=True, exist_ok=True)
    kept = nullcontext(str(task.place)) if task.settings.keep else tempfile.TemporaryDirectory()
    with kept as folder:
        return {**task.act(Path(folder)), "environment": environment(task.settings.threads)}


def train_spacy(config: Config, folder: Path) -> Measures:
    """Train a pipeline, which the folder then holds as `model-best`, and measure the training."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.jsonl"
    log.unlink(missing_ok=True)
    config["training"]["logger"] = {"@loggers": LOGGER, "path": str(log)}
    config.to_disk(folder / "config.cfg")
    start = time.perf_counter()
    train(folder / "config.cfg", folder)
    seconds = time.perf_counter() - start
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    best = max(line["score"] for line in lines)
    return {
        "train_seconds": seconds,
        "steps": lines[-1]["step"],
        # Of several as good, the training loop keeps the last.
        "best_step": [line["step"] for line in lines if line["score"] == best][-1],
        "curve": [[line["clock"] - start, line["score"]] for line in lines],
        "bytes": size_of(folder / "model-best"),
    }


def measure_spacy(task: Task, folder: Path) -> Measures:
    measures = train_spacy(task.config(task.data.folder) or Config(), folder)
    nlp = spacy.load(folder / "model-best")
    measures |= measure_predictions(task, partial(predict_cats, nlp), read_cats)
    if task.model.training == OURS:
        head: Any = nlp.get_pipe(OURS).model.get_ref("output_layer")  # type: ignore[attr-defined]
        head.shims[0].module.attention.scoring = "uniform"
        measures["equal_weights"] = measure_predictions(task, partial(predict_cats, nlp), read_cats)
    return measures


def predict_cats(nlp: Language, texts: list[str]) -> list[dict[str, float]]:
    return [doc.cats for doc in nlp.pipe(texts)]


def read_cats(texts: list[str], cats: list[dict[str, float]]) -> tuple[list[str], list[float]]:
    labels = [max(scores, key=scores.__getitem__) for scores in cats]
    return labels, [scores[label] for scores, label in zip(cats, labels, strict=True)]


def measure_linear(task: Task, folder: Path) -> Measures:
    """Train with each strength of regularization, and keep what is most accurate in validation."""
    start = time.perf_counter()
    name = task.model.name
    (texts, labels), held = (read_split(task, split) for split in ("train", "validation"))
    models = {c: make_linear(name, c).fit(texts, labels) for c in STRENGTHS}
    # Of equally good ones the most regularized.
    strength = max(models, key=lambda c: models[c].score(*held))
    model = models[strength]
    seconds = time.perf_counter() - start
    (folder / "model.pickle").write_bytes(pickle.dumps(model))

    def read(texts: list[str], labels: Any) -> tuple[list[str], list[float] | None]:
        has = hasattr(model, "predict_proba")
        return list(labels), model.predict_proba(texts).max(axis=1).tolist() if has else None

    measures = {"train_seconds": seconds, "strength": strength, "bytes": size_of(folder)}
    return {**measures, **measure_predictions(task, model.predict, read)}


def read_split(task: Task, split: str) -> tuple[list[str], list[str]]:
    rows = pd.read_parquet(task.data.folder / f"{split}.parquet")
    return rows["text"].tolist(), rows["label"].tolist()


def measure_predictions(
    task: Task,
    predict: Callable[[list[str]], Result],
    read: Callable[[list[str], Result], tuple[list[str], list[float] | None]],
) -> Measures:
    """Score and time predictions; those in validation come first, to warm up.

    Args:
        task: Whose data set is predicted.
        predict: What is timed.
        read: Makes labels of what it returns, and their probabilities if there are any.
    """
    measures: Measures = {}
    for split in ("validation", "test"):
        texts, truth = read_split(task, split)
        result, seconds = timed(partial(partial, predict, texts), repeat=split == "test")
        labels, confidence = read(texts, result)
        correct = [a == b for a, b in zip(truth, labels, strict=True)]
        measures[split] = {
            "accuracy": float(accuracy_score(truth, labels)),
            "macro_f": float(f1_score(truth, labels, average="macro", zero_division=0)),
            "ece": confidence and expected_calibration_error(confidence, correct),
        }
    # Tokens of spaCy's English tokenizer: the same unit for every model.
    n_words = sum(len(doc) for doc in spacy.blank("en").pipe(texts))
    return {**measures, "words_per_second": n_words / seconds}


def timed(
    prepare: Callable[[], Callable[[], Result]],
    *,
    repeat: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Result, float]:
    """Return what the first call returns, and the median seconds of a call, of at most three.

    Args:
        prepare: Makes what is called and timed, for each call.
        repeat: Whether to call more than once, if a call is short.
        clock: Returns seconds.
    """
    seconds: list[float] = []
    results = []
    while not seconds or (repeat and sum(seconds) < MIN_SECONDS and len(seconds) < MAX_PASSES):
        act = prepare()
        start = clock()
        results.append(act())
        seconds.append(clock() - start)
    return results[0], statistics.median(seconds)


@spacy.registry.loggers(LOGGER)
def make_logger(path: str) -> Callable[..., Any]:
    """Make a logger of `[training]` that writes a line of JSON for each evaluation."""

    def setup(nlp: Language, *streams: IO[str]) -> tuple[Callable[..., None], Callable[[], None]]:
        def log_step(info: dict[str, Any] | None) -> None:
            if info is not None and info["score"] is not None:
                line = {"step": info["step"], "score": info["score"], "clock": time.perf_counter()}
                with Path(path).open("a") as file:
                    # Also the highest memory since the last evaluation.
                    file.write(json.dumps({**line, "peak": peak_memory()}) + "\n")
                reset_peak()

        return log_step, lambda: None

    return setup


def environment(threads: int) -> Measures:
    """Return where and with what a model was measured."""
    digest = hashlib.sha256()
    # The package's version does not change with every commit.
    root = Path(spacy_attn.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "threads": threads,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "spacy-attn source": digest.hexdigest()[:12],
    }
