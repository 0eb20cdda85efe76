"""Threads of torch in forked processes."""

import os

import torch

_process = os.getpid()


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
