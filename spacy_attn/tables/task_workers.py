"""Processes that do numbered tasks: one that fails or dies is named, and the others go on."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

# Workers that die one after the other, without a task done in between, before no more is begun.
_DEATHS = 3
# Where numerical libraries read the number of their threads, when they are imported.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# oneDNN, which computes the LSTM, keeps code for each shape of a batch, by default for 1024 shapes.
# In a long run these took 120 MB, and saved little time.
_CACHE, _N_SHAPES = "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64"

# Does a task, and reports its progress as numbers.
Work = Callable[[Any, Callable[[int], None]], Any]


class HaltError(Exception):
    """A task cannot be done, and no other could be. Work raises it."""


@dataclass(frozen=True)
class Event:
    """What has happened.

    Attributes:
        kind: A worker is "ready"; a task makes "progress", is "done" or has "failed"; or there is
            "no worker" for anything that is left.
        task: Its number, where it is about one.
        value: The progress, what the work returned, or why it failed.
    """

    kind: Literal["ready", "progress", "done", "failed", "no worker"]
    task: int | None
    value: Any


def run_tasks(
    tasks: Mapping[int, Any], prepare: Callable[[], Work], n_workers: int, n_threads: int = 1
) -> Generator[Event, None, None]:
    """Do tasks in processes of their own, which are started anew and not forked.

    Args:
        tasks: What the work gets, by the number of the task. It is pickled.
        prepare: Called once in each process; returns the work. It is pickled, too.
        n_workers: The largest number of processes.
        n_threads: What numerical libraries read there as their number of threads.

    Yields:
        What happens, in any order. After a `HaltError`, or if no worker can be made ready, no task
        is begun any more, but those at work are finished. Ending the iteration ends the processes.
    """
    left = dict(tasks)
    workers: list[_Worker] = []
    deaths = 0
    try:
        while True:
            missing = min(n_workers - len(workers), len(left) - sum(w.is_idle for w in workers))
            workers += [_Worker(prepare, n_threads) for _ in range(missing)]
            if not workers:
                return
            for connection in wait([worker.connection for worker in workers]):
                worker = next(each for each in workers if each.connection is connection)
                event = worker.receive()
                deaths = 0 if event.kind == "done" else deaths + worker.has_died
                yield event
                if worker.is_useless or deaths >= _DEATHS:
                    left.clear()
                if worker.has_died:
                    workers.remove(worker)
                elif worker.is_idle and left:
                    number = next(iter(left))
                    worker.send(number, left.pop(number))
                elif worker.is_idle:
                    worker.end()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.end(at_once=True)


class _Worker:
    """The other end of a process."""

    def __init__(self, prepare: Callable[[], Work], n_threads: int) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, prepare)
        self._process: BaseProcess = context.Process(target=_serve, args=arguments, daemon=True)
        with _variables(n_threads):
            self._process.start()
        theirs.close()
        self._task: int | None = None
        self.has_died = self.is_useless = False

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a task, or will as soon as it is ready."""
        return self._task is None and not self.has_died

    def receive(self) -> Event:
        """Take in what the process says, or that it has died."""
        task = self._task
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            self.has_died, self._task = True, None
            return Event("no worker" if task is None else "failed", task, self._death())
        if kind not in ("ready", "progress"):
            self._task = None
        if kind in ("halt", "useless"):
            self.is_useless = True
            kind = "failed" if kind == "halt" else "no worker"
        return Event(kind, task, value)

    def send(self, number: int, task: Any) -> None:
        """Have a task done. If the process has died meanwhile, `receive` will say so."""
        self._task = number
        with suppress(OSError):
            self.connection.send(task)

    def end(self, *, at_once: bool = False) -> None:
        """End the process."""
        if at_once:
            self._process.terminate()
        self.connection.close()
        self._process.join()

    def _death(self) -> str:
        self._process.join()
        code = self._process.exitcode or 0
        if code >= 0:
            return f"the process that was at it ended with status {code}"
        name = signal.Signals(-code).name
        memory = "; the system may have been short of memory" if name == "SIGKILL" else ""
        return f"the process that was at it was ended by {name}{memory}"


def _serve(connection: Connection, prepare: Callable[[], Work]) -> None:
    """Do one task after the other, until there is no more or the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers itself
    with suppress(OSError):  # the standard output is the parent's
        os.dup2(2, 1)
    with suppress(EOFError, OSError):
        try:
            work = prepare()
        except Exception as error:
            connection.send(("useless", _reason(error)))
            return
        connection.send(("ready", None))
        while True:
            task = connection.recv()
            try:
                answer = ("done", work(task, lambda n: connection.send(("progress", n))))
            except BrokenPipeError:
                raise
            except Exception as error:
                kind = "halt" if isinstance(error, HaltError) else "failed"
                answer = (kind, _reason(error))
            connection.send(answer)


def _reason(error: Exception) -> str:
    """Say what went wrong, and show where if nobody has foreseen it."""
    if isinstance(error, (HaltError, ValueError, OSError, ImportError)):
        return str(error)
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


@contextmanager
def _variables(n_threads: int) -> Iterator[None]:
    """Set what a new process inherits, and leave this one's as they are."""
    given = {**dict.fromkeys(_THREADS, str(n_threads)), _CACHE: os.environ.get(_CACHE, _N_SHAPES)}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
