"""The benchmark of speed: what is compared, by turns, and how it is written down. Nothing timed."""

import json
import os
from functools import cache, partial

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import sides, speed
from benchmarks.child import Child, ChildError, peak_memory
from benchmarks.models import MODELS, OURS
from benchmarks.sides import TOKENIZER, Setting, Side, Timing


def end(_side):
    os._exit(1)


class ChildHere:
    """In place of a process: makes the passes here, of pipelines that know few words."""

    def __init__(self, threads, subject):
        self.side = Side(*subject.args, n_snippets=20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, function, *arguments):
        return function(self.side, *arguments)


class MadeUpChild(ChildHere):
    """Tells its turns, and the times that a test names for each round."""

    turns: list[tuple[str, str]]
    seconds: dict[str, list[float]]

    def __init__(self, threads, subject):
        self.name = subject.args[0]

    def __exit__(self, *_):
        self.turns.append((self.name, "close"))

    def call(self, function, *arguments):
        if function is Side.prepare:
            self.times = iter(self.seconds.get(self.name, [1.0, 2.0, 4.0]))
            return None
        self.turns.append((self.name, "run"))
        return Timing(next(self.times), 3_000_000)


@pytest.fixture(scope="module")
def pipelines():
    """Each pipeline is made but once."""
    with pytest.MonkeyPatch.context() as patch:
        make = sides.make_pipeline
        made = cache(lambda side: make(side, sides.make_texts("short", 20)))
        patch.setattr(sides, "make_pipeline", lambda side, _: made(side))
        yield


@pytest.fixture
def made_up(monkeypatch):
    monkeypatch.setattr(speed, "Child", MadeUpChild)
    monkeypatch.setattr(MadeUpChild, "turns", [], raising=False)
    monkeypatch.setattr(MadeUpChild, "seconds", {}, raising=False)
    return MadeUpChild


def run(output, *options):
    app = typer.Typer()
    app.command()(speed.main)
    settings = ("--snippets", "12", "--training-snippets", "12")
    return CliRunner().invoke(app, [*settings, "--output", str(output), *options])


def rows_of(markdown: str) -> list[dict[str, str]]:
    lines = [line.strip("| ").split("|") for line in markdown.splitlines() if line[:1] == "|"]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def titles(names) -> list[str]:
    return [MODELS[name].title if name in MODELS else name for name in names]


@pytest.mark.parametrize("task", speed.SIDES)
def test_each_task_writes_a_table_of_all_its_sides(tmp_path, monkeypatch, pipelines, task):
    monkeypatch.setattr(speed, "Child", ChildHere)
    monkeypatch.setattr(speed, "BATCH_SIZES", speed.BATCH_SIZES[:2])
    done = run(tmp_path, "--threads", "1", "--rounds", "1", "--tasks", task)
    assert done.exit_code == 0, done.output
    markdown = (tmp_path / "results.md").read_text()
    assert f"## {speed.TITLES[task]}, 1 thread\n" in markdown
    assert markdown in done.stdout
    with_limit = [speed.LIMIT] if TOKENIZER in speed.SIDES[task] else []
    expected = [*titles(speed.SIDES[task]), *with_limit]
    rows = rows_of(markdown)
    assert [row["side"] for row in rows[: len(expected)]] == expected
    n_settings = {"predict": 3, "batches": 2, "single": 1, "train": 3}[task]
    assert len(rows) == n_settings * len(expected)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["environment"]["threads"] == 1
    assert {part["part"] for part in results["passes"]} == {task}
    assert len(results["passes"]) == n_settings * len(speed.SIDES[task])


def test_in_each_round_every_side_makes_one_pass(made_up, monkeypatch):
    monkeypatch.setitem(speed.SIDES, "train", ("a", "b", "c"))
    settings = [Setting("short", 12, 4), Setting("middle", 12, 4)]
    found = speed.measure("train", 1, 3, settings)
    rounds = [(side, "run") for side in "abc"] * 3
    assert made_up.turns[:-3] == rounds * 2
    assert set(made_up.turns[-3:]) == {(side, "close") for side in "abc"}
    for setting in settings:
        own = found[found["length"] == setting.length]
        seconds = {side: rows["seconds"].tolist() for side, rows in own.groupby("side")}
        assert seconds == {side: [1.0, 2.0, 4.0] for side in "abc"}


def test_a_ratio_is_that_of_the_passes_of_one_round(made_up, tmp_path):
    # The ratio of the medians would be that of 4 to 2 seconds; the limit is the sum of a round.
    made_up.seconds = {
        OURS: [4.0, 1.0, 2.0],
        TOKENIZER: [1.0, 4.0, 8.0],
        sides.BARE: [1.0, 1.0, 1.0],
    }
    options = ("--threads", "1", "--rounds", "3", "--tasks", "predict")
    assert run(tmp_path, *options).exit_code == 0
    rows = rows_of((tmp_path / "results.md").read_text())
    short = {row["side"]: row for row in rows if row["documents"] == "short"}
    ratios = {side: row["attn_textcat / this"] for side, row in short.items()}
    assert ratios[OURS] == "1.00 (1.00 to 1.00)"
    assert ratios[TOKENIZER] == "4.00 (0.25 to 4.00)"
    assert ratios[speed.LIMIT] == "4.50 (0.50 to 5.00)"
    assert short[OURS]["peak MB"] == "3"
    assert short[speed.LIMIT]["peak MB"] == "-"


def test_only_the_sides_that_are_wanted_take_turns(made_up, tmp_path):
    options = ("--threads=1", "--rounds=1", "--tasks=train", "--sides=spacy textcat")
    assert run(tmp_path, *options).exit_code == 0
    assert {side for side, _ in made_up.turns} == {OURS, "spacy textcat"}


@pytest.mark.parametrize("options", [("--tasks", "predict,fly"), ("--sides", "fly")])
def test_what_there_is_not_is_refused(made_up, tmp_path, options):
    done = run(tmp_path, *options)
    assert done.exit_code == 2
    assert "no 'fly'" in " ".join(done.output.split())
    assert made_up.turns == []


def test_a_side_makes_its_passes_in_a_process_of_its_own():
    with Child(threads=1, subject=partial(Side, TOKENIZER, "predict")) as child:
        child.call(Side.prepare, Setting("short", 4, 4))
        timing = child.call(Side.run)
        assert timing.seconds > 0
        if timing.peak is not None:  # Linux
            assert timing.peak > 10_000_000
            assert timing.peak != peak_memory()
        with pytest.raises(ChildError, match="KeyError: 'nothing'"):
            child.call(Side.prepare, Setting("nothing", 4, 4))
        with pytest.raises(ChildError, match="ended before"):
            child.call(end)
