"""The benchmark of translation: its data, its config, its scores and its table."""

import json

import pandas as pd
import pytest

from benchmarks import training
from benchmarks.searches import COLUMNS
from benchmarks.training import Settings
from benchmarks.translation import MODEL, NAME, TRANSLATION, TranslationTask, prepare
from spacy_attn.data.errors import DatasetError

PAIRS = {
    "train": [("ein Hund", "a dog"), ("eine Katze", "a cat")],
    "validation": [("ein Hund", "a dog")],
    "test": [("zwei Hunde", "two dogs")],
}
SEARCHES = TRANSLATION.searches
SMALL = {
    "initialize.after_init.epochs": 2,
    "training.eval_frequency": 1,
    f"components.{NAME}.model.hidden_width": 8,
    f"components.{NAME}.min_frequency": 1,
}


def write_folder(folder, *splits):
    folder.mkdir(exist_ok=True)
    for split in splits:
        pd.DataFrame(PAIRS[split], columns=["de", "en"]).to_parquet(folder / f"{split}.parquet")
    return str(folder)


@pytest.fixture
def source(tmp_path):
    return write_folder(tmp_path / "tiny", *PAIRS)


@pytest.fixture
def data(source, tmp_path):
    return prepare(source, tmp_path / "out", ("de", "en"))


def test_the_data_say_what_is_scored_and_how_many_sources_were_trained_on(source, data, tmp_path):
    test = prepare(source, tmp_path / "out", ("de", "en"), "test")
    assert (data.name, data.counts) == ("tiny-de-en", {"train": 2, "validation": 1})
    assert (data.n_repeated, test.n_repeated) == (1, 0)
    assert test.counts["test"] == 1
    rows = pd.read_parquet(test.folder / "test.parquet")
    assert rows.to_numpy().tolist() == [["zwei Hunde", "two dogs"]]
    turned = prepare(source, tmp_path / "out", ("en", "de"))
    assert pd.read_parquet(turned.folder / "train.parquet")["source"].tolist() == ["a dog", "a cat"]


def test_a_missing_split_is_named(tmp_path):
    folder = write_folder(tmp_path / "train_only", "train")
    with pytest.raises(DatasetError, match="no validation split"):
        prepare(folder, tmp_path / "out", ("de", "en"))


def test_the_config_is_that_of_the_project_and_cannot_see_the_scored_test_split(source, tmp_path):
    data = prepare(source, tmp_path / "out", ("de", "en"), "test")
    config = TranslationTask(data, MODEL, 7, Settings(tmp_path)).config(data.folder)
    assert config["training"]["seed"] == 7
    assert config["components"][NAME]["target_lang"] == "en"
    assert "test.parquet" not in config.to_str()
    assert "validation.parquet" in config.to_str()


def test_what_was_measured_is_not_measured_again(data, tmp_path, monkeypatch):
    done = []

    def run(task):
        done.append(task.seed)
        task.place.parent.mkdir(parents=True, exist_ok=True)
        scores = {"bleu": 0.4, "bleu_13a": 0.38, "chrf": 0.6, "words_per_second": 1000.0}
        measures = {"cpu_seconds": 60.0, "bytes": 1e6, **dict.fromkeys(SEARCHES, scores)}
        task.write({**measures, "environment": {"threads": 1}})

    monkeypatch.setattr(training, "run", run)
    output = tmp_path / "out"
    tasks = [TranslationTask(data, MODEL, seed, Settings(output)) for seed in (0, 1)]
    for _ in range(2):
        TRANSLATION.run(tasks, output, "What was done.")
    assert done == [0, 1]
    assert "| greedy" in (tmp_path / "out/results.md").read_text()
    rows = json.loads((tmp_path / "out/results.json").read_text())
    assert [row["greedy.bleu"] for row in rows] == [0.4, 0.4]


def test_the_table_shows_a_row_for_each_search_with_means_over_the_seeds():
    runs = [
        {"cpu_seconds": 600, "bytes": 2e6}
        | {f"{name}.{score}": x for name in SEARCHES for score in ("bleu_13a", "chrf")}
        | {f"{name}.words_per_second": 5000 for name in SEARCHES}
        | {"greedy.bleu": x, "beam of 5.bleu": x + 0.02}
        for x in (0.36, 0.38)
    ]
    columns = [*COLUMNS, *runs[0]]
    lines = TRANSLATION.table(
        pd.DataFrame(runs, columns=list(dict.fromkeys(columns)))
    ).splitlines()[2:]
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[:2] for row in found] == [["greedy", "37.0 ± 1.4"], ["beam of 5", "39.0 ± 1.4"]]
    assert found[0][4:] == ["5,000", "10", "2"]


@pytest.mark.slow
def test_a_pipeline_is_trained_and_scored_with_each_search(data, tmp_path):
    result = TranslationTask(data, MODEL, 0, Settings(tmp_path, (0,), SMALL)).act(tmp_path)
    for name in SEARCHES:
        assert result[name]["words_per_second"] > 0
        assert result[name]["examples"][0][0] == "ein Hund"
    assert result["cpu_seconds"] > 0
