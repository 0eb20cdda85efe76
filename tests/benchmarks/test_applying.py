"""The benchmark of the command `apply`: what is run, and what is made of it. Nothing timed."""

import os
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import applying, speed
from benchmarks.applying import PIPE, Pass, children, first_and_last, table
from benchmarks.child import resident_memory

from ..conftest import make_nlp


class ChildHere:
    """In place of a process."""

    def __init__(self, threads):
        assert threads == 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, function, *arguments):
        return function(*arguments)


def test_both_sides_get_the_same_rows_and_count_their_words(tmp_path, monkeypatch):
    monkeypatch.setattr(applying, "make_pipeline", lambda side, texts: (make_nlp(lang="en"), None))
    monkeypatch.setattr(applying, "Child", ChildHere)
    monkeypatch.setattr(applying, "WORKERS", (1,))
    app = typer.Typer()
    app.command()(speed.main)
    options = ("--tasks", "apply", "--rows", "20", "--output", str(tmp_path))
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.output
    written = (tmp_path / "results.md").read_text()
    assert "## Many rows, `spacy attn apply`\n" in written
    lines = [[cell.strip() for cell in line.split("|")] for line in written.splitlines()]
    rows = [line[1:3] for line in lines if len(line) > 3 and line[1].startswith("`")]
    assert rows == [[PIPE, "2"], ["`apply --workers 1`", "20"]]


def test_rows_are_numbered_and_no_two_are_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(applying, "_N_SNIPPETS", 7)
    monkeypatch.setattr(applying, "_ROWS_OF_A_FILE", 10)
    applying.write_rows(tmp_path / "rows.parquet", 25)
    written = pq.read_table(tmp_path / "rows.parquet").to_pydict()
    assert written["id"] == list(range(25))
    assert len(set(written["text"])) == 25


def test_memory_is_that_of_the_first_and_the_last_tenth():
    seen = [(float(at), memory) for at, memory in enumerate([5, 7, 9, *[20] * 17, 8])]
    assert first_and_last(seen) == (9, 20)
    assert first_and_last([(0.0, 3)]) == (3, 3)
    assert first_and_last([]) == first_and_last([(0.0, 0)]) == (None, None)


def test_ratios_are_of_words_a_second():
    passes = [
        Pass(PIPE, 100, 1000, 1.0),
        Pass("`apply --workers 1`", 500, 5000, 5.5, 200_000_000, 210_000_000),
        Pass("`apply --workers 2`", 500, 5000, 2.75),
    ]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(passes).splitlines()]
    assert rows[2:] == [
        [PIPE, "100", "1", "1.0", "1.00", "-", "-", "-", "-"],
        ["`apply --workers 1`", "500", "6", "0.9", "0.91", "1.00", "200", "210", "1.05"],
        ["`apply --workers 2`", "500", "3", "1.8", "1.82", "2.00", "-", "-", "-"],
    ]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux")
def test_children_of_a_process_and_their_memory_are_found():
    code = "print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        assert process.pid in children(os.getpid())
        assert resident_memory(process.pid) > 1_000_000
        process.communicate("\n")
    assert process.pid not in children(os.getpid())
    assert resident_memory(process.pid) is None


@pytest.mark.skipif(shutil.which("false") is None, reason="needs a program that fails")
def test_a_command_that_fails_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RuntimeError, match="ended with status 1"):
        applying.apply(tmp_path, 3, 1)
