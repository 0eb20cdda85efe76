"""What tests of several tables use."""

import datasets
import pyarrow
import pytest

from ..conftest import MIXED_TEXTS


@pytest.fixture(scope="module")
def model(trained_nlp, tmp_path_factory):
    """The folder of a trained pipeline; tests must not change it."""
    path = tmp_path_factory.mktemp("model")
    trained_nlp.to_disk(path)
    return path


@pytest.fixture
def table():
    """Texts of all kinds of length, beside columns of other types and metadata."""
    fields = [
        pyarrow.field("id", pyarrow.int8(), metadata={"unit": "none"}),
        pyarrow.field("text", pyarrow.large_string()),
        pyarrow.field("tags", pyarrow.list_(pyarrow.dictionary(pyarrow.int8(), pyarrow.string()))),
    ]
    n = len(MIXED_TEXTS)
    columns = [list(range(n)), MIXED_TEXTS, [["a", "b"]] * n]
    return pyarrow.table(columns, schema=pyarrow.schema(fields, metadata={"made": "by hand"}))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Have `datasets` convert what it reads anew, and work in a folder of its own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
