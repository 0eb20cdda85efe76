"""The benchmark of training in several processes. Nothing here is timed."""

import os

import numpy
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import parallel
from benchmarks.parallel import WAYS, Trainer, Way
from spacy_attn.models.weights import parameters

from ..in_processes import Failure, run_in_processes


class MadeUpProcesses:
    """Tells its turns, and the seconds that a test names."""

    turns: list[tuple[Way, str]]
    seconds = (0.4, 0.1), (0.2, 0.2), (0.1, 0.05)

    def __init__(self, way):
        self.way = way

    def call(self, function, *arguments):
        self.turns.append((self.way, function.__name__))
        if function is Trainer.prepare:
            self.left = iter(self.seconds[WAYS.index(self.way)])
            return None
        return next(self.left)

    def close(self):
        self.turns.append((self.way, "close"))


@pytest.fixture
def made_up(monkeypatch):
    monkeypatch.setattr(parallel, "Processes", MadeUpProcesses)
    monkeypatch.setattr(MadeUpProcesses, "turns", [], raising=False)
    return MadeUpProcesses


def test_the_ways_take_turns_and_end(made_up):
    parallel.measure(["long"], rounds=2, steps=3)
    names = ["prepare", "run", "run", "close"]
    assert made_up.turns == [
        *((way, name) for name in names[:3] for way in WAYS),
        *((way, "close") for way in reversed(WAYS)),
    ]


def test_a_ratio_is_that_of_the_passes_of_one_round(made_up):
    app = typer.Typer()
    app.command()(parallel.main)
    done = CliRunner().invoke(app, ["--rounds", "2", "--lengths", "long"])
    assert done.exit_code == 0, done.output
    cells = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines()[2:]]
    assert [(row[2], row[4]) for row in cells] == [
        ("1 process, 1 thread", "1.00 (1.00 to 1.00)"),
        ("1 process, 2 threads", "1.25 (0.50 to 2.00)"),
        ("2 processes, 1 thread each", "3.00 (2.00 to 4.00)"),
    ]
    assert cells[2][3] == "75 (50 to 100)"


@pytest.mark.filterwarnings("ignore:The first batch has fewer")
def test_two_processes_make_the_steps_of_a_training():
    def train():
        trainer = Trainer(int(os.environ["RANK"]), 2, int(os.environ["MASTER_PORT"]), 40)
        before = weights_of(trainer)
        trainer.prepare("short", 2)
        assert trainer.run() > 0
        trainer._open.close()
        return before, weights_of(trainer)

    found = run_in_processes(train, connected=False)
    for each in found:
        assert not isinstance(each, Failure), each
    (before, after), (_, other) = found
    numpy.testing.assert_array_equal(after, other)
    assert (before != after).any()


def weights_of(trainer):
    model = trainer.component.model
    return numpy.concatenate([weights.numpy().ravel() for _, weights, _ in parameters(model)])
