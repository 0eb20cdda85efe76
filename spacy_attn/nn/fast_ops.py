"""Small operations that torch does more slowly on a CPU: dropout, tanh and picking rows."""

from typing import Any

import numpy
import torch
from torch import Tensor


def dropout(values: Tensor, rate: float) -> Tensor:
    """Set values to 0 with a probability of `rate`, and scale up the others.

    It takes a third of the time of torch's function, which draws from a Bernoulli distribution and
    not from a uniform one. The distribution of the result is the same.
    """
    if rate == 0.0:
        return values
    return values * torch.rand_like(values).ge_(rate).mul_(1.0 / (1.0 - rate))


def tanh(values: Tensor) -> Tensor:
    """Return the hyperbolic tangent, to rounding; overwrite `values` where that can be done.

    NumPy takes a tenth of torch's time. With gradients, in other precisions and on other devices,
    torch does it.
    """
    if torch.is_grad_enabled() or values.device.type != "cpu" or values.dtype != torch.float32:
        return torch.tanh(values)
    array = values.numpy()
    numpy.tanh(array, out=array)
    return values


def gather(rows: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
    """Return what `rows.index_select(0, index)` does, for an index that can be undone.

    The gradient of `index_select` starts from zeros and adds up row by row. Picking rows instead is
    several times faster on a CPU.

    Args:
        rows: Shape (n_rows, width).
        index: Which row each row of the result is, shape (n,).
        inverse: For each row, where in the result its gradient stands, shape (n_rows,). Where a row
            comes more than once, the gradient must be 0 in all other places.

    Returns:
        Shape (n, width).
    """
    return _Gather.apply(rows, index, inverse)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        ctx.inverse = inverse
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, d_result: Tensor) -> tuple[Tensor, None, None]:
        return d_result.index_select(0, ctx.inverse), None, None


def gather_beside(
    left: Tensor,
    right: Tensor,
    indices: tuple[Tensor, Tensor],
    inverses: tuple[Tensor, Tensor],
    unread: Tensor,
) -> Tensor:
    """Return what `gather` does of two tensors, side by side, without a copy to join them.

    Args:
        left: Shape (n_rows, width), as that of `right`.
        indices: Which row of each the rows of the result have, shape (n,) each.
        inverses: As in `gather`, of each.
        unread: Rows that are not in the result, which have no gradient wherever `inverses` point.

    Returns:
        Shape (n, 2 * width).
    """
    return _GatherBeside.apply(left, right, indices, inverses, unread)


class _GatherBeside(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        left: Tensor,
        right: Tensor,
        indices: tuple[Tensor, Tensor],
        inverses: tuple[Tensor, Tensor],
        unread: Tensor,
    ) -> Tensor:
        ctx.inverses, ctx.unread = inverses, unread
        result = left.new_empty(len(indices[0]), 2 * left.shape[1])
        for rows, index, half in zip((left, right), indices, result.chunk(2, dim=1), strict=True):
            torch.index_select(rows, 0, index, out=half)
        return result

    @staticmethod
    def backward(ctx: Any, d_result: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        d_left, d_right = (
            half.index_select(0, inverse)
            for half, inverse in zip(d_result.chunk(2, dim=1), ctx.inverses, strict=True)
        )
        for d_rows in (d_left, d_right):
            d_rows.index_fill_(0, ctx.unread, 0.0)
        return d_left, d_right, None, None, None
