"""The benchmark of accuracy: its splits, what is trained when, and how results are shown."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
import spacy
import typer
from typer.testing import CliRunner

from benchmarks import training
from benchmarks.accuracy import (
    COLUMNS,
    PUBLISHED,
    caption,
    compare,
    dataset_table,
    difference,
    main,
    summary,
)
from benchmarks.models import (
    DEFAULT_MODELS,
    MODELS,
    SPACY_DEFAULT,
    UsageError,
    choose,
    linear_settings,
    make_linear,
)
from benchmarks.splits import EMBEDDED, hold_out_missing, prepare
from benchmarks.training import Settings, complete, plan, text_corpora
from spacy_attn.data.errors import DatasetError

WORDS = {"good": ["great", "fun", "joy", "witty"], "bad": ["dull", "long", "waste", "boring"]}
FEW_STEPS = {
    "training.max_steps": 2,
    "training.eval_frequency": 1,
    "components.attn_textcat.model.hidden_width": 8,
}


def make_rows(n: int, start: int = 0) -> pd.DataFrame:
    """Rows of alternating labels, no text twice."""
    labels = list(WORDS)
    rows = []
    for i in range(start, start + n):
        label = labels[i % 2]
        rows.append((f"number {i} is {WORDS[label][i % 4]} and {WORDS[label][i % 3]}", label))
    return pd.DataFrame(rows, columns=["text", "label"])


def write_folder(folder: Path, **splits: pd.DataFrame) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in splits.items():
        rows.to_parquet(folder / f"{name}.parquet", index=False)
    return str(folder)


@pytest.fixture
def source(tmp_path) -> str:
    return write_folder(
        tmp_path / "made_up",
        train=make_rows(40),
        validation=make_rows(10, 40),
        test=make_rows(10, 50),
    )


@pytest.fixture
def data(source, tmp_path):
    return prepare(source, tmp_path / "out")


@pytest.fixture
def trained(monkeypatch):
    """Tasks that were to be trained: here, with a made-up result."""
    tasks = []

    def run(task):
        tasks.append(task)
        scores = {"accuracy": run.accuracy, "macro_f": run.accuracy, "ece": None}
        measures = {"test": scores, "validation": scores, "words_per_second": 1.0}
        task.place.parent.mkdir(parents=True, exist_ok=True)
        task.write(
            {
                **measures,
                "train_seconds": 1.0,
                "bytes": 1,
                "equal_weights": measures,
                "environment": {"threads": 1},
            }
        )

    run.accuracy = 0.5
    run.tasks = tasks
    monkeypatch.setattr(training, "run", run)
    return run


# --- Splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [["train"], ["train", "test"], ["train", "validation"]])
def test_splits_are_disjoint_and_lose_no_row(given):
    loaded = {name: make_rows(100, 100 * i) for i, name in enumerate(given)}
    splits, _, _ = hold_out_missing(loaded)
    rows = pd.concat(splits.values())
    assert rows["text"].is_unique
    assert set(rows["text"]) == {text for rows in loaded.values() for text in rows["text"]}
    assert len(splits["validation"]) == 10


def test_without_a_test_split_the_validation_split_is_scored_and_not_selected_on():
    loaded = {"train": make_rows(100), "validation": make_rows(20, 100)}
    splits, scored, selection = hold_out_missing(loaded)
    assert splits["test"].equals(loaded["validation"])
    assert set(splits["validation"]["text"]) < set(loaded["train"]["text"])
    assert "held-out" in scored
    assert "training split" in selection


def test_the_same_rows_are_held_out_each_time(tmp_path):
    folder = write_folder(tmp_path / "train_only", train=make_rows(50))
    one, other = (prepare(folder, tmp_path / name) for name in ("one", "other"))
    assert one.fingerprint == other.fingerprint
    first, second = (pd.read_parquet(f"{x.folder}/test.parquet") for x in (one, other))
    assert first.equals(second)
    assert one.counts == {"train": 40, "validation": 5, "test": 5}


def test_scored_texts_that_were_trained_on_are_counted(tmp_path):
    folder = write_folder(
        tmp_path / "repeats",
        train=make_rows(20),
        validation=make_rows(5, 20),
        test=pd.concat([make_rows(3), make_rows(5, 25)]),
    )
    assert prepare(folder, tmp_path / "out").n_repeated == 3


def test_class_ids_get_their_names_and_withheld_labels_are_no_test_split(tmp_path):
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
    )
    for name, labels in {"train": [0, 1] * 20, "test": [-1] * 4}.items():
        columns = {"text": [f"{name} {i}" for i in range(len(labels))], "label": labels}
        table = pyarrow.table(columns, schema=features.arrow_schema)
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
    found = prepare(str(tmp_path), tmp_path / "out")
    assert found.labels == ["no", "yes"]
    assert found.counts == {"train": 32, "validation": 4, "test": 4}


@pytest.mark.parametrize("columns", [{"text_column": "words"}, {"label_column": "class"}])
def test_a_missing_column_is_named(source, tmp_path, columns):
    (name,) = columns.values()
    with pytest.raises(DatasetError, match=f"'{name}'"):
        prepare(source, tmp_path / "out", **columns)


def test_a_missing_folder_is_not_looked_for_on_the_hub(tmp_path):
    with pytest.raises(DatasetError, match="there is no such file or folder"):
        prepare(str(tmp_path / "nowhere"), tmp_path / "out")


# --- Models and configs ---------------------------------------------------------------------------


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no model 'BERT'.*'attn_textcat', 'uniform weights'"):
        choose(["BERT"], [])


def test_an_override_of_no_setting_is_refused(data, tmp_path):
    (task,) = plan(
        data, choose(["spacy BOW"], []), Settings(tmp_path, [0], {"training.max_step": 1})
    )
    with pytest.raises(UsageError, match=r"training\.max_step'"):
        task.read()


def test_no_training_config_can_see_the_scored_rows(data, tmp_path):
    for task in plan(data, MODELS.values(), Settings(tmp_path)):
        if config := task.config(data.folder):
            assert "test.parquet" not in config.to_str()
            assert "validation.parquet" in config.to_str()


def test_our_config_is_trained_as_it_is_but_for_data_and_seed(tmp_path):
    (model,) = choose(["attn_textcat"], [])
    given = model.config().interpolate()
    config = complete(model.config(), text_corpora(tmp_path, ["a"]), 7, {})
    assert config["training"]["seed"] == config["system"]["seed"] == 7
    for section in ("components", "nlp"):
        assert config[section] == given[section]
    on_other_data = model.config()
    on_other_data["corpora"] = config["corpora"]
    assert config["initialize"] == on_other_data.interpolate()["initialize"]
    changed = {
        name for name in given["training"] if given["training"][name] != config["training"][name]
    }
    assert changed == {"seed", "before_to_disk"}
    calibrated_on = config["training"]["before_to_disk"]["corpus"]["path"]
    assert calibrated_on == config["corpora"]["dev"]["path"] == str(tmp_path / "validation.parquet")


def test_a_config_keeps_the_raw_text_that_its_encoder_was_pretrained_on(tmp_path):
    model = choose([], [Path("configs/pretrain.cfg")])[-1]
    config = complete(
        model.config(), text_corpora(tmp_path, ["a"]), 0, {"paths.raw_text": "raw.jsonl"}
    )
    assert set(config["corpora"]) == {"train", "dev", "pretrain"}
    assert config["corpora"]["pretrain"]["path"] == "raw.jsonl"
    assert config["initialize"]["before_init"]["then"]["corpus"]["path"] == "raw.jsonl"


def test_configs_of_spacy_differ_in_the_model_alone():
    peers = [model.config() for model in DEFAULT_MODELS if model.name.startswith("spacy")]
    assert len({json.dumps(config["components"]["textcat"]["model"]) for config in peers}) == 5
    for config in peers:
        del config["components"]["textcat"]["model"]
        assert config == peers[0]


def test_spacys_default_is_what_add_pipe_gives():
    nlp = spacy.util.load_model_from_config(MODELS[SPACY_DEFAULT].config(), auto_fill=True)
    default = spacy.blank("en")
    default.add_pipe("textcat")
    model, given = (x.config["components"]["textcat"]["model"] for x in (nlp, default))
    assert model == given
    assert model["tok2vec"]["encode"]["width"] == 64
    assert model["tok2vec"]["encode"]["depth"] == 2


def test_a_linear_model_of_characters_knows_words_by_their_spelling():
    texts, labels = ["delightful", "delighted", "disgusting", "disgusted"], ["+", "+", "-", "-"]
    model = make_linear("TF-IDF SVC, characters", 1.0).fit(texts, labels)
    assert model.predict(["delightfully", "disgustingly"]).tolist() == ["+", "-"]
    assert linear_settings("TF-IDF SVC, characters") != linear_settings("TF-IDF SVC")


# --- What is trained ------------------------------------------------------------------------------


def test_what_was_done_is_not_done_again(data, tmp_path, trained):
    models, settings = choose(["attn_textcat", "TF-IDF SVC"], []), Settings(tmp_path, (0, 1))
    compare([data], models, settings)
    assert [task.seed for task in trained.tasks] == [0, 1, None]
    compare([data], models, settings)
    assert len(trained.tasks) == 3
    compare([data], models, replace(settings, seeds=(0, 1, 2)))
    assert [task.seed for task in trained.tasks[3:]] == [2]


def test_a_changed_config_is_trained_again_and_the_old_result_not_shown(data, tmp_path, trained):
    models, settings = choose(["spacy BOW"], []), Settings(tmp_path, (0,))
    trained.accuracy = 0.25
    compare([data], models, settings)
    trained.accuracy = 0.75
    compare([data], models, replace(settings, overrides={"training.dropout": 0.3}))
    assert len(trained.tasks) == 2
    results = (tmp_path / "results.md").read_text()
    assert "0.750" in results
    assert "0.250" not in results


def test_changed_data_are_trained_on_again(source, tmp_path, trained):
    models, settings = choose(["TF-IDF SVC"], []), Settings(tmp_path)
    compare([prepare(source, tmp_path)], models, settings)
    write_folder(Path(source), train=make_rows(42))
    compare([prepare(source, tmp_path)], models, settings)
    assert len({task.data.folder for task in trained.tasks}) == 2


def test_published_results_count_whatever_the_config_was_but_not_of_other_data(
    data, source, tmp_path, trained
):
    published = tmp_path / "published"
    models, settings = (
        choose(["spacy BOW"], []),
        Settings(published, (0,), {"training.dropout": 0.3}),
    )
    compare([data], models, settings)
    for file in (published / "made_up").glob("*.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "overrides": {}}))
    later = Settings(tmp_path / "out", (0,), published=published)
    compare([data], models, later)
    assert len(trained.tasks) == 1
    shown = (tmp_path / "out" / "results.md").read_text()
    assert "Published with an earlier config: spaCy BOW (quickstart)." in shown
    compare([data], models, replace(later, overrides={"training.dropout": 0.1}))
    write_folder(Path(source), train=make_rows(42))
    compare([prepare(source, tmp_path)], models, later)
    assert len(trained.tasks) == 3


def test_every_published_result_of_the_embedded_data_is_shown(tmp_path):
    data = prepare(str(EMBEDDED), tmp_path)
    tasks = plan(data, MODELS.values(), Settings(tmp_path, published=PUBLISHED))
    found = [result for task in tasks if (result := task.read())]
    files = [json.loads(file.read_text()) for file in (PUBLISHED / data.name).glob("*.json")]
    assert {result["key"] for result in found} == {result["key"] for result in files}
    assert {result["data"] for result in files} == {data.fingerprint}


def test_a_unit_that_fails_does_not_stop_the_others(data, tmp_path, trained, monkeypatch):
    def run(task):
        if task.model.name == "spacy BOW":
            raise RuntimeError("no memory left")
        trained(task)

    monkeypatch.setattr(training, "run", run)
    with pytest.raises(typer.Exit):
        compare([data], choose(["spacy BOW", "TF-IDF SVC"], []), Settings(tmp_path, (0,)))
    assert [task.model.name for task in trained.tasks] == ["TF-IDF SVC"]


def test_a_process_ends_when_the_one_that_started_it_is_gone():
    code = (
        "import os, time\n"
        "from benchmarks.child import Child\n"
        "if __name__ == '__main__':\n"
        "    child = Child()\n"
        "    print(child.call(os.getpid), flush=True)\n"
        "    child._connection.send((time.sleep, (120,)))\n"
        "    os._exit(0)\n"
    )
    started = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=60, check=True
    )
    process = Path("/proc", started.stdout.decode().strip())
    for _ in range(200):
        if not process.exists() or "zombie" in (process / "status").read_text():
            return
        time.sleep(0.1)
    pytest.fail("it goes on")


# --- Tables ---------------------------------------------------------------------------------------


def make_runs(accuracies: dict[str, list[float]]) -> pd.DataFrame:
    """Results of models: one for each accuracy."""
    rows = [
        {
            "model": name,
            "title": MODELS[name].title,
            "role": MODELS[name].role,
            "test.accuracy": accuracy,
            "overrides": "",
            "same config": True,
            "where.threads": 1,
            "where.torch": "1",
        }
        for name, values in accuracies.items()
        for accuracy in values
    ]
    return pd.DataFrame(rows).reindex(columns=[*COLUMNS, "where.threads", "where.torch"])


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_loss_is_shown_as_plainly_as_a_win():
    peers = {"spacy BOW": [0.7], "TF-IDF SVC": [0.9]}
    worse = make_runs({"attn_textcat": [0.8, 0.82], **peers})
    better = make_runs({"attn_textcat": [0.94, 0.96], **peers})
    *_, peer, difference = summary({"lost": worse, "won": better}).splitlines()
    assert cells(peer) == ["best peer", "TF-IDF SVC", "TF-IDF SVC"]
    assert cells(difference)[1:] == ["-0.090", "+0.050"]
    assert cells(dataset_table(worse).splitlines()[2])[0] == "TF-IDF SVC"


def test_ablations_of_ours_are_no_peers():
    runs = make_runs({"attn_textcat": [0.8], "mean pooling": [0.9], "spacy BOW": [0.7]})
    assert difference(runs) == ("spaCy BOW (quickstart)", pytest.approx(0.1))


def test_times_to_the_score_of_the_ensemble_are_those_of_the_first_evaluation_that_has_it():
    runs = make_runs({"attn_textcat": [0.8, 0.8], "spacy ensemble": [0.7]})
    runs["curve"] = [
        [(5.0, 0.5), (10.0, 0.7), (20.0, 0.8)],
        [(5.0, 0.5), (30.0, 0.75)],
        [(1.0, 0.2), (60.0, 0.7), (90.0, 0.6)],
    ]
    header, _, ours, ensemble = dataset_table(runs).splitlines()
    column = cells(header).index("to the ensemble's score, s")
    assert cells(ours)[column] == "20"
    assert cells(ensemble)[column] == "60"
    runs.at[1, "curve"] = [(5.0, 0.5)]
    assert "10 (1 of 2 never)" in dataset_table(runs)


def test_rows_with_other_threads_or_software_are_said_to_be_so(data):
    runs = make_runs({"attn_textcat": [0.8], "spacy BOW": [0.7]})
    runs["where.threads"], runs["where.torch"] = [1, 2], ["1", "2"]
    said = caption(data, runs)
    assert "threads differ (1, 2)" in said
    assert "different torch" in said


# --- With trainings -------------------------------------------------------------------------------


@pytest.mark.slow
def test_our_model_and_its_ablations_are_trained_scored_and_deleted(data, tmp_path):
    models = choose(["attn_textcat", "uniform weights", "mean pooling"], [])
    settings = Settings(tmp_path / "out", (0,), FEW_STEPS)
    compare([data], models, settings)
    ours, mean_pooling = (task.read() for task in plan(data, models, settings))
    for result in (ours, mean_pooling):
        assert result["steps"] >= result["best_step"]
        assert len(result["curve"]) == 3  # steps 0, 1 and 2
        assert 0.0 < result["curve"][-1][0] < result["train_seconds"]
        assert 0.0 <= result["test"]["ece"] <= 1.0
        assert result["bytes"] > 1000
        assert result["environment"]["threads"] == 1
    assert "equal_weights" in ours
    assert "equal_weights" not in mean_pooling
    assert not list((tmp_path / "out").rglob("model-best"))
    assert not list((tmp_path / "out").rglob("*.log"))


@pytest.mark.slow
def test_the_command_trains_in_a_process_and_writes_tables(source, tmp_path):
    output = tmp_path / "out"
    app = typer.Typer()
    app.command()(main)
    done = CliRunner().invoke(
        app, [source, "--models=TF-IDF SVC", "--threads=1", f"--output={output}"]
    )
    assert done.exit_code == 0, done.output
    assert "made_up: TF-IDF SVC: accuracy 1.000" in done.output
    assert (output / "results.md").read_text() in done.output
    (run,) = json.loads((output / "results.json").read_text())
    assert (run["dataset"], run["model"]) == ("made_up", "TF-IDF SVC")
    assert (run["test.accuracy"], run["test.macro_f"], run["test.ece"]) == (1.0, 1.0, None)
