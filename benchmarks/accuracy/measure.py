"""What is measured of a trained model."""

import hashlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from spacy_attn.pipeline.scorer import expected_calibration_error

Measures = dict[str, Any]
Result = TypeVar("Result")
# Of a training: seconds since it began, and the score, of each evaluation.
Curve = Sequence[tuple[float, float]]

# A pass over the texts that is shorter than this is repeated, since its time says little.
MIN_SECONDS = 5.0
MAX_PASSES = 3
PACKAGES = ("spacy", "thinc", "torch", "scikit-learn", "numpy", "spacy-attn")


def score(
    truth: Sequence[str], predicted: Sequence[str], confidence: list[float] | None
) -> Measures:
    """Accuracy, macro-averaged F and expected calibration error, all from 0 to 1.

    Args:
        confidence: Probability of each predicted label; None of a model without probabilities.
    """
    from sklearn.metrics import accuracy_score, f1_score

    correct = [a == b for a, b in zip(truth, predicted, strict=True)]
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "macro_f": float(f1_score(truth, predicted, average="macro", zero_division=0)),
        "ece": None if confidence is None else expected_calibration_error(confidence, correct),
    }


def best_score(curve: Curve) -> float:
    return max(score for _, score in curve)


def seconds_to(curve: Curve, level: float) -> float | None:
    """How long a training took to reach a score; None if it did not."""
    return next((seconds for seconds, score in curve if score >= level), None)


def timed(predict: Callable[[], Result]) -> tuple[Result, float]:
    """RETURNS: What the first call returns; and the median seconds of a call, of at most three."""
    seconds: list[float] = []
    results = []
    while not seconds or (sum(seconds) < MIN_SECONDS and len(seconds) < MAX_PASSES):
        start = time.perf_counter()
        results.append(predict())
        seconds.append(time.perf_counter() - start)
    return results[0], statistics.median(seconds)


def count_words(texts: Sequence[str]) -> int:
    """Tokens of spaCy's English tokenizer: the same unit for every model."""
    import spacy

    return sum(len(doc) for doc in spacy.blank("en").pipe(texts))


def folder_size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def environment(threads: int) -> Measures:
    """Where and with what a model was measured."""
    return {
        "threads": threads,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
        "spacy-attn source": source_digest(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def source_digest() -> str:
    """Of the package's own Python files, whose version does not change with every commit."""
    import spacy_attn

    root = Path(spacy_attn.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
