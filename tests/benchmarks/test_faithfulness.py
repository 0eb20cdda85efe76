import json

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import faithfulness, training
from benchmarks.tables import spread

from .test_accuracy import FEW_STEPS, make_rows, write_folder

runner = CliRunner()


def run_here(task):
    task.place.parent.mkdir(parents=True, exist_ok=True)
    task.write(training.measure(task))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return the arguments of a small run: two values, two seeds, few steps, in this process."""
    monkeypatch.setattr(training, "run", run_here)
    source = write_folder(
        tmp_path / "made_up",
        train=make_rows(30),
        validation=make_rows(8, 30),
        test=make_rows(8, 38),
    )
    overrides = [f"--override={name}={value}" for name, value in FEW_STEPS.items()]
    output = f"--output={tmp_path / 'results'}"
    return [source, "--evidence=0,3", "--seeds=0,1", "--limit=5", output, *overrides]


def run(command):
    app = typer.Typer()
    app.command()(faithfulness.main)
    return runner.invoke(app, command)


@pytest.mark.slow
def test_it_compares_trainings_with_each_value_and_goes_on_where_it_was(
    command, tmp_path, monkeypatch
):
    result = run(command)
    assert result.exit_code == 0, result.output
    table = (tmp_path / "results" / "made_up.md").read_text()
    assert all(said in table for said in ("evidence = 0", "evidence = 3", "2 seeds"))
    configs = [path.read_text() for path in tmp_path.glob("results/made_up/*/config.cfg")]
    assert sorted("evidence = 3.0" in config for config in configs) == [False, False, True, True]
    reports = list(tmp_path.glob("results/made_up/*/faithfulness-*.json"))
    assert [json.loads(path.read_text())["n_docs"] for path in reports] == [5] * 4

    def refuse(*args):
        raise AssertionError("done anew")

    monkeypatch.setattr(training, "run", refuse)
    monkeypatch.setattr(faithfulness, "measure", refuse)
    assert run(command).exit_code == 0
    reports[0].unlink()
    assert isinstance(run(command).exception, AssertionError)


def test_a_value_that_is_no_number_is_refused_before_anything_is_trained(command):
    result = run([*command, "--evidence=0,much"])
    assert result.exit_code == 2
    assert "0,much" in result.output


def test_the_table_has_means_and_spreads_over_seeds():
    report = {
        "accuracy": 0.8,
        "rankings": {
            name: {"comprehensiveness": {"mean": mean}}
            for name, mean in (("attention", 0.1), ("contributions", 0.3), ("leave_one_out", 0.4))
        },
        "change_agreement": {"mean": 0.2},
        "uniform": None,
        "conicity": {"mean": 0.7},
        "seeds": {"other": {"attention_divergence": None}},
    }
    found = faithfulness.rows_of([report, {**report, "accuracy": 0.9}])
    rows = {name: spread(values, 3) for name, values in found}
    assert rows["accuracy"] == "0.850 ± 0.071"
    assert rows["comprehensiveness, leave one out"] == "0.400 ± 0.000"
    assert rows["contributions: its share of leave one out's"] == "0.750 ± 0.000"
    assert rows["same decision with equal weights"] == "-"
