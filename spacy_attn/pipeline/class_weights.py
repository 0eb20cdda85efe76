"""Weights of the labels in the loss."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
from thinc.api import Config

# None; weights that balance the classes of the training data; or weights by label, as a table or a
# list of pairs. A config's syntax bars some labels from a table (":", "=", "[" and others). A list
# holds all of them, with "\u0024" for "$", which a config takes for the beginning of a variable.
# The types are wide, so that it is the component that says what is wrong with a setting. The list
# stands first: pydantic 1, in older versions of spaCy, makes a dict of pairs.
ClassWeights = str | list[Any] | dict[str, Any] | None

# Of a number in 32 bits.
_LARGEST = float(numpy.finfo(numpy.float32).max)
# So many labels are named in an error.
_MOST_NAMED = 5


def check_class_weights(name: str, class_weights: ClassWeights) -> None:
    """Check the setting `class_weights` of the component with a name.

    Raises:
        ValueError: If it is of none of its forms, if a weight is out of its range, or if a config
            does not give back what was set.
    """
    if class_weights is None or class_weights == "balanced":
        return
    where = f"Component '{name}': 'class_weights'"
    if not _has_form(class_weights):
        raise ValueError(
            f'{where} must be null, "balanced", a table of weights by label, or a list such as '
            f'[["label", 2.0]], but is {class_weights!r}.'
        )
    pairs = list(_pairs(class_weights))
    for label, weight in pairs:
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight <= _LARGEST:
            hint = " A label with ':' or '=' in it needs the form of a list."
            raise ValueError(
                f"{where}: the weight of label '{label}' must be a number of at least 0, but is "
                f"{weight!r}.{hint if isinstance(weight, str) else ''}"
            )
    for label, count in Counter(label for label, _ in pairs).items():
        if count > 1:
            raise ValueError(f"{where} gives label '{label}' {count} weights: remove all but one.")
    if _survives(class_weights):
        return
    if isinstance(class_weights, Mapping):
        alone: list[Any] = [{label: weight} for label, weight in pairs]
    else:
        alone = [[pair] for pair in class_weights]
    lost = [pair for pair, one in zip(pairs, alone, strict=True) if not _survives(one)] or pairs
    listed = json.dumps([_listed(*pair) for pair in lost[:_MOST_NAMED]])
    raise ValueError(
        f"{where}: a config cannot hold {len(lost)} of the labels as they are given, such as "
        f"'{lost[0][0]}'. Give all weights as a list, with these labels written so: {listed}."
    )


def weights_by_label(class_weights: ClassWeights) -> dict[str, float]:
    """Return the weights of a table or of a list of pairs."""
    return dict(_pairs(class_weights)) if class_weights else {}


def _has_form(class_weights: Any) -> bool:
    if isinstance(class_weights, Mapping):
        return all(isinstance(label, str) for label in class_weights)
    return isinstance(class_weights, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        for pair in class_weights
    )


def _pairs(class_weights: Any) -> Iterator[tuple[str, float]]:
    if isinstance(class_weights, Mapping):
        yield from class_weights.items()
    else:
        for label, weight in class_weights:
            yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), label), weight


def _listed(label: str, weight: float) -> list[Any]:
    """Write a label and its weight without a dollar sign, as `_pairs` reads them."""
    escaped = re.sub(r"\\(?=u[0-9a-fA-F]{4})", lambda m: r"\u005c", label)
    return [escaped.replace("$", r"\u0024"), weight]


def _survives(class_weights: Any) -> bool:
    """Tell whether a config that is saved and loaded has these weights still."""
    config = Config({"component": {"class_weights": class_weights}})
    try:
        # As spaCy loads a pipeline: the config that it keeps, and what the component gets of it.
        kept = Config().from_str(config.to_str(), interpolate=False)
        found = [read["component"]["class_weights"] for read in (kept, kept.interpolate())]
    except Exception:  # several kinds, for what cannot be read
        return False
    return all(_has_form(form) and _alike(form, class_weights) for form in found)


def _alike(one: Any, other: Any) -> bool:
    """Tell whether labels and weights are the same; old versions of spaCy write ten decimals."""
    table, other_table = dict(_pairs(one)), dict(_pairs(other))
    weights, others = list(table.values()), list(other_table.values())
    return list(table) == list(other_table) and numpy.allclose(weights, others, rtol=1e-8, atol=0)
