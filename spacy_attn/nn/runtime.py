"""The state of torch that belongs to a thread or a process: gradients and numbers of threads."""

import contextlib
import os
from collections.abc import Iterator

import torch

_process = os.getpid()


@contextlib.contextmanager
def with_gradients() -> Iterator[None]:
    """Make tensors that can have gradients, also inside `torch.no_grad` and `inference_mode`.

    It acts on this thread alone. It is a decorator of functions, too: `@with_gradients()`.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


def keep_forked_child_to_one_thread() -> None:
    """In a process forked from the one that imported this module, have torch use one thread.

    After a process has run torch on several threads, a child forked from it hangs in its first
    parallel region, since the threads it waits for were not forked along. To be called before
    torch is.
    """
    global _process
    if _process != os.getpid():
        torch.set_num_threads(1)
        _process = os.getpid()
