"""The configs in configs/: every one reads the files that are named in [paths]."""

from pathlib import Path

import pytest
from spacy import util
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.cfg"))
CORPORA = ("train", "dev", "test")
# Those that read documents which are annotated already.
DOCUMENTS = ("lemmatizer",)


def build_corpora(config: Path, **overrides: str):
    """Build the readers in [corpora] but the one for pretraining."""
    corpora = util.load_config(config, overrides=overrides, interpolate=True)["corpora"]
    return util.registry.resolve({name: corpora[name] for name in CORPORA if name in corpora})


def write_documents(path: Path) -> str:
    """A .spacy file of one word, the name of the file, with its lemma."""
    DocBin(docs=[Doc(Vocab(), words=[path.stem], lemmas=[path.stem])]).to_disk(path)
    return str(path)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_reads_the_files_in_paths(config, write, nlp, tmp_path):
    paths = util.load_config(config)["paths"]
    # Columns of any of the tasks.
    columns = ("text", "label", "de", "en")
    files = {
        f"paths.{name}": write_documents(tmp_path / f"{name}.spacy")
        if config.stem in DOCUMENTS
        else write([dict.fromkeys(columns, name)], f"{name}.jsonl")
        for name in CORPORA
        if name in paths
    }
    readers = build_corpora(config, **files)
    assert {"train", "dev"} <= readers.keys()
    for name, reader in readers.items():
        assert [example.text.strip() for example in reader(nlp)] == [name]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_of_rows_describes_its_data_before_training(config):
    before = util.load_config(config, interpolate=True)["initialize"]["before_init"]
    if config.stem in DOCUMENTS:
        assert before is None
        return
    assert before["@callbacks"] == "spacy-attn.describe_data.v1"
    assert set(before["train"]) == set(before["dev"])


def test_the_config_of_the_lemmatizer_has_its_defaults():
    """Those of the other components are read off theirs by a command."""
    config = util.load_config(CONFIGS[0].with_name("lemmatizer.cfg"))
    defaults = Language.get_factory_meta("attn_lemmatizer").default_config
    trained = config["components"]["attn_lemmatizer"]
    assert {key: trained[key] for key in trained if key != "factory"} == defaults


@pytest.mark.parametrize("name", ["hub", "multilabel"])
def test_one_path_of_the_dataset_block_names_all_corpora(name, nlp, monkeypatch):
    monkeypatch.chdir(CONFIGS[0].parents[1])
    config = CONFIGS[0].with_name(f"{name}.cfg")
    readers = build_corpora(config, **{"dataset.path": "assets/movie_reviews"})
    assert {name: sum(1 for _ in readers[name](nlp)) for name in ("dev", "test")} == {
        "dev": 1000,
        "test": 1000,
    }


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_optimizer_can_be_made_before_variables_are_replaced(config):
    """As `spacy debug data` makes it."""
    training = util.load_config(config)["training"]
    optimizer = training["optimizer"]
    util.registry.resolve({"optimizer": optimizer})
    rate = optimizer["learn_rate"]
    if isinstance(rate, dict) and "total_steps" in rate:
        assert rate["total_steps"] == training["max_steps"]
