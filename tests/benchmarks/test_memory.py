"""The benchmark of memory: what is measured, and how it is shown."""

import sys

import pytest
from typer.testing import CliRunner

from benchmarks import memory
from benchmarks.child import Child, peak_memory
from benchmarks.sides import make_texts

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")


@pytest.fixture
def small(monkeypatch):
    """One pipeline, with the vocabulary of few documents."""
    texts = make_texts("short", 20)
    made = memory.make_pipeline(memory.OURS, texts)
    monkeypatch.setattr(memory, "snippets", lambda: texts)
    monkeypatch.setattr(memory, "make_pipeline", lambda *_: made)
    return made[0]


@pytest.fixture
def calls(monkeypatch, small):
    """The functions that were measured: here, with made-up results."""
    made = []

    def megabytes(function, *arguments):
        function(*arguments)
        made.append((function.__name__, *arguments))
        return float(len(made))

    monkeypatch.setattr(memory, "megabytes", megabytes)
    return made


def run(*arguments) -> list[list[str]]:
    """Return the cells of the table that a command prints."""
    done = CliRunner().invoke(memory.app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_predict_shows_each_way_to_read_documents_with_and_without_new_words(calls):
    head, _, *rows = run("predict", "--documents", "2,3")
    assert head == ["MB", "new words", "2 documents", "3 documents", "last / first"]
    names = ["tokenize", "pipe", "pipe in memory zone", "pipe, spaCy textcat (add_pipe default)"]
    assert [row[:2] for row in rows] == [
        [name, new] for new in ("none", "one a document") for name in names
    ]
    assert len(calls) == 16
    assert rows[0][2:] == ["1", "2", "2.00"]
    assert rows[-1][2:4] == ["15", "16"]


@pytest.mark.parametrize("new_words", [False, True])
def test_all_ways_read_the_same_documents(monkeypatch, small, new_words):
    n_docs, read = 2100, []
    tokenizer = small.tokenizer
    monkeypatch.setattr(small, "tokenizer", lambda text: read.append(text) or tokenizer("short"))
    for function in (memory.tokenize, memory.pipe, memory.pipe_in_memory_zone):
        read.clear()
        function(memory.OURS, n_docs, new_words)
        assert read == list(memory.texts(n_docs, new_words=new_words))
    assert len(set(read)) == (n_docs if new_words else 20)


def test_long_shows_prediction_and_training_with_and_without_the_document(calls):
    head, _, *rows = run("long", "--tokens", 50)
    assert head == ["MB", "without it", "one document of 50 tokens"]
    assert rows == [["prediction", "1", "2"], ["training", "3", "4"]]
    assert calls == [("long_document", n, training) for training in (False, True) for n in (0, 50)]


def test_rows_shows_what_each_row_takes_with_its_documents_and_without(monkeypatch):
    peaks = {(10, False): 20.0, (20, False): 20.2, (10, True): 20.0, (20, True): 20.01}
    monkeypatch.setattr(memory, "megabytes", lambda _, n, new_words, lazy: peaks[n, lazy])
    head, _, *rows = run("rows", "--documents", "10,20")
    assert head == ["MB", "10 rows", "20 rows", "KB a row"]
    assert rows == [["lazy = false", "20", "20", "20.0"], ["lazy = true", "20", "20", "1.0"]]


@pytest.mark.slow
def test_training_keeps_the_rows_of_a_file():
    with Child() as child:
        assert child.call(memory.peak_of, memory.train_kept, 64, True, True) > 50_000_000


def test_train_shows_the_highest_memory_of_each_tenth(monkeypatch):
    monkeypatch.setattr(Child, "__init__", lambda _: None)
    monkeypatch.setattr(Child, "__exit__", lambda *_: None)
    peaks = [2_000_000 * i for i in range(1, 11)]
    monkeypatch.setattr(Child, "call", lambda *_: peaks)
    head, _, *rows = run("train")
    assert head == ["tenth of the training", "highest MB"]
    assert rows == [[str(i), str(2 * i)] for i in range(1, 11)]


@pytest.mark.slow
def test_training_streams_a_file_and_its_memory_is_read_ten_times():
    with Child() as child:
        peaks = child.call(memory.train_streamed, 32 * 20, True, 0.0)
    assert len(peaks) == 10
    assert all(peak > 50_000_000 for peak in peaks)


def test_the_peak_is_that_of_another_process():
    with Child() as child:
        peak = child.call(memory.peak_of, make_texts, "short", 20)
    assert peak not in (0, None, peak_memory())
