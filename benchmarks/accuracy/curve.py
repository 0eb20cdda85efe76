"""How the score on the rows for selection goes up in the course of a training."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import spacy
from spacy.language import Language

from .measure import Measures

LOGGER = "spacy-attn-benchmarks.Curve.v1"


@spacy.registry.loggers(LOGGER)
def make_curve_logger(path: str) -> Callable[..., Any]:
    """A logger of `[training]` that writes a line of JSON for each evaluation.

    Args:
        path: Of the file, which can be read while training goes on.
    """

    def setup(nlp: Language, *streams: IO[str]) -> tuple[Callable[..., None], Callable[[], None]]:
        file = Path(path).open("w")  # noqa: SIM115 (closed by the second function returned)

        def log_step(info: dict[str, Any] | None) -> None:
            if info is not None and info["score"] is not None:
                line = {"step": info["step"], "score": info["score"], "clock": time.perf_counter()}
                file.write(json.dumps(line) + "\n")
                file.flush()

        return log_step, file.close

    return setup


def read_curve(path: Path, start: float) -> Measures:
    """RETURNS: The last step that was evaluated, the one whose model was kept, and the seconds and
    score of each evaluation.

    start: When training was begun, by the clock of `time.perf_counter`.
    """
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    best = max(line["score"] for line in lines)
    return {
        "steps": lines[-1]["step"],
        # Of several as good, the training loop keeps the last.
        "best_step": [line["step"] for line in lines if line["score"] == best][-1],
        "curve": [[line["clock"] - start, line["score"]] for line in lines],
    }
