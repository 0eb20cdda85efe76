"""A model that several processes train together: its gradients are added up, its weights agree."""

from collections.abc import Sequence
from zlib import crc32

import torch
from thinc.api import Model
from torch import Tensor

from .processes import add_up, add_up_tensor, all_have, n_processes, take_from_first
from .shim import TorchShim
from .weights import add_zero_gradients, parameters

# Of a table with at least so many rows, only those with a gradient are sent.
_MANY_ROWS = 1000


def add_up_gradients(model: Model, has_gathered: bool) -> bool:
    """Put the sums of the gradients over all processes in the place of a model's gradients.

    Processes add up, and do not average: losses are sums over the rows of a batch, or have been
    divided by a size of the whole batch already. A parameter has a gradient then if it had one in
    any process.

    Args:
        has_gathered: Whether there are gradients that no step has used yet.

    Returns:
        Whether there are in any process.
    """
    if n_processes() == 1:
        return has_gathered
    found = [gradient is not None for _, _, gradient in parameters(model)]
    shims = [shim for node in model.walk() for shim in node.shims if isinstance(shim, TorchShim)]
    overflown = [shim.has_overflown for shim in shims]
    flags = [total > 0 for total in add_up(has_gathered, *found, *overflown)]
    add_zero_gradients(model, flags[1 : 1 + len(found)])
    for shim, has_overflown in zip(shims, flags[1 + len(found) :], strict=True):
        shim.has_overflown = has_overflown
    _add_up_in_place([gradient for _, _, gradient in parameters(model) if gradient is not None])
    return flags[0]


def _add_up_in_place(gradients: Sequence[Tensor]) -> None:
    """Add up gradients over all processes: all of them at once, and of tables what is not zero."""
    if not gradients:
        return
    tables = [each for each in gradients if each.dim() == 2 and len(each) >= _MANY_ROWS]
    others = [each for each in gradients if not any(each is table for table in tables)]
    rows = _rows_of_any(tables)
    parts = [
        *others,
        *(table.index_select(0, own) for table, own in zip(tables, rows, strict=True)),
    ]
    joined = torch.cat([part.flatten() for part in parts])
    add_up_tensor(joined)
    sums = [
        total.view(part.shape)
        for total, part in zip(joined.split([part.numel() for part in parts]), parts, strict=True)
    ]
    for gradient, total in zip(others, sums, strict=False):
        gradient.copy_(total)
    for table, own, total in zip(tables, rows, sums[len(others) :], strict=True):
        table.index_copy_(0, own, total)


def _rows_of_any(tables: Sequence[Tensor]) -> list[Tensor]:
    """Return the numbers of the rows of each table that are not all zero in some process."""
    if not tables:
        return []
    # A row of zeros has no byte that is not 0. It takes a third of the time of comparing values.
    bytes_of_rows = (each.contiguous().view(torch.uint8) for each in tables)
    used = torch.cat([each.amax(dim=1) for each in bytes_of_rows]).to(torch.float32)
    add_up_tensor(used)
    return [own.nonzero().flatten() for own in used.split([len(table) for table in tables])]


def take_weights_from_first(model: Model) -> bool:
    """Give a model the weights that it has in the first process.

    Returns:
        Whether it has weights of the same shapes in all of them. Otherwise nothing is changed.
    """
    shapes = [(name, tuple(weights.shape)) for name, weights, _ in parameters(model)]
    if not all_have(crc32(repr(shapes).encode())):
        return False
    for _, weights, _ in parameters(model):
        take_from_first(weights)
    return True


def have_same_weights(models: Sequence[Model]) -> bool:
    """Return whether models have the same weights, to the bit, in all processes."""
    checksum = 0
    for model in models:
        for _, weights, _ in parameters(model):
            checksum = crc32(weights.contiguous().cpu().numpy().data, checksum)
    return all_have(checksum)
