"""Train and measure one model with one seed on one data set, in a process of its own.

python -m benchmarks.accuracy.worker TASK.json
"""

import json
import os
import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import linear
from .data import read_split
from .measure import Measures, count_words, environment, folder_size, score, timed

if TYPE_CHECKING:
    from spacy.language import Language


@dataclass(frozen=True)
class Task:
    """A unit of work.

    Attributes:
        dataset, model: Names, as in the table.
        seed: None for a model that needs none.
        key: Fingerprint of all that decides the result.
        config: The complete training config; None for a linear model.
        data: Folder of the prepared data set.
        threads: For torch and the numerical libraries.
        result: The file that the result is written to.
        keep: Folder for the trained model; None to delete it.
        equal_weights: Whether to predict with equal weights of the tokens, too.
    """

    dataset: str
    model: str
    seed: int | None
    key: str
    config: str | None
    data: str
    threads: int
    result: str
    keep: str | None = None
    equal_weights: bool = False

    @property
    def title(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.dataset}: {self.model}{seed}"


def run(task: Task) -> Measures:
    """Do a unit of work and write down its result, whole or not at all."""
    with model_folder(task) as folder:
        measures = run_linear(task, folder) if task.config is None else run_spacy(task, folder)
    result = {
        "dataset": task.dataset,
        "model": task.model,
        "seed": task.seed,
        "key": task.key,
        **measures,
        "environment": environment(task.threads),
    }
    write_result(Path(task.result), result)
    return result


def write_result(path: Path, result: Measures) -> None:
    """Write a result whole or not at all, since it may be read meanwhile."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=2))
    partial.replace(path)


@contextmanager
def model_folder(task: Task) -> Iterator[Path]:
    if task.keep is not None:
        Path(task.keep).mkdir(parents=True, exist_ok=True)
        yield Path(task.keep)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def run_spacy(task: Task, folder: Path) -> Measures:
    import datasets
    import spacy
    import torch
    from spacy.cli.train import train
    from thinc.api import Config

    from . import curve, pooling  # which register a logger and an architecture

    torch.set_num_threads(task.threads)
    datasets.disable_progress_bars()
    config = Config().from_str(task.config or "")
    log = folder / "curve.jsonl"
    config["training"]["logger"] = {"@loggers": curve.LOGGER, "path": str(log)}
    config.to_disk(folder / "config.cfg")
    start = time.perf_counter()
    train(folder / "config.cfg", folder)
    seconds = time.perf_counter() - start
    nlp = spacy.load(folder / "model-best")
    measures = {
        "train_seconds": seconds,
        **curve.read_curve(log, start),
        "bytes": folder_size(folder / "model-best"),
        **measure_pipeline(nlp, Path(task.data)),
    }
    if task.equal_weights:
        pooling.equal_weights(nlp)
        measures["equal_weights"] = measure_pipeline(nlp, Path(task.data))
    return measures


def measure_pipeline(nlp: "Language", data: Path) -> Measures:
    """Measure predictions, from texts to scores; those in validation come first, to warm up."""

    def predict(texts: list[str]) -> list[dict[str, float]]:
        return [doc.cats for doc in nlp.pipe(texts)]

    measures: Measures = {}
    for split in ("validation", "test"):
        texts, truth = read_split(data, split)
        if split == "validation":
            cats = predict(texts)
        else:
            cats, seconds = timed(lambda texts=texts: predict(texts))  # type: ignore[misc]
            measures["words_per_second"] = count_words(texts) / seconds
        predicted = [max(scores, key=scores.__getitem__) for scores in cats]
        measures[split] = score(truth, predicted, [max(scores.values()) for scores in cats])
    return measures


def run_linear(task: Task, folder: Path) -> Measures:
    data = Path(task.data)
    linear.make(task.model, strength=1.0)  # imports scikit-learn, which is no part of the training
    start = time.perf_counter()
    validation = read_split(data, "validation")
    model, strength = linear.fit(task.model, read_split(data, "train"), validation)
    seconds = time.perf_counter() - start
    (folder / "model.pickle").write_bytes(pickle.dumps(model))
    texts, truth = read_split(data, "test")
    in_validation = model.predict(validation[0])
    predicted, predict_seconds = timed(lambda: model.predict(texts))
    return {
        "train_seconds": seconds,
        "strength": strength,
        "bytes": folder_size(folder),
        "words_per_second": count_words(texts) / predict_seconds,
        "validation": score(
            validation[1], list(in_validation), linear_confidence(model, validation[0])
        ),
        "test": score(truth, list(predicted), linear_confidence(model, texts)),
    }


def linear_confidence(model: Any, texts: list[str]) -> list[float] | None:
    if not hasattr(model, "predict_proba"):
        return None
    confidence: list[float] = model.predict_proba(texts).max(axis=1).tolist()
    return confidence


def end_with_input() -> None:
    """End this process as soon as its standard input ends.

    A pipe from the process that started this one ends with that, however it was ended: a training
    would go on for up to an hour otherwise, and nobody would be waiting for it.
    """

    def watch() -> None:
        # Not through sys.stdin, whose lock would be held when this process ends by itself.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(
    task_path: Path,
    attached: Annotated[
        bool, typer.Option("--attached", help="End with the standard input")
    ] = False,
) -> None:
    if attached:
        end_with_input()
    run(Task(**json.loads(task_path.read_text())))


def save(task: Task, path: Path) -> None:
    path.write_text(json.dumps(asdict(task)))


if __name__ == "__main__":
    typer.run(main)
