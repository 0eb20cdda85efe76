"""Modules that are stored as the sizes they are made from, and their weights."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Shapes = Iterator[tuple[str, torch.Size]]


class StoredModule(nn.Module):
    """A module whose attribute `sizes` has the arguments that make another one like it."""

    sizes: dict[str, Any]

    @classmethod
    def weight_shapes(cls, **sizes: Any) -> Shapes:
        """Yield the names and shapes of the weights of a module, without taking its memory."""
        with torch.device("meta"):
            module = cls(**sizes)
        for name, weight in module.state_dict().items():
            yield name, weight.shape


def check_weights(weights: Mapping[str, Tensor], shapes: Iterable[tuple[str, torch.Size]]) -> None:
    """Compare weights with those that a module needs, before the module takes memory.

    Args:
        weights: By name.
        shapes: By name; read no further than to the first that does not fit.

    Raises:
        ValueError: If a weight is missing, is superfluous, has another shape or is not in single
            precision.
    """
    names = set()
    for name, shape in shapes:
        names.add(name)
        if name not in weights:
            raise ValueError(f"The stored sizes need a weight '{name}', but none is stored.")
        weight = weights[name]
        if weight.shape != shape:
            raise ValueError(
                f"The stored sizes need a weight '{name}' of shape {tuple(shape)}, but the stored "
                f"one has {tuple(weight.shape)}."
            )
        if weight.dtype != torch.float32:
            raise ValueError(f"The weight '{name}' must be of float32, but is of {weight.dtype}.")
    superfluous = sorted(set(weights) - names)
    if superfluous:
        raise ValueError(f"The stored sizes have no place for the weights {superfluous[:3]}.")
