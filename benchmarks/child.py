"""A process for each side, which runs its passes when it is told to."""

import multiprocessing
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, NamedTuple

from .corpus import LENGTHS, make_corpus

Task = Literal["predict", "train", "single"]

# Of which the vocabulary is made.
TRAINING_SNIPPETS = 6000


class Setting(NamedTuple):
    """What a pass goes over.

    Attributes:
        length: A name of `LENGTHS`.
        n_snippets: How much text: so many snippets of about 20 tokens.
        start_method: How further processes are started, "fork" or "spawn".
    """

    length: str
    n_snippets: int
    batch_size: int
    n_process: int = 1
    start_method: str = "spawn"


class Timing(NamedTuple):
    """seconds: Of one pass. peak: Resident memory at its highest during it, in bytes; None where
    the system does not tell. before: The same before the pass."""

    seconds: float
    before: int | None
    peak: int | None


class Worker:
    """The other end of a side's process."""

    def __init__(self, side: str, task: Task, threads: int) -> None:
        self.side = side
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        with _environment(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads)):
            self._process = context.Process(target=_serve, args=(theirs, side, task, threads))
            self._process.start()
        theirs.close()

    def prepare(self, setting: Setting) -> None:
        """Make ready for passes over a setting, and run one to warm up."""
        self._ask(("prepare", setting))

    def run(self) -> Timing:
        return self._ask(("run", None))

    def close(self) -> None:
        self._connection.send(None)
        self._process.join()

    def _ask(self, message: tuple[str, Setting | None]) -> Timing:
        self._connection.send(message)
        try:
            answer = self._connection.recv()
        except EOFError:
            raise RuntimeError(f"the process of '{self.side}' ended; see above for why") from None
        return Timing(*answer)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables that a new process starts with."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def _serve(connection: Connection, side: str, task: Task, threads: int) -> None:
    import torch

    from .sides import make_prediction, make_single, make_training

    torch.set_num_threads(threads)
    makers = {"predict": make_prediction, "train": make_training, "single": make_single}
    make = makers[task](side, make_corpus(next(iter(LENGTHS)), TRAINING_SNIPPETS))
    current = None
    while message := connection.recv():
        what, setting = message
        if what == "prepare":
            corpus = make_corpus(setting.length, setting.n_snippets)
            multiprocessing.set_start_method(setting.start_method, force=True)
            current = make(corpus, setting.batch_size, setting.n_process)
        assert current is not None
        connection.send(_time(current))


def _time(run) -> Timing:  # type: ignore[no-untyped-def]
    before = _reset_peak()
    start = time.perf_counter()
    run()
    return Timing(time.perf_counter() - start, before, resident_memory("VmHWM"))


def _reset_peak() -> int | None:
    """Have the highest resident memory counted anew. RETURNS: The present one."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return resident_memory("VmRSS")


def resident_memory(name: str, process: int | str = "self") -> int | None:
    """A line of Linux's status of a process, in bytes; None where there is none.

    Args:
        name: "VmRSS", the present memory, or "VmHWM", the highest.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else None
