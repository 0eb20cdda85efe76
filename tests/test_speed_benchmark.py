"""The benchmark of speed: what is compared, by turns, and how it is written down. Nothing timed."""

import json
from functools import cache

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.speed import __main__ as speed
from benchmarks.speed import sides
from benchmarks.speed.corpus import make_corpus
from benchmarks.speed.sides import (
    BARE,
    OURS,
    PIPELINES,
    PREDICTING,
    TOKENIZER,
    TRAINING,
    make_pipeline,
    make_prediction,
    make_single,
    make_training,
)
from benchmarks.speed.worker import Setting, Timing, Worker

SIDES = {
    "predict": [*PREDICTING, speed.LIMIT],
    "batches": [str(size) for size in speed.BATCH_SIZES],
    "single": [*PIPELINES, TOKENIZER, BARE, speed.LIMIT],
    "train": list(TRAINING),
    "processes": [
        f"{side}, {length}"
        for side in (OURS, "spacy BOW", "spacy ensemble")
        for length in ("short", "long")
    ],
}


FEW = make_corpus("short", 20)


class WorkerHere:
    """In place of a process: makes the passes here, of a vocabulary of few documents."""

    def __init__(self, side, task, threads):
        makers = {"predict": make_prediction, "train": make_training, "single": make_single}
        self.side = side
        self.make = makers[task](side, FEW)

    def prepare(self, setting):
        corpus = make_corpus(setting.length, min(setting.n_snippets, 12))
        self.run_pass = self.make(corpus, setting.batch_size, 1)

    def run(self):
        self.run_pass()
        return Timing(1.0, None, None)

    def close(self):
        pass


class MadeUpWorker:
    """Tells its turns, and the times that a test names for each round."""

    turns: list[tuple[str, str]]
    seconds: dict[str, list[float]]

    def __init__(self, side, task, threads):
        self.side = side

    def prepare(self, setting):
        self.times = iter(self.seconds.get(self.side, [1.0, 2.0, 4.0]))

    def run(self):
        self.turns.append((self.side, "run"))
        return Timing(next(self.times), None, 3_000_000)

    def close(self):
        self.turns.append((self.side, "close"))


@pytest.fixture(scope="module")
def pipelines():
    """Each pipeline is made but once."""
    with pytest.MonkeyPatch.context() as patch:
        made = cache(lambda side: make_pipeline(side, FEW))
        patch.setattr(sides, "make_pipeline", lambda side, _: made(side))
        yield


@pytest.fixture
def made_up(monkeypatch):
    monkeypatch.setattr(speed, "Worker", MadeUpWorker)
    monkeypatch.setattr(MadeUpWorker, "turns", [], raising=False)
    monkeypatch.setattr(MadeUpWorker, "seconds", {}, raising=False)
    return MadeUpWorker


def run(output, *options):
    app = typer.Typer()
    app.command()(speed.main)
    settings = ("--snippets", "12", "--training-snippets", "12", "--process-snippets", "12")
    return CliRunner().invoke(app, [*settings, "--output", str(output), *options])


def rows_of(markdown: str) -> list[dict[str, str]]:
    lines = [line.strip("| ").split("|") for line in markdown.splitlines() if line[:1] == "|"]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(["", *head[-len(row) + 1 :]], row, strict=True)) for row in rows]


@pytest.mark.parametrize("task", speed.TITLES)
def test_each_task_writes_a_table_of_all_its_sides(tmp_path, monkeypatch, pipelines, task):
    monkeypatch.setattr(speed, "Worker", WorkerHere)
    monkeypatch.setattr(speed, "BATCH_SIZES", speed.BATCH_SIZES[:2])
    done = run(tmp_path, "--threads", "1", "--rounds", "1", "--tasks", task)
    assert done.exit_code == 0, done.output
    markdown = (tmp_path / "results.md").read_text()
    assert f"## {speed.TITLES[task]}, 1 thread\n" in markdown
    expected = SIDES[task][:2] if task == "batches" else SIDES[task]
    assert [row[""] for row in rows_of(markdown)] == expected
    assert markdown in done.stdout
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["environment"]["threads"] == 1
    for part in results["results"]:
        assert part["part"] == task
        assert all(len(timings) == 1 for timings in part["rounds"].values())


def test_in_each_round_every_side_makes_one_pass(made_up):
    settings = [Setting("short", 12, 4), Setting("middle", 12, 4)]
    found = speed.measure("predict", ("a", "b", "c"), 1, 3, settings)
    rounds = [(side, "run") for side in "abc"] * 3
    assert made_up.turns == [*rounds * 2, *((side, "close") for side in "abc")]
    for measured, setting in zip(found, settings, strict=True):
        assert measured.setting == setting
        seconds = {side: [t.seconds for t in times] for side, times in measured.timings.items()}
        assert seconds == {side: [1.0, 2.0, 4.0] for side in "abc"}


def test_a_ratio_is_that_of_the_passes_of_one_round(made_up, tmp_path):
    # The ratio of the medians would be that of 4 to 2 seconds; the limit is the sum of a round.
    made_up.seconds = {OURS: [4.0, 1.0, 2.0], TOKENIZER: [1.0, 4.0, 8.0], BARE: [1.0, 1.0, 1.0]}
    options = ("--threads", "1", "--rounds", "3", "--tasks", "predict")
    assert run(tmp_path, *options).exit_code == 0
    rows = {row[""]: row for row in rows_of((tmp_path / "results.md").read_text())}
    ratios = {side: row["ours / this, short"] for side, row in rows.items()}
    assert ratios[OURS] == "1.00 (1.00 to 1.00)"
    assert ratios[TOKENIZER] == "4.00 (0.25 to 4.00)"
    assert ratios[speed.LIMIT] == "4.50 (0.50 to 5.00)"
    assert rows[OURS]["peak MB, short"] == "3"
    assert rows[speed.LIMIT]["peak MB, short"] == "-"


def test_tasks_that_there_are_not_are_refused(made_up, tmp_path):
    done = run(tmp_path, "--tasks", "predict,fly")
    assert done.exit_code == 2
    assert "no 'fly'" in " ".join(done.output.split())
    assert made_up.turns == []


def test_a_worker_times_passes_in_a_process_of_its_own():
    worker = Worker(TOKENIZER, "predict", threads=1)
    worker.prepare(Setting("short", 4, 4))
    timing = worker.run()
    assert timing.seconds > 0
    if timing.peak is not None:  # Linux
        assert timing.peak >= timing.before > 10_000_000
    # The process ends at what it cannot do, and says so.
    with pytest.raises(RuntimeError, match="the process of 'tokenizer alone' ended"):
        worker.prepare(Setting("nothing", 4, 4))
