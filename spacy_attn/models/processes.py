"""Processes that train one model together: what each of them has is added up, or agreed on.

They are those of `torch.distributed`, and do all of this at the same places. Where a process
trains alone, each function here returns what it was given.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

Value = TypeVar("Value")

# While the first process evaluates or saves, the others wait for it. How long that takes is not
# known. A process that ends closes its connections, which ends the others without a time-out.
_LONGEST_WAIT = timedelta(days=365)

# Whether this process trains together with others. Those that another program has connected to
# one another do not.
_together = False


@contextlib.contextmanager
def together(gpu: int = -1) -> Iterator[None]:
    """Train together with the processes that the variables of the environment tell of.

    Launchers such as `torchrun` set these variables.

    Args:
        gpu: The GPU that this process is going to use, which no other one may; -1 for none.

    Raises:
        ValueError: If a variable is missing, or there is no such GPU.
    """
    global _together
    n_gpus = torch.cuda.device_count()
    if gpu >= n_gpus:
        raise ValueError(
            f"A process of this machine needs GPU {gpu}, but there are {n_gpus} GPUs, counted from "
            f"0. Start at most one process for each GPU, or leave out --gpu-id."
        )
    # Numbers, and objects, always travel between CPUs.
    backend = "cpu:gloo,cuda:nccl" if gpu >= 0 else "gloo"
    dist.init_process_group(backend, timeout=_LONGEST_WAIT)
    _together = True
    try:
        yield
        # Not after an error: the others may have ended, or wait for something else.
        dist.destroy_process_group()
    finally:
        _together = False


def n_processes() -> int:
    """Return how many processes train together; 1 for a process that trains alone."""
    return dist.get_world_size() if _together else 1


def own_rank() -> int:
    """Return the number of this process among them, from 0."""
    return dist.get_rank() if _together else 0


@contextlib.contextmanager
def _naming_what_ended() -> Iterator[None]:
    """Say what it means if another process does not answer."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError(
            f"Process {own_rank()} of {n_processes()} cannot go on, since another one has ended. "
            f"Look for the error of that one; it is the cause. ({error})"
        ) from error


def add_up(*numbers: float) -> list[float]:
    """Return the sums of numbers over all processes."""
    if n_processes() == 1:
        return list(numbers)
    tensor = torch.tensor(numbers, dtype=torch.float64)
    add_up_tensor(tensor)
    return tensor.tolist()


def add_up_tensor(tensor: Tensor) -> None:
    """Put the sum over all processes in the place of a tensor, with the same bits in each."""
    if n_processes() > 1:
        with _naming_what_ended():
            dist.all_reduce(tensor)


def take_from_first(tensor: Tensor) -> None:
    """Put the values of the first process in the place of a tensor."""
    if n_processes() > 1:
        with _naming_what_ended():
            dist.broadcast(tensor, src=0)


def value_of_first(value: Value) -> Value:
    """Return what the first process has given."""
    if n_processes() == 1:
        return value
    values = [value]
    with _naming_what_ended():
        dist.broadcast_object_list(values, src=0)
    return values[0]


def values_of_all(value: Value) -> Sequence[Value]:
    """Return what each process has given, in the order of their numbers."""
    if n_processes() == 1:
        return [value]
    values: list[Value | None] = [None] * n_processes()
    with _naming_what_ended():
        dist.all_gather_object(values, value)
    return cast(list[Value], values)


def all_have(number: int) -> bool:
    """Return whether all processes have the same number."""
    if n_processes() == 1:
        return True
    ends = torch.tensor([number, -number])
    with _naming_what_ended():
        dist.all_reduce(ends, op=dist.ReduceOp.MAX)
    largest, smallest = ends.tolist()
    return largest == -smallest
