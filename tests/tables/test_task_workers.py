"""Tasks are done in processes. One that fails or dies is named, and the others are done."""

import os
import signal
import time
from functools import partial

import pytest

from spacy_attn.tables.task_workers import Event, HaltError, run_tasks

CACHE = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


def prepare():
    return work


def work(task, report):
    """Do what a task says."""
    name, *arguments = task
    if name == "fail":
        raise ValueError("it is wrong")
    if name == "halt":
        raise HaltError("the disk is full")
    if name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "exit":
        os._exit(3)
    if name == "odd":
        raise ZeroDivisionError("by zero")
    if name == "sleep":
        time.sleep(arguments[0])
    if name == "report":
        for n in arguments:
            report(n)
    if name == "print":
        os.write(1, arguments[0].encode())
    if name == "environment":
        return os.environ["OMP_NUM_THREADS"], os.getpid(), os.environ[CACHE]
    return f"{name} done"


def refuse(message):
    raise ValueError(message)


def run(*tasks, workers=1, prepare=prepare, **settings):
    events = run_tasks(dict(enumerate(tasks)), prepare, workers, **settings)
    return [(event.kind, event.task, event.value) for event in events if event.kind != "ready"]


def test_every_task_is_done_once_in_other_processes_with_their_own_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    events = run(*[("environment",)] * 5, workers=2, n_threads=3)
    assert {kind for kind, _, _ in events} == {"done"}
    assert sorted(task for _, task, _ in events) == [0, 1, 2, 3, 4]
    assert {value[0] for _, _, value in events} == {"3"}
    assert os.getpid() not in {value[1] for _, _, value in events}
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(("given", "expected"), [(None, "64"), ("7", "7")])
def test_workers_keep_code_for_few_shapes_of_batches_unless_told_otherwise(
    monkeypatch, given, expected
):
    monkeypatch.delenv(CACHE, raising=False)
    if given:
        monkeypatch.setenv(CACHE, given)
    ((_, _, value),) = run(("environment",))
    assert value[2] == expected
    assert os.environ.get(CACHE) == given


def test_progress_is_told_before_a_task_is_done():
    assert run(("report", 2, 3)) == [
        ("progress", 0, 2),
        ("progress", 0, 3),
        ("done", 0, "report done"),
    ]


def test_what_a_worker_prints_does_not_go_to_the_standard_output(capfd):
    run(("print", "by the way"))
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "by the way")


def test_what_fails_is_named_and_the_others_are_done(capfd):
    events = run(("fail",), ("die",), ("a",), ("odd",), ("exit",), ("b",))
    assert events == [
        ("failed", 0, "it is wrong"),
        (
            "failed",
            1,
            "the process that was at it was ended by SIGKILL; the system may have been short of "
            "memory",
        ),
        ("done", 2, "a done"),
        ("failed", 3, "ZeroDivisionError: by zero"),
        ("failed", 4, "the process that was at it ended with status 3"),
        ("done", 5, "b done"),
    ]
    # Where it happened is shown of what nobody has foreseen.
    assert capfd.readouterr().err.count("Traceback") == 1


def test_nothing_is_begun_after_a_task_that_none_could_be_done_after():
    events = run(("sleep", 1), ("halt",), ("a",), ("b",), workers=2)
    assert sorted(events) == [("done", 0, "sleep done"), ("failed", 1, "the disk is full")]


def test_nothing_is_begun_when_workers_die_one_after_the_other():
    events = run(*[("exit",)] * 5)
    assert [(kind, task) for kind, task, _ in events] == [("failed", i) for i in range(3)]


@pytest.mark.parametrize(
    ("broken", "message"),
    [(partial(refuse, "no such model"), "no such model"), (partial(os._exit, 4), "with status 4")],
)
def test_workers_that_cannot_begin_are_an_error_and_not_tried_for_ever(broken, message):
    events = run(("a",), ("b",), prepare=broken)
    assert {(kind, task) for kind, task, _ in events} == {("no worker", None)}
    assert len(events) <= 3
    assert all(value.endswith(message) for _, _, value in events)


def test_ending_the_iteration_ends_the_processes():
    events = run_tasks({0: ("environment",), 1: ("sleep", 60)}, prepare, 1)
    assert next(events) == Event("ready", None, None)
    process = next(events).value[1]
    started = time.monotonic()
    events.close()
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_no_process_is_started_without_a_task():
    assert run() == []
