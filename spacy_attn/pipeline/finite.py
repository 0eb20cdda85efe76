"""Checks that training stays among finite numbers, and that nothing else is saved or shown."""

import math
from collections.abc import Sequence
from typing import Any

from thinc.api import Model, Optimizer, get_array_module
from thinc.types import Floats2d

from ..checks import check_not_negative, check_rate
from ..models.weights import find_spoilt_gradient, find_spoilt_weights

_REMEDY = (
    "Lower the optimizer's 'learn_rate', '[training] dropout' or 'class_weights', and look for "
    "very large numbers in the word vectors."
)


def check_step(where: str, model: Model, optimizer: Optimizer) -> None:
    """Refuse a step that would spoil the weights.

    Args:
        where: The component and the number of its update, for errors.
        model: The model, with its gradients.
        optimizer: The optimizer, with its settings as their schedules have them now.

    Raises:
        ValueError: If a setting of the optimizer is out of its range, or a gradient is not finite.
    """
    settings = ("learn_rate", "L2", "grad_clip")
    check_not_negative(where, **{key: getattr(optimizer, key, None) for key in settings})
    rates = {"beta1": "b1", "beta2": "b2"}
    check_rate(where, **{key: getattr(optimizer, attr, None) for key, attr in rates.items()})
    eps = getattr(optimizer, "eps", 1.0)
    if not 0.0 < eps < math.inf:
        raise ValueError(f"{where}: 'eps' must be above 0, but is {eps}.")
    spoilt = find_spoilt_gradient(model)
    if spoilt is not None:
        raise _spoilt(where, f"the gradient of '{spoilt}'")


def check_finite(where: str, what: str, *arrays: Any) -> None:
    """Raise a ValueError if one of some arrays is not finite."""
    if not all(map(_is_finite, arrays)):
        raise _spoilt(where, what)


def check_weights(name: str, n_updates: int, model: Model) -> None:
    """Raise a ValueError if a weight is not finite, so that it is not saved."""
    spoilt = find_spoilt_weights(model)
    if spoilt is not None:
        raise ValueError(
            f"Component '{name}' is not saved: after {n_updates} updates the weights '{spoilt}' "
            f"are not finite. What was saved of it before stays as it was. {_REMEDY}"
        )


def check_logits(name: str, labels: Sequence[str], logits: Floats2d) -> None:
    """Raise a ValueError if a logit is not finite, of shape (n_docs, n_labels)."""
    if not _is_finite(logits):
        xp = get_array_module(logits)
        row, column = (int(i) for i in xp.argwhere(~xp.isfinite(logits))[0])
        raise ValueError(
            f"Component '{name}': the score of label '{labels[column]}' is not finite, for "
            f"document {row + 1} of the batch, since weights or word vectors are not. Load a model "
            f"that was saved before. If you train: {_REMEDY[0].lower()}{_REMEDY[1:]}"
        )


def _spoilt(where: str, what: str) -> ValueError:
    return ValueError(
        f"{where}: {what} is not finite, so this update is not made. What was saved before stays "
        f"as it was. {_REMEDY}"
    )


def _is_finite(values: Any) -> bool:
    return bool(get_array_module(values).isfinite(values).all())
