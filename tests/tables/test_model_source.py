import shutil

import pytest
import spacy

from spacy_attn import Annotator
from spacy_attn.tables.loaded import load_once
from spacy_attn.tables.model_source import find_source

from ..conftest import make_nlp, train


@pytest.fixture
def folder(model, tmp_path):
    """A copy of the pipeline, to be changed."""
    return shutil.copytree(model, tmp_path / "pipeline")


@pytest.fixture
def package(model, tmp_path, monkeypatch):
    """The name of an installed package with the pipeline, as `spacy package` lays it out."""
    name, site = "xx_reviews_for_a_test", tmp_path / "site"
    shutil.copytree(model, site / name / f"{name}-0.0.1")
    (site / name / f"{name}-0.0.1" / "meta.json").replace(site / name / "meta.json")
    shutil.copy(site / name / "meta.json", site / name / f"{name}-0.0.1")
    meta = spacy.util.load_meta(site / name / "meta.json")
    meta |= {"lang": "xx", "name": "reviews_for_a_test", "version": "0.0.1"}
    import srsly

    srsly.write_json(site / name / "meta.json", meta)
    (site / name / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n\n\n"
        "def load(**overrides):\n    return load_model_from_init_py(__file__, **overrides)\n"
    )
    info = site / f"{name}-0.0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n")
    monkeypatch.syspath_prepend(site)
    return name


def test_the_digest_is_that_of_the_files_wherever_they_lie(model, folder):
    one, other = find_source(model), find_source(str(folder))
    assert one.digest == other.digest
    assert (one.folder, other.folder) == (str(model), str(folder))


def test_any_change_of_a_model_changes_the_digest(folder):
    digests = {find_source(folder).digest}
    weights = folder / "attn_textcat" / "model"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    digests.add(find_source(folder).digest)
    (folder / "more").write_text("")
    digests.add(find_source(folder).digest)
    (folder / "more").rename(folder / "other")
    digests.add(find_source(folder).digest)
    assert len(digests) == 4


def test_contents_cannot_be_mistaken_for_names(tmp_path):
    for name, files in {"one": {"a": "xb", "c": ""}, "two": {"a": "x", "bc": ""}}.items():
        (tmp_path / name).mkdir()
        for file, content in {"config.cfg": "", **files}.items():
            (tmp_path / name / file).write_text(content)
    assert find_source(tmp_path / "one").digest != find_source(tmp_path / "two").digest


def test_a_pipeline_that_is_trained_on_gets_another_digest():
    nlp = make_nlp()
    before = find_source(nlp).digest
    assert find_source(nlp).digest == before
    train(nlp, steps=1)
    assert find_source(nlp).digest != before


def test_a_folder_that_has_changed_since_is_not_loaded(folder):
    load_once.cache_clear()
    annotator = Annotator(folder)
    (folder / "attn_textcat" / "cfg").write_text("{}")
    with pytest.raises(ValueError, match=r"is not the same as when .* Make the annotator anew"):
        annotator({"text": ["fun"]})
    shutil.rmtree(folder)
    with pytest.raises(OSError, match=r"no pipeline '.*pipeline' on this machine.*On a cluster"):
        annotator({"text": ["fun"]})


def test_a_folder_is_found_from_other_folders_too(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    annotator = Annotator("pipeline")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert annotator({"text": ["great fun"]})["label"] == ["positive"]


def test_an_installed_package_goes_by_its_name(package):
    source = find_source(package)
    assert (source.package, source.folder) == (package, None)
    # Python compiles the modules of the package when it loads it.
    assert Annotator(package)({"text": ["great fun"]})["label"] == ["positive"]
    assert find_source(package).digest == source.digest


@spacy.Language.factory("model_outside_for_a_test")
def make_outside(nlp, name, model: str):
    return lambda doc: doc


@pytest.mark.parametrize("in_memory", [True, False])
def test_files_of_a_model_that_a_component_names_are_part_of_the_pipeline(tmp_path, in_memory):
    (tmp_path / "outside").mkdir()
    weights = tmp_path / "outside" / "weights"
    weights.write_text("1")
    nlp = spacy.blank("xx")
    nlp.add_pipe("model_outside_for_a_test", config={"model": str(weights.parent)})
    nlp.to_disk(tmp_path / "pipeline")
    named = nlp if in_memory else tmp_path / "pipeline"
    before = find_source(named)
    assert find_source(named).digest == before.digest
    assert before.load().pipe_names == ["model_outside_for_a_test"]
    weights.write_text("2")
    assert find_source(named).digest != before.digest
    with pytest.raises(ValueError, match="in one that a component names as its 'model'"):
        before.load()
