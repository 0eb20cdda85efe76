"""Results as tables."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabulate import tabulate

from .data import Prepared
from .measure import Curve, Measures, best_score, seconds_to
from .models import DEFAULT_PEER, OURS, ModelSpec, Role

NONE = "-"


@dataclass(frozen=True)
class Row:
    """A model's results on a data set, one for each seed."""

    name: str
    role: Role
    runs: list[Measures]

    def values(self, *path: str) -> list[float]:
        """A measure of all runs, without those that do not have it."""
        found: list[Any] = list(self.runs)
        for part in path:
            found = [value[part] for value in found if value.get(part) is not None]
        return found

    @property
    def curves(self) -> list[Curve]:
        return [run["curve"] for run in self.runs if "curve" in run]

    @property
    def accuracy(self) -> float:
        """Mean accuracy on the scored rows."""
        return statistics.mean(self.values("test", "accuracy"))


def make_row(spec: ModelSpec, results: Sequence[Measures]) -> Row:
    """RETURNS: The row of a model, from the results of what was trained for it."""
    runs = list(results)
    if spec.trained_as != spec.name:
        # Not trained itself, and of the size of what was.
        runs = [
            {**run["equal_weights"], "seed": run["seed"], "environment": run["environment"]}
            for run in results
        ]
    return Row(spec.name, spec.role, runs)


def best_peer(rows: Sequence[Row]) -> Row | None:
    """The peer of the best mean accuracy on the scored rows: a choice that favours the peers."""
    peers = [row for row in rows if row.role == "peer"]
    return max(peers, key=lambda row: row.accuracy, default=None)


def difference(rows: Sequence[Row]) -> float | None:
    """Our mean accuracy minus that of the best peer: negative where ours is worse."""
    ours, peer = next((row for row in rows if row.name == OURS), None), best_peer(rows)
    return None if ours is None or peer is None else ours.accuracy - peer.accuracy


def to_markdown(rows: Mapping[str, Sequence[Row]], datasets: Mapping[str, Prepared]) -> str:
    """All tables.

    Args:
        rows, datasets: By the name of the data set.
    """
    parts = ["# Accuracy", summary(rows), SUMMARY_CAPTION]
    for name, own in rows.items():
        if own:
            parts += [f"## {name}", caption(datasets[name], own), dataset_table(own)]
    return "\n\n".join([*parts, COLUMNS_CAPTION]) + "\n"


SUMMARY_CAPTION = (
    "Mean accuracy on the scored rows. The difference is that of `attn_textcat` to the best peer, "
    "in accuracy: positive where ours is better, negative where it is worse. The best peer is "
    "chosen on the scored rows themselves, which favours the peers."
)
COLUMNS_CAPTION = (
    "Spread is the standard deviation over the seeds. ECE is the expected calibration error of the "
    "predicted label's probability (15 bins of equal width). Training time is what a user waits: "
    "reading, tokenising, training and evaluation on the rows for selection; for the linear models "
    "six strengths of regularisation, of which those rows choose. Beside it, how long it took "
    "until the score on the rows for selection was the best that `spacy ensemble` reached there. "
    "Words a second are spaCy's tokens at prediction, from texts to labels, after a warm-up. Size "
    "is that on disk."
)


def summary(rows: Mapping[str, Sequence[Row]]) -> str:
    """A row for each data set, a column for each model."""
    names = list(dict.fromkeys(row.name for own in rows.values() for row in own))
    lines = []
    for dataset, own in rows.items():
        accuracies = {row.name: number(row.accuracy, 3) for row in own}
        peer = best_peer(own)
        cells = [accuracies.get(name, NONE) for name in names]
        lines.append([dataset, *cells, peer.name if peer else NONE, signed(difference(own))])
    return _table(["data set", *names, "best peer", "ours minus best peer"], lines)


def caption(data: Prepared, rows: Sequence[Row]) -> str:
    counts = data.counts
    accuracy = max(row.accuracy for row in rows)
    error = math.sqrt(accuracy * (1 - accuracy) / counts["test"])
    sentences = [
        f"{data.source}, {len(data.labels)} labels: trained on {counts['train']:,} rows, selected "
        f"on {counts['validation']:,} ({data.selection}), scored on {counts['test']:,} "
        f"({data.scored}), which gives each figure a standard error of about {error:.3f}.",
    ]
    if data.n_repeated:
        sentences.append(
            f"{data.n_repeated:,} scored texts are in the rows for training or selection, too."
        )
    environments = [run["environment"] for row in rows for run in row.runs]
    return " ".join([*sentences, *_differences(environments)])


def _differences(environments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say with how many threads the times were taken, and whether rows come from other software."""
    values = {name: {str(run.get(name)) for run in environments} for name in environments[0]}
    threads = sorted(values.pop("threads"), key=int)
    sentences = [f"Threads: {threads[0]}."]
    if len(threads) > 1:
        sentences = [f"Times cannot be compared: threads differ ({', '.join(threads)})."]
    if others := [name for name, found in values.items() if len(found) > 1]:
        sentences.append(f"Rows were measured with different {', '.join(others)}.")
    return sentences


def dataset_table(rows: Sequence[Row]) -> str:
    """A row for each model, the most accurate first."""
    level = _level(rows)
    columns: dict[str, Callable[[Row], str]] = {
        "model": lambda row: row.name,
        "accuracy": lambda row: spread(row.values("test", "accuracy"), 3),
        "each seed": lambda row: ", ".join(number(v, 3) for v in row.values("test", "accuracy")),
        "validation": lambda row: mean(row.values("validation", "accuracy"), 3),
        "macro F": lambda row: spread(row.values("test", "macro_f"), 3),
        "ECE": lambda row: mean(row.values("test", "ece"), 3),
        "training, s": lambda row: mean(row.values("train_seconds"), 1),
        "to the ensemble's score, s": lambda row: _seconds_to(row, level),
        "words/s": lambda row: mean(row.values("words_per_second"), 0),
        "size, MB": lambda row: mean([n / 1e6 for n in row.values("bytes")], 1),
    }
    ordered = sorted(rows, key=lambda row: -row.accuracy)
    return _table(list(columns), [[cell(row) for cell in columns.values()] for row in ordered])


def _level(rows: Sequence[Row]) -> float | None:
    """The mean best score of spaCy's default on the rows for selection, if it is among the rows."""
    curves = [curve for row in rows if row.name == DEFAULT_PEER for curve in row.curves]
    return statistics.mean(map(best_score, curves)) if curves else None


def _seconds_to(row: Row, level: float | None) -> str:
    """The mean time of the runs that reached a score, and how many did not."""
    if level is None or not row.curves:
        return NONE
    found = [seconds_to(curve, level) for curve in row.curves]
    reached = [seconds for seconds in found if seconds is not None]
    missed = len(found) - len(reached)
    return mean(reached, 0) + (f" ({missed} of {len(found)} never)" if missed else "")


def number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def mean(values: Sequence[float], digits: int) -> str:
    return number(statistics.mean(values), digits) if values else NONE


def spread(values: Sequence[float], digits: int) -> str:
    """Mean and standard deviation; the mean alone where there is but one."""
    if len(values) < 2:
        return mean(values, digits)
    return f"{mean(values, digits)} ± {number(statistics.stdev(values), digits)}"


def signed(value: float | None) -> str:
    return NONE if value is None else f"{value:+.3f}"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    # Figures are text already: no reading them, which would drop zeros.
    align = ["left", *["right"] * (len(header) - 1)]
    return tabulate(lines, header, tablefmt="pipe", colalign=align, disable_numparse=True)
