"""Gradients of tables of which a batch uses some rows."""

from thinc.api import Model
from thinc.types import Floats2d, Ints1d


def add_row_gradients(model: Model, name: str, rows: Ints1d, gradients: Floats2d) -> None:
    """Add gradients of single rows to that of a parameter, without another table of its size.

    Args:
        name: Of the parameter, shape (n_rows, width).
        rows: Which rows, shape (n,); they may repeat.
        gradients: Of each of them, shape (n, width).
    """
    if not model.has_grad(name):
        model.set_grad(name, model.ops.alloc(model.get_param(name).shape))
    if len(rows):
        model.ops.scatter_add(model.get_grad(name), rows, gradients)
