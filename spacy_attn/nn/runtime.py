"""The state of torch that belongs to a thread or a process: gradients, precision and threads."""

import contextlib
import os
from collections.abc import Iterator

import torch

_process = os.getpid()
# Half of it is 0 where smaller ones are taken so.
_SMALLEST_NORMAL = torch.tensor(torch.finfo(torch.float32).smallest_normal)


@contextlib.contextmanager
def with_gradients() -> Iterator[None]:
    """Make tensors that can have gradients, also inside `torch.no_grad` and `inference_mode`.

    It acts on this thread alone. It is a decorator of functions, too: `@with_gradients()`.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextlib.contextmanager
def without_subnormals() -> Iterator[None]:
    """Take numbers too small for full precision as 0, on this thread, where the processor can.

    It computes with them many times more slowly. Gradients of attention are full of them where all
    weight is on one token.
    """
    before = bool(_SMALLEST_NORMAL / 2 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def keep_forked_child_to_one_thread() -> None:
    """Have torch use one thread in a process forked from the one that imported this module.

    After a process has run torch on several threads, a child forked from it hangs in its first
    parallel region: the threads that it waits for were not forked along. Call this before torch.
    """
    global _process
    if _process != os.getpid():
        torch.set_num_threads(1)
        _process = os.getpid()
