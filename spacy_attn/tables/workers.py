"""How many threads torch uses in worker processes, and what these inherit."""

import multiprocessing
import os
import sys

import torch

from ..nn.runtime import keep_forked_child_to_one_thread

_imported_in = os.getpid()


def prepare_worker(n_threads: int) -> None:
    """In a worker process, set the number of torch's threads; elsewhere do nothing.

    A process that was forked from one that had this module keeps to one thread, whatever is asked
    for: more would wait for ever for threads that were not forked along. The user's own process is
    left alone.

    Args:
        n_threads: The number of threads. A worker may serve annotators with different ones.
    """
    keep_forked_child_to_one_thread()
    is_forked = os.getpid() != _imported_in
    if not is_forked and torch.get_num_threads() != n_threads and _is_worker():
        torch.set_num_threads(n_threads)


def _is_worker() -> bool:
    """Tell whether this process was started by multiprocessing, Ray or Spark to work for others."""
    # `datasets` starts its processes with a library that has copied multiprocessing.
    for library in (multiprocessing, sys.modules.get("multiprocess")):
        if library is not None and library.parent_process() is not None:
            return True
    # Either is imported in each of its workers before these do anything.
    if ray := sys.modules.get("ray"):
        return ray.is_initialized() and ray.get_runtime_context().worker.mode == ray.WORKER_MODE
    if spark := sys.modules.get("pyspark"):
        return spark.TaskContext.get() is not None
    return False
