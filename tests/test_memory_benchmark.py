"""The benchmark of memory: what is measured, and how it is shown."""

import json
import operator
import subprocess
import sys
from types import SimpleNamespace

import pytest
from spacy import util
from typer.testing import CliRunner

from benchmarks import memory
from benchmarks.speed.corpus import ROOT, make_corpus
from benchmarks.speed.worker import resident_memory

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")


@pytest.fixture
def small(monkeypatch):
    """One pipeline, with the vocabulary of few documents."""
    corpus = make_corpus("short", 20)
    made = memory.make_pipeline(memory.OURS, corpus)
    monkeypatch.setattr(memory, "TRAINING", corpus)
    monkeypatch.setattr(memory, "make_pipeline", lambda *_: made)


@pytest.fixture
def calls(monkeypatch, small):
    """The functions that were measured: here, with made-up results."""
    made = []

    def peak_of(function, *arguments):
        function(*arguments)
        made.append((function.__name__, *arguments))
        return 1_000_000 * len(made)

    monkeypatch.setattr(memory, "peak_of", peak_of)
    return made


def run(*arguments) -> list[list[str]]:
    """RETURNS: The cells of the table that a command prints."""
    done = CliRunner().invoke(memory.app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_predict_shows_each_way_to_read_documents_with_and_without_new_words(calls):
    head, _, *rows = run("predict", "--documents", "2,3")
    assert head == ["MB", "new words", "2 documents", "3 documents", "last / first"]
    names = ["tokenize", "pipe", "pipe_in_memory_zone"]
    assert calls == [(name, n, new) for new in (False, True) for name in names for n in (2, 3)]
    assert [row[:2] for row in rows] == [
        [name.replace("_", " "), new] for new in ("none", "one a document") for name in names
    ]
    assert rows[0][2:] == ["1", "2", "2.00"]
    assert rows[-1][2:4] == ["11", "12"]


@pytest.mark.parametrize("new_words", [False, True])
def test_all_ways_read_the_same_documents(monkeypatch, small, new_words):
    n_docs, read = 2100, []
    nlp, _ = memory.make_pipeline()
    tokenizer = nlp.tokenizer
    nlp.tokenizer = lambda text: read.append(text) or tokenizer("short")
    for function in (memory.tokenize, memory.pipe, memory.pipe_in_memory_zone):
        read.clear()
        function(n_docs, new_words)
        assert read == list(memory.texts(n_docs, new_words=new_words))
    assert len(set(read)) == (n_docs if new_words else 20)


def test_long_shows_prediction_and_training_with_and_without_the_document(calls):
    head, _, *rows = run("long", "--tokens", 50)
    assert head == ["MB", "without it", "one document of 50 tokens"]
    assert rows == [["prediction", "1", "2"], ["training", "3", "4"]]
    assert calls == [(f"{name}_long", n) for name in ("predict", "train") for n in (0, 50)]


def test_train_shows_the_highest_memory_of_each_tenth(monkeypatch):
    seen = [1_000_000 * i for i in range(1, 21)]
    monkeypatch.setattr(memory, "run_training", lambda *_: seen)
    head, _, *rows = run("train")
    assert head == ["tenth of the training", "highest MB"]
    assert rows == [[str(i + 1), str(2 * i + 2)] for i in range(10)]


def test_training_streams_a_file_and_memory_is_read_from_its_first_step_on(monkeypatch, tmp_path):
    commands = []

    class Process:
        """In place of `spacy train`: its first row comes after a while."""

        pid, returncode, polls = 1, 0, 0

        def __init__(self, command, stdout, stderr):
            commands.append(command)
            self.stdout = stdout

        def poll(self):
            self.polls += 1
            if self.polls == 3:
                self.stdout.write("E    #\n---  ---\n  0     0  1.0\n")
                self.stdout.flush()
            return None if self.polls < 6 else 0

    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(memory.time, "sleep", lambda _: None)
    monkeypatch.setattr(memory, "resident_memory", lambda *_: 7)
    assert memory.run_training(tmp_path, 64, True, 0.0) == [7, 7, 7]
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert len({row["text"] for row in rows}) == 64
    assert {row["label"] for row in rows} == {"positive", "negative"}
    _, _, _, name, config, *options = commands[0]
    assert name == "train"
    overrides = dict(zip((x.removeprefix("--") for x in options[::2]), options[1::2], strict=True))
    assert overrides["training.max_steps"] == "2"
    # Each of them is a setting of the config.
    assert util.load_config(config, overrides=overrides)["paths"]["train"]
    assert config == str(ROOT / "configs" / "default.cfg")


def test_the_peak_is_that_of_another_process():
    found: list[int] = []
    memory._call(SimpleNamespace(put=found.append), operator.mul, (b"x", 100_000_000))
    assert found == [resident_memory("VmHWM")]
    assert memory.peak_of(operator.add, 1, 1) not in (0, *found)
