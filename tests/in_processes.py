"""Running a function in several processes that train together, forked from this one."""

import multiprocessing
import os
import traceback
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch.distributed as dist

from spacy_attn.models.processes import together

# Much longer than anything here takes. A test fails then, instead of waiting for ever.
SECONDS = 120


class Failure(str):
    """The traceback of what went wrong in a process."""


def run_in_processes(
    function: Callable[[], Any], n: int = 2, *, connected: bool = True
) -> list[Any]:
    """Return what a function returns in each process, or how it failed there.

    Args:
        connected: Whether to connect the processes, or else give them the environment alone.
    """
    # Where they find one another; `torchrun` has one, too.
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    pipes = [multiprocessing.Pipe(duplex=False) for _ in range(n)]
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(
            target=_run, args=(function, rank, n, store.port, connected, pipes[rank][1])
        )
        for rank in range(n)
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
        for child in children:
            child.start()
    for _, theirs in pipes:
        theirs.close()
    found = []
    for ours, _ in pipes:
        try:
            found.append(ours.recv() if ours.poll(SECONDS) else Failure("took too long"))
        except EOFError:
            found.append(Failure("ended without an answer"))
    for child in children:
        child.join(SECONDS)
        if child.is_alive():
            child.kill()
            pytest.fail("a process did not end")
    return found


def _run(function, rank, n, port, connected, connection):
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE=str(n),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        TORCHELASTIC_USE_AGENT_STORE="True",
        TORCHELASTIC_RESTART_COUNT="0",
    )
    try:
        with together() if connected else nullcontext():
            found = function()
        connection.send(found)
    except BaseException:
        connection.send(Failure(traceback.format_exc()))
    connection.close()
