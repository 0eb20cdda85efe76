"""The one way to run something in a process of its own, for its memory, threads and times."""

import multiprocessing
import os
import re
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

# Where numerical libraries read the number of their threads.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ChildError(RuntimeError):
    """What was to be done in the other process failed there, or the process ended."""


class Child:
    """A new process that calls functions, one after the other, and ends with this process.

    Args:
        threads: For torch and the numerical libraries.
        log: The file that its output goes to; None to share that of this process.
        subject: Makes there what all functions get as their first argument; None for nothing.
    """

    def __init__(
        self,
        threads: int = 1,
        log: Path | None = None,
        subject: Callable[[], object] | None = None,
    ) -> None:
        # A library reads them when it is imported, which the new process does while it starts.
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, threads, log, subject))
        self._process.start()
        theirs.close()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function of a module there, and wait for what it returns.

        Raises:
            ChildError: With the traceback of what went wrong there.
        """
        try:
            self._connection.send((function, arguments))
            result, problem = self._connection.recv()
        except (EOFError, ConnectionError):
            raise ChildError("the process ended before it had answered") from None
        if problem:
            raise ChildError(problem)
        return result


def _serve(
    connection: Connection,
    threads: int,
    log: Path | None,
    subject: Callable[[], object] | None,
) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if log is not None:
        with log.open("w") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
    import torch

    torch.set_num_threads(threads)
    made: list[object] = []
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            if subject and not made:
                made.append(subject())
            connection.send((function(*made, *arguments), None))
        except Exception:
            connection.send((None, traceback.format_exc()))


def _end_with_parent() -> None:
    """End this process at once when the one that started it is gone, however that was ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def peak_memory() -> int | None:
    """Return the highest resident memory of this process, in bytes; None where it is not told."""
    return _memory("self", "VmHWM")


def resident_memory(process: int) -> int | None:
    """Return the resident memory of a process, in bytes; None where it is not told."""
    return _memory(str(process), "VmRSS")


def _memory(process: str, name: str) -> int | None:
    try:
        status = Path("/proc", process, "status").read_text()
    except OSError:  # another system, or the process has ended
        return None
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else None


def reset_peak() -> None:
    """Have the highest memory of this process counted from now on, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
