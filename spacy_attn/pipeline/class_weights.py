"""Weights of the labels in the loss."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy
from numpy.typing import NDArray

# None, weights that balance the classes of the training data, or weights by label.
ClassWeights = Literal["balanced"] | Mapping[str, float] | None

# Of a number in 32 bits.
_LARGEST = float(numpy.finfo(numpy.float32).max)


def check_class_weights(name: str, class_weights: ClassWeights) -> None:
    """RAISES: ValueError if the setting is of none of its forms, or a weight is below 0."""
    if class_weights is None or class_weights == "balanced":
        return
    if not isinstance(class_weights, Mapping):
        raise ValueError(
            f"Component '{name}': 'class_weights' must be null, \"balanced\" or a table of "
            f"weights by label, but is {class_weights!r}."
        )
    for label, weight in class_weights.items():
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight <= _LARGEST:
            raise ValueError(
                f"Component '{name}': the weight of label '{label}' in 'class_weights' must be a "
                f"number of at least 0, but is {weight!r}."
            )


def check_labels_of_weights(name: str, table: Mapping[str, float], labels: Sequence[str]) -> None:
    """RAISES: ValueError if a weight is given for something that is not a label."""
    unknown = [label for label in table if label not in labels]
    if unknown:
        raise ValueError(
            f"Component '{name}': 'class_weights' names {unknown}, but the labels are "
            f"{list(labels)}: correct the name, or remove it."
        )


def balance(
    name: str, labels: Sequence[str], numerators: NDArray, positives: NDArray
) -> dict[str, float]:
    """Weights in inverse proportion to how often labels apply.

    numerators, positives: Shape (n_labels,); the weights are their ratio.
    RETURNS: Weights by label: 1, with a warning, for one that never applies.
    """
    absent = [label for label, count in zip(labels, positives, strict=True) if not count]
    if absent:
        warnings.warn(
            f"Component '{name}': no training document has the labels {absent}, which "
            f'class_weights = "balanced" therefore gives the weight 1.',
            stacklevel=4,
        )
    weights = numpy.ones(len(labels))
    numpy.divide(numerators, positives, out=weights, where=positives > 0)
    return dict(zip(labels, weights.tolist(), strict=True))
