"""Measures of values and rankings in one document, and their means over documents."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from ...pipeline.decisions import AnyFloats, Bools

Values = NDArray[numpy.float64]

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
        """Average the values of one document or more, shape (n,)."""
        margin = float(_Z * values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
        return cls(float(values.mean()), margin, len(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + ("" if self.margin is None else f" ± {self.margin:.3f}")


def estimate(values: Iterable[float]) -> Estimate | None:
    """Average the values that are numbers; return None where there are none."""
    found = numpy.array(list(values), dtype=numpy.float64)
    found = found[numpy.isfinite(found)]
    return Estimate.of(found) if len(found) else None


def require_scipy() -> None:
    """Check that SciPy is installed.

    Raises:
        ImportError: If it is not.
    """
    try:
        import scipy.stats  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"The measures of faithfulness need SciPy ({error}): pip install scipy."
        ) from error


def divergence(one: AnyFloats, other: AnyFloats) -> float:
    """Return the Jensen-Shannon divergence of two distributions over the same tokens, in nats."""
    from scipy.spatial.distance import jensenshannon

    return float(numpy.nan_to_num(jensenshannon(one, other) ** 2))


def kendall_tau(one: AnyFloats, other: AnyFloats) -> float:
    """Return Kendall's tau (b) of two rankings; not a number where one of them is constant."""
    from scipy.stats import kendalltau

    if len(one) < 2:
        return float("nan")
    return float(kendalltau(one, other).statistic)


def total_variation(one: AnyFloats, other: AnyFloats, exclusive: bool) -> AnyFloats:
    """Return the total variation distance of scores: half the sum of their absolute differences.

    Where labels are independent, it is the mean of the distances of each of them.

    Args:
        one: Shape (..., n_labels).
        other: The same.
        exclusive: Whether labels exclude each other.

    Returns:
        Shape (...).
    """
    differences = numpy.abs(one - other)
    return differences.sum(axis=-1) / 2 if exclusive else differences.mean(axis=-1)


def conicity(hidden: Values) -> float:
    """Return the mean cosine between hidden states and their mean.

    It is 1 where all point in one direction, so that it does not matter which of them attention
    picks. Mohankumar et al. 2020, "Towards Transparent and Explainable Attention Models".

    Args:
        hidden: Shape (n_tokens, width), at least one token.
    """
    mean = hidden.mean(axis=0)
    norms = numpy.linalg.norm(hidden, axis=1) * numpy.linalg.norm(mean)
    return float((hidden @ mean / numpy.maximum(norms, 1e-12)).mean())


def average_precision(values: Values, relevant: Bools) -> float:
    """Return the mean, over relevant tokens, of the share of them among those ranked as high.

    Tokens of equal values stand in the order of the text.

    Args:
        values: What to rank by, highest first, shape (n_tokens,).
        relevant: Which tokens are relevant, at least one, shape (n_tokens,).
    """
    hits = relevant[numpy.argsort(-values, kind="stable")]
    precisions = numpy.cumsum(hits) / numpy.arange(1, len(hits) + 1)
    return float(precisions[hits].mean())
