"""`.spacy` files are read wherever a data set can be named."""

import pytest
from spacy import util
from spacy.tokens import DocBin

from spacy_attn.data import DatasetError
from spacy_attn.results.written_data import store_target

from .test_configs import CONFIGS

A, B = {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}


@pytest.fixture
def save(nlp, tmp_path):
    """Write documents, each given by its text and categories, as a `.spacy` file."""

    def save_docs(name, *docs):
        doc_bin = DocBin(store_user_data=True)
        for text, cats in docs:
            doc = nlp(text)
            doc.cats = dict(cats)
            store_target(doc, text)
            doc_bin.add(doc)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        doc_bin.to_disk(path)
        return str(path)

    return save_docs


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_documents_keep_their_texts_and_labels(read, save, split, streaming):
    path = save("x.spacy", ("one", A), ("two", B), ("three", {}))
    rows = [("one", A), ("two", B), ("three", {})]
    assert read(path, split=split, streaming=streaming) == rows
    assert read(path, limit=2) == rows[:2]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_takes_spacy_files_as_paths(config, save, nlp):
    files = {
        name: save(f"{name}.spacy", (f"{name} 1", A), (f"{name} 2", B)) for name in ("train", "dev")
    }
    overrides = {f"paths.{name}": path for name, path in files.items()}
    if config.stem == "translate":
        # It names columns, which documents do not have.
        overrides |= {"dataset.source_column": "source", "dataset.target_column": "target"}
    loaded = util.load_config(config, overrides=overrides, interpolate=True)
    for name in files:
        reader = util.registry.resolve({name: loaded["corpora"][name]})[name]
        assert [(e.text, e.reference.cats) for e in reader(nlp)] == [
            (f"{name} 1", A),
            (f"{name} 2", B),
        ]


def test_a_folder_is_read_whole_in_order_also_up_to_a_limit(read, save):
    for number in (2, 1, 3):
        save(f"many/{number:05}.spacy", (f"{number}", A), (f"{number} again", B))
    assert [text for text, _ in read("many")] == ["1", "1 again", "2", "2 again", "3", "3 again"]
    assert [text for text, _ in read("many/*.spacy", limit=3)] == ["1", "1 again", "2"]


def test_of_a_folder_with_a_file_for_each_split_one_is_read(read, save):
    save("corpus/train.spacy", ("to train", A))
    save("corpus/dev.spacy", ("to choose", B))
    assert read("corpus", split="dev") == [("to choose", B)]
    with pytest.raises(DatasetError, match=r"no 'test.spacy'; set 'split' to one of 'dev', 'tra"):
        read("corpus", split="test")


def test_labels_that_do_not_exclude_one_another_are_refused(read, save):
    path = save("x.spacy", ("one", A), ("both", {"a": 1.0, "b": 1.0}), ("none", {}))
    assert len(read(path)) == 3
    with pytest.raises(DatasetError, match=r"x.spacy', .*document 1 .* labels that sum to 2"):
        read(path, exclusive=True)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"label_column": "stars"}, "'label_column' has no meaning for .spacy files"),
        ({"labels": ["a", "b"]}, "'labels' has no meaning for .spacy files"),
        ({"split": "train[:10%]"}, ".spacy files have no slices"),
    ],
)
def test_settings_of_tables_are_refused(read, save, settings, expected):
    path = save("x.spacy", ("one", A))
    with pytest.raises(DatasetError, match=expected):
        read(path, **settings)


def test_missing_and_broken_files_are_refused_by_name(read, tmp_path):
    with pytest.raises(DatasetError, match=r"'no.spacy', .*no such file"):
        read("no.spacy")
    (tmp_path / "broken.spacy").write_bytes(b"broken")
    with pytest.raises(DatasetError, match=r"'broken.spacy', .*cannot be read"):
        read("broken.spacy")


def test_a_folder_of_spacy_files_and_tables_is_refused(read, save, tmp_path):
    save("mixed/train.spacy", ("one", A))
    (tmp_path / "mixed" / "train.csv").write_text("text,label\nnew,a\n")
    with pytest.raises(DatasetError, match=r"both \.spacy files and 'train\.csv'"):
        read("mixed")
