"""What attributions are asked for: the logit of a label, or how far it is above that of another."""

from collections.abc import Sequence
from typing import TypeVar

import numpy
from numpy.typing import NDArray

Number = TypeVar("Number", bound=numpy.floating)

Contrast = tuple[str, str]
# A label; or a pair of them, of which the first is explained and not the second.
Target = str | Contrast


def column_of(label: str, labels: Sequence[str], owner: str = "the component") -> int:
    """Return the place of a label among those of its owner.

    Raises:
        ValueError: For a label that is none of them.
    """
    if label not in labels:
        raise ValueError(
            f"There is no label {label!r}; {owner} has {', '.join(map(repr, labels)) or 'none'}."
        )
    return list(labels).index(label)


def check_contrast(
    contrast: object, labels: Sequence[str], owner: str = "the component"
) -> Contrast | None:
    """Return a contrast, or None where none is asked for.

    Raises:
        ValueError: For anything but a pair of two different labels of the owner.
    """
    if contrast is None:
        return None
    if (
        not isinstance(contrast, tuple | list)
        or len(contrast) != 2
        or not all(isinstance(label, str) for label in contrast)
    ):
        raise ValueError(
            f"'contrast' must be a pair of labels, such as ('positive', 'negative'), but is "
            f"{contrast!r}."
        )
    label, other = contrast
    for each in contrast:
        column_of(each, labels, owner)
    if label == other:
        raise ValueError(
            f"A contrast of the label {label!r} with itself is 0 for every token: name another "
            f"label."
        )
    return label, other


def of_target(values: NDArray[Number], labels: Sequence[str], target: Target) -> NDArray[Number]:
    """Return the values of a target, of which those of labels are the last axis.

    A logit and its parts are linear in the weights of their label, by every method. So the values
    of a contrast are the differences of those of its labels.

    Raises:
        ValueError: For a label that is not among `labels`.
    """
    if isinstance(target, str):
        return values[..., column_of(target, labels)]
    label, other = check_contrast(target, labels) or target
    return values[..., column_of(label, labels)] - values[..., column_of(other, labels)]


def name_target(target: Target) -> str:
    """Return what a target is called where people read it."""
    return target if isinstance(target, str) else " rather than ".join(target)


def labels_of(target: Target | None) -> tuple[str, ...]:
    """Return the labels of a target."""
    if target is None:
        return ()
    return (target,) if isinstance(target, str) else target
