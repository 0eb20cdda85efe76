"""What tests of several components in `pipeline/` use."""

import shutil

import pytest
import spacy
from spacy.language import Language

from .made_up import make_lemmatizer, make_rows


@pytest.fixture(scope="session")
def lemmatizer() -> Language:
    """A trained lemmatizer without context; tests must not change it."""
    return make_lemmatizer(make_rows(), steps=100)


# For modules that have a trained pipeline as their fixture `nlp`


@pytest.fixture(scope="module")
def saved(nlp, tmp_path_factory):
    """The folder of a trained pipeline; tests must not change it."""
    path = tmp_path_factory.mktemp("saved")
    nlp.to_disk(path)
    return path


@pytest.fixture(scope="module")
def reloaded(saved):
    return spacy.load(saved)


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(saved, tmp_path / "pipeline")
