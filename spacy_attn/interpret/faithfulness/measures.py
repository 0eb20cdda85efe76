"""Means over documents, with how sure they are."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy

from ...pipeline.decisions import AnyFloats

# Of the normal distribution, for an interval that holds 95 %.
_Z = 1.96


@dataclass(frozen=True)
class Estimate:
    """A mean over documents.

    Attributes:
        mean: The mean.
        margin: Half the width of its 95 % confidence interval, by the normal approximation: 1.96
            standard errors. None for a single document.
        n: The number of documents.
    """

    mean: float
    margin: float | None
    n: int

    @classmethod
    def of(cls, values: AnyFloats) -> "Estimate":
        """values: Of one document at least, shape (n,)."""
        margin = float(_Z * values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
        return cls(float(values.mean()), margin, len(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + ("" if self.margin is None else f" ± {self.margin:.3f}")


def estimate(values: Iterable[float]) -> Estimate | None:
    """The mean of the values that are numbers; None where there are none."""
    found = numpy.array(list(values), dtype=numpy.float64)
    found = found[numpy.isfinite(found)]
    return Estimate.of(found) if len(found) else None
