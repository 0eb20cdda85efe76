"""What is stored in the `cfg` of a text categorizer, and what must hold of it."""

from collections import Counter
from collections.abc import Mapping
from math import isfinite
from typing import Any

# What the `cfg` of the first models lacks.
OF_BEFORE = {"temperature": 1.0, "balanced_weights": None}
# What users may change by hand: the weights do not depend on it.
EDITABLE = ("threshold", "positive_label")


def check_cfg(cfg: Mapping[str, Any]) -> None:
    """Raise a ValueError for a value with which the component could not predict."""
    labels, positive, weights = cfg["labels"], cfg.get("positive_label"), cfg["balanced_weights"]
    temperature, threshold = cfg["temperature"], cfg["threshold"]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"'labels' must be a list of texts, but is {labels!r:.100}")
    repeated = [label for label, count in Counter(labels).items() if count > 1]
    if repeated:
        raise ValueError(f"'labels' names {repeated} more than once")
    if positive is not None and positive not in labels:
        raise ValueError(f"'positive_label' must be one of {labels}, but is {positive!r}")
    if not (_is_number(temperature) and temperature > 0):
        raise ValueError(f"'temperature' must be a number above 0, but is {temperature!r:.50}")
    if not (_is_number(threshold) and 0 <= threshold <= 1):
        raise ValueError(f"'threshold' must be from 0 to 1, but is {threshold!r:.50}")
    if weights is not None and not (
        isinstance(weights, dict)
        and set(weights) <= set(labels)
        and all(_is_number(weight) and weight >= 0 for weight in weights.values())
    ):
        raise ValueError(
            f"'balanced_weights' must have numbers of at least 0 by label, but is {weights!r:.100}"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
