"""A folder in which the pages' examples can run, and what writes the lists of settings."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_attn.results.written_data import store_target

from ..conftest import make_nlp, train
from .pages import ROOT

_NAME = "make_settings"
_SPEC = importlib.util.spec_from_file_location(_NAME, ROOT / "docs" / f"{_NAME}.py")
sys.modules[_NAME] = make_settings = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_settings)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory) -> Path:
    """A folder with what examples take from a checkout, and with a small trained pipeline.

    It stands in for the one that `spacy project run all` trains, and for a student of `distill`.
    Two more stand in for those that write.
    """
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("assets", "configs"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("constraints.txt", "project.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    nlp = make_nlp()
    train(nlp)
    (folder / "training").mkdir()
    nlp.to_disk(folder / "training" / "model-best")
    nlp.to_disk(folder / "training" / "model-last")
    (folder / "training" / "distilled" / "student").mkdir(parents=True)
    nlp.to_disk(folder / "training" / "distilled" / "student" / "model-best")
    for name, other in (("lemmas", lemmatizer()), ("translate", translator())):
        (folder / "training" / name).mkdir()
        other.to_disk(folder / "training" / name / "model-best")
    return folder


def lemmatizer() -> Language:
    """A pipeline with a lemmatizer that has hardly been trained, as `run lemmas` makes one."""
    nlp = spacy.blank("pl")
    nlp.add_pipe("attn_lemmatizer")
    gold = Doc(nlp.vocab, words=["lwy", "psy"], lemmas=["lew", "pies"])
    nlp.initialize(lambda: [Example(nlp.make_doc("lwy psy"), gold)])
    return nlp


def translator() -> Language:
    """A small pipeline that hardly can translate, in place of one that `translate.cfg` makes."""
    nlp = spacy.blank("de")
    nlp.add_pipe("attn_seq2seq", config={"model": {"tok2vec": {"ngram_rows": 100}}})
    gold = nlp.make_doc("ein Hund")
    store_target(gold, "a dog a dog")
    nlp.initialize(lambda: [Example(nlp.make_doc("ein Hund"), gold)])
    return nlp


@pytest.fixture
def in_checkout(checkout, tmp_path, monkeypatch) -> Path:
    """The current folder: a fresh one that shows what `checkout` has."""
    for path in checkout.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
