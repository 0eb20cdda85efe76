"""A saved pipeline that commands may share, and the commands themselves."""

from pathlib import Path

import pytest
from spacy import registry, util

from ..conftest import make_nlp


@pytest.fixture(scope="session", autouse=True)
def commands():
    registry.cli.get_all()  # as `python -m spacy` does, for the commands of plugins


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """The folder of a pipeline; tests must not change it."""
    path = tmp_path_factory.mktemp("saved") / "model"
    make_nlp(lang="en").to_disk(path)
    return path


@pytest.fixture(scope="module")
def load_once():
    """Load each pipeline once for all commands of a module. None of them changes it."""
    loaded = {}
    load_model = util.load_model

    def load(name, **settings):
        path = Path(name).resolve()
        if path not in loaded:
            loaded[path] = load_model(name, **settings)
        return loaded[path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(util, "load_model", load)
        yield
