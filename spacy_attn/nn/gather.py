"""Rows in another order, with a backward pass that gathers, too."""

from typing import Any

import torch
from torch import Tensor


def gather(rows: Tensor, index: Tensor, inverse: Tensor, unread: Tensor | None = None) -> Tensor:
    """What `rows.index_select(0, index)` returns, for an index that can be undone.

    The gradient of `index_select` is added up row by row, which takes several times longer on a CPU
    than picking rows, and starts from zeros.

    Args:
        rows: Shape (n_rows, width).
        index: Which row each row of the result is, shape (n,).
        inverse: For each row, where in the result its gradient stands, shape (n_rows,). Where a row
            comes more than once, the gradient must be 0 in all other places.
        unread: Rows that are not in the result, which have no gradient wherever `inverse` points.

    Returns:
        Shape (n, width).
    """
    return _Gather.apply(rows, index, inverse, unread)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, index: Tensor, inverse: Tensor, unread: Tensor | None
    ) -> Tensor:
        ctx.inverse, ctx.unread = inverse, unread
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, d_result: Tensor) -> tuple[Tensor, None, None, None]:
        d_rows = d_result.index_select(0, ctx.inverse)
        if ctx.unread is not None and len(ctx.unread):
            d_rows.index_fill_(0, ctx.unread, 0.0)
        return d_rows, None, None, None
