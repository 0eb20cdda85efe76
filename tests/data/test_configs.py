"""The configs in configs/: every one reads the files that are named in [paths]."""

from pathlib import Path

import pytest
from spacy import util

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.cfg"))
CORPORA = ("train", "dev", "test")


def build_corpora(config: Path, **overrides: str):
    """Build the readers in [corpora] but the one for pretraining."""
    loaded = util.load_config(config, overrides=overrides, interpolate=True)
    return util.registry.resolve({name: loaded["corpora"][name] for name in CORPORA})


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_reads_the_files_in_paths(config, write, nlp):
    # Columns of any of the tasks.
    files = {
        f"paths.{name}": write(
            [{"text": name, "label": "x", "de": name, "en": name}], f"{name}.jsonl"
        )
        for name in CORPORA
    }
    readers = build_corpora(config, **files)
    assert {name: [e.text for e in read(nlp)] for name, read in readers.items()} == {
        name: [name] for name in CORPORA
    }


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_describes_its_data_before_training(config):
    before = util.load_config(config, interpolate=True)["initialize"]["before_init"]
    assert before["@callbacks"] == "spacy-attn.describe_data.v1"
    assert set(before["train"]) == set(before["dev"])


@pytest.mark.parametrize("name", ["hub", "multilabel"])
def test_one_path_of_the_dataset_block_names_all_corpora(name, nlp, monkeypatch):
    monkeypatch.chdir(CONFIGS[0].parents[1])
    config = CONFIGS[0].with_name(f"{name}.cfg")
    readers = build_corpora(config, **{"dataset.path": "assets/movie_reviews"})
    assert {name: sum(1 for _ in readers[name](nlp)) for name in ("dev", "test")} == {
        "dev": 1000,
        "test": 1000,
    }
