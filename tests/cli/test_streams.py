"""What commands do where the standard streams are closed, full, narrow, or no longer read."""

import json
import os
import subprocess
import sys

import pytest
import srsly

from ..conftest import TEXTS, make_nlp

# Runs commands in forks of one process, which has imported what they need, each with the streams
# that a shell would have given it. A fork ends with a last flush of its streams, as Python does,
# and without the second that Python takes to put everything away.
DRIVER = """
import io, json, os, sys, tempfile, traceback, warnings

warnings.filterwarnings("ignore", "This process", DeprecationWarning)  # of forks among threads
import spacy_attn
from spacy import registry
from spacy.cli import app

registry.cli.get_all()
# What the commands would load in every fork anew.
import datasets, spacy

list(spacy_attn.explain(spacy.load("model"), ["fun"]))


def close(name):
    stream = getattr(sys, name)
    os.close(stream.fileno())
    setattr(sys, name, None)  # as Python does when it starts


def connect(fd):
    os.dup2(fd, sys.stdout.fileno())


def prepare(streams):
    if streams.startswith("closed"):
        close(streams.split()[1])
    elif streams == "full":
        connect(os.open("/dev/full", os.O_WRONLY))
    elif streams == "unread":
        reading, writing = os.pipe()
        os.close(reading)
        connect(writing)
    elif streams == "ascii":
        sys.stdout.reconfigure(encoding="ascii", errors="strict")


def run(streams, arguments):
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        err.seek(0), out.seek(0)
        return [status, out.read().decode(), err.read().decode()]
    connect(out.fileno())
    os.dup2(err.fileno(), 2)
    prepare(streams)
    status = 1
    try:
        app(["attn", *arguments], prog_name="python -m spacy")
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        os.write(2, b"Exception ignored")
    os._exit(status)


results = [run(*case) for case in json.loads(sys.argv[1])]
print(json.dumps(results))
"""
EXPLAIN = ("explain", "model", "rows.jsonl")
RENDER = ("render", "model", "rows.jsonl")
FAITHFULNESS = ("faithfulness", "model", "rows.jsonl", "--methods", "contributions")
REPORT = ("report", "model", "rows.jsonl", "-o", "report.html")
NO_SPACE = "No space left on device"
CLOSED = "The standard output is closed"
# The streams, the command, the exit status, and what the standard error has to say.
CASES = [
    ("closed stdin", ("explain", "model", "-"), 1, "The standard input is closed"),
    ("closed stdout", EXPLAIN, 1, CLOSED),
    ("closed stdout", RENDER, 1, CLOSED),
    ("closed stdout", FAITHFULNESS, 1, CLOSED),
    ("closed stdout", REPORT, 0, ""),
    ("closed stderr", EXPLAIN, 0, ""),
    ("full", EXPLAIN, 1, NO_SPACE),
    ("full", RENDER, 1, NO_SPACE),
    ("full", REPORT, 1, NO_SPACE),
    ("", ("render", "model", "fun", "-o", "/dev/full"), 1, NO_SPACE),
    ("unread", EXPLAIN, 1, ""),
    ("unread", REPORT, 1, ""),
    ("ascii", RENDER, 1, "ascii, has no '\\xa0'"),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    make_nlp().to_disk(folder / "model")
    rows = [{"text": text, "label": label} for text, label in TEXTS.items()]
    srsly.write_jsonl(folder / "rows.jsonl", rows)
    # What is written goes out late, at the latest when Python ends.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    run = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps([case[:2] for case in CASES])],
        cwd=folder,
        env=buffered,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.PIPE,
        timeout=300,
    )
    return json.loads(run.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks and /dev/full")
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda i: f"{CASES[i][0]} {CASES[i][1]}")
def test_a_command_ends_with_a_sentence_where_its_streams_cannot_be_used(results, number):
    _, _, expected_status, message = CASES[number]
    status, _, errors = results[number]
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
    # Messages are wrapped at the width of the terminal, and one has a title.
    words = " ".join(errors.split())
    assert errors.count("✘") == bool(message)
    assert "GPU" not in words
    assert message in words
    assert bool(words) == bool(message)
    assert status == expected_status


def test_explanations_are_printed_whatever_the_other_streams_are(results):
    for number, (_, command, status, _) in enumerate(CASES):
        if command == EXPLAIN and status == 0:
            lines = results[number][1].splitlines()
            assert [json.loads(line)["text"] for line in lines] == list(TEXTS)
