import pytest
import spacy
from thinc.api import Config

from spacy_attn.cli.init_config import init_config

from .test_spacy_commands import ROOT, run

TRAIN, DEV = (ROOT / f"assets/movie_reviews/{name}.parquet" for name in ("train", "validation"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Outside of a clone."""
    monkeypatch.chdir(tmp_path)


def shipped(name: str) -> Config:
    return Config().from_disk(ROOT / f"configs/{name}.cfg", interpolate=False)


def test_the_config_has_the_settings_of_the_shipped_one():
    expected = shipped("default")
    assert init_config(paths=dict(expected["paths"])) == expected


def test_the_config_for_several_labels_has_the_settings_of_the_shipped_one():
    expected, config = shipped("multilabel"), init_config(multilabel=True)
    for section in ("nlp", "components", "training", "initialize"):
        assert config[section] == expected[section]


def test_the_config_with_vectors_has_the_settings_of_the_shipped_one():
    expected = shipped("vectors")
    paths = {**expected["paths"], "vectors": "folder"}
    expected["paths"]["vectors"] = "folder"
    assert init_config(paths=paths) == expected


def test_the_config_names_the_columns_of_the_data():
    text = run(
        "attn", "init-config", "-", "--text-column", "title, body", "--label-column", "stars"
    )
    for corpus in Config().from_str(text, interpolate=False)["corpora"].values():
        assert corpus["text_column"] == ["title", "body"]
        assert corpus["label_column"] == "stars"


def test_a_config_written_elsewhere_trains_as_it_is(tmp_path):
    run("attn", "init-config", "my/train.cfg", "--train", TRAIN, "--dev", DEV, "--lang", "de")
    steps = (
        "--training.max_steps",
        "2",
        "--corpora.train.limit",
        "60",
        "--corpora.dev.limit",
        "20",
    )
    run("train", "my/train.cfg", "--output", "training", *steps)
    nlp = spacy.load(tmp_path / "training" / "model-last")
    assert nlp.lang == "de"
    assert set(nlp("fine").cats) == {"negative", "positive"}


def test_the_standard_output_gets_the_config_and_nothing_else():
    text = run("attn", "init-config", "-", "--multilabel")
    assert Config().from_str(text, interpolate=False) == init_config(multilabel=True)


def test_a_file_that_exists_is_replaced_only_when_asked(tmp_path):
    (tmp_path / "train.cfg").write_text("mine")
    assert "add --force" in run("attn", "init-config", "train.cfg", code=1)
    assert (tmp_path / "train.cfg").read_text() == "mine"
    run("attn", "init-config", "train.cfg", "--force")
    assert "attn_textcat" in (tmp_path / "train.cfg").read_text()


def test_an_unknown_language_is_named():
    assert "xyz" in run("attn", "init-config", "-", "--lang", "xyz", code=1)
