"""The reader: registered, lazy, exact, and complete."""

import re
import subprocess
import sys
import warnings

import pytest
import spacy
from spacy.util import registry
from thinc.api import Config

from spacy_attn.data import DatasetError, HFDataset
from spacy_attn.data.reader import HFDataset_v1

CONFIG = """
[corpora]

[corpora.train]
@readers = "spacy-attn.HFDataset.v1"
path = "rows.jsonl"
text_column = ["title", "body"]
text_separator = "\\n"
label_column = "stars"
labels = ["bad", "good"]
limit = 1

[corpora.dev]
@readers = "spacy-attn.HFDataset.v1"
path = "no-such-file.jsonl"
"""


@pytest.fixture
def ten(write):
    return write([{"text": f"text {i}", "label": "x"} for i in range(10)])


def texts(examples):
    return [example.text for example in examples]


def test_reader_is_registered_and_reads_what_the_config_says(write, nlp):
    write([{"title": "A", "body": "b  c", "stars": 1}, {"title": "D", "body": "e", "stars": 0}])
    corpora = registry.resolve(Config().from_str(CONFIG))["corpora"]
    [example] = corpora["train"](nlp)
    assert example.text == "A\nb  c"
    assert example.reference.cats == {"bad": 0.0, "good": 1.0}


def test_building_opens_nothing_and_importing_does_not_import_datasets():
    code = (
        "import sys, spacy_attn.data.reader as r\n"
        "r.HFDataset_v1(path='owner/name'); r.HFDataset_v1(path='no-such-file.csv')\n"
        "assert 'datasets' not in sys.modules and 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_predicted_document_has_the_tokens_and_not_the_labels(ten, nlp):
    example = next(HFDataset(ten)(nlp))
    assert example.predicted.cats == {}
    assert example.reference.cats == {"x": 1.0}
    assert [t.text for t in example.predicted] == [t.text for t in example.reference]
    example.predicted.cats = {"x": 0.5}
    assert example.reference.cats == {"x": 1.0}


def test_each_text_is_tokenized_once(ten, monkeypatch):
    nlp = spacy.blank("en")
    made = []
    make_doc = nlp.make_doc
    monkeypatch.setattr(nlp, "make_doc", lambda text: made.append(text) or make_doc(text))
    list(HFDataset(ten)(nlp))
    assert len(made) == 10


@pytest.mark.parametrize("text", ["", "  \n\t ", " a  b ", "x" * 200_000, "naïve 日本語 🎉\u200b"])
def test_texts_are_not_changed(write, read, text):
    assert read(write([{"text": text, "label": "x"}])) == [(text, {"x": 1.0})]


def test_every_pass_is_the_same_and_complete(ten, nlp):
    reader = HFDataset(ten)
    assert texts(reader(nlp)) == texts(reader(nlp)) == [f"text {i}" for i in range(10)]


def test_rows_are_the_same_across_batches(write, nlp):
    path = write([{"text": str(i), "label": "x"} for i in range(700)])
    assert texts(HFDataset(path)(nlp)) == [str(i) for i in range(700)]


@pytest.mark.parametrize("streaming", [False, True])
def test_limit_takes_the_first_rows(ten, nlp, streaming):
    reader = HFDataset(ten, limit=3, streaming=streaming)
    assert texts(reader(nlp)) == ["text 0", "text 1", "text 2"]
    assert len(list(HFDataset(ten, limit=99, streaming=streaming)(nlp))) == 10


def test_shuffling_draws_another_order_each_pass_and_the_same_again_from_the_same_seed(ten, nlp):
    def orders(seed):
        reader = HFDataset(ten, streaming=True, shuffle_buffer=10, seed=seed)
        return [texts(reader(nlp)) for _ in range(3)]

    first, second, third = orders(seed=0)
    assert sorted(first) == sorted(second) == [f"text {i}" for i in range(10)]
    assert first != second != third
    assert orders(seed=0) == [first, second, third]
    assert orders(seed=7) != [first, second, third]


def test_shuffling_draws_from_the_limited_rows_alone(ten, nlp):
    reader = HFDataset(ten, streaming=True, shuffle_buffer=10, limit=3)
    assert sorted(texts(reader(nlp))) == ["text 0", "text 1", "text 2"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("setting", ["text_column", "label_column"])
def test_missing_column_is_refused_and_the_others_named(ten, read, setting, streaming):
    with pytest.raises(DatasetError, match=r"there is no column 'review'; .*'text', 'label'"):
        read(ten, streaming=streaming, **{setting: "review"})


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("column", ["text", "label"])
def test_null_is_refused_with_its_row_or_skipped_and_counted(write, read, column, streaming):
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": "x", column: None}] * 2
    path = write(rows)
    expected = f"rows.jsonl', split 'train', row 1 .*column '{column}' is null.*skip_missing"
    with pytest.raises(DatasetError, match=expected):
        read(path, streaming=streaming)
    with pytest.warns(UserWarning, match=f"skipped 2 rows for want of .* column '{column}'"):
        assert len(read(path, streaming=streaming, skip_missing=True)) == 2


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("text", ["", " \n\t"])
def test_blank_text_is_missing_where_missing_texts_are_skipped(write, read, text, streaming):
    path = write([{"text": "a", "label": "x"}, {"text": text, "label": "x"}])
    assert len(read(path, streaming=streaming)) == 2
    with pytest.warns(UserWarning, match="skipped 1 rows for want of a value in column 'text'"):
        rows = read(path, streaming=streaming, skip_missing=True)
    assert [text for text, _ in rows] == ["a"]


def test_blank_column_beside_another_text_is_not_missing(write, read):
    path = write([{"title": "", "text": "a", "label": "x"}])
    assert read(path, text_column=["title", "text"], skip_missing=True) == [(" a", {"x": 1.0})]


def test_skipped_rows_are_told_once_however_many_passes_and_readers(write, nlp):
    path = write([{"text": "a", "label": "x"}, {"text": None, "label": "x"}])
    readers = [HFDataset(path, skip_missing=True), HFDataset(path, skip_missing=True)]
    with warnings.catch_warnings(record=True) as shown:
        for reader in readers:
            for _ in range(3):
                warnings.simplefilter("always")  # Python then forgets what it has shown
                list(reader(nlp))
    assert [str(one.message).split(": ")[1] for one in shown] == [
        "skipped 1 rows for want of a value in column 'text'."
    ]


def test_integers_are_refused_with_the_labels_to_set(write, read):
    path = write([{"text": "a", "label": stars} for stars in (3, 1, 5, 2, 4, 1)])
    setting = 'set labels = ["1", "2", "3", "4", "5"];'
    with pytest.raises(DatasetError, match=re.escape(setting)):
        read(path)
    assert len(read(path, labels=["1", "2", "3", "4", "5"])) == 6
    path = write([{"text": "a", "label": number} for number in range(100)], "ids.jsonl")
    with pytest.raises(DatasetError, match=re.escape('labels = ["0", "1", ..., "99"]')):
        read(path)


def test_data_set_of_which_every_row_is_skipped_is_refused(write, read):
    path = write([{"text": None, "label": "x"}])
    with pytest.raises(DatasetError, match="every row was skipped"):
        read(path, skip_missing=True)


def test_text_that_is_no_string_is_refused(write, read):
    with pytest.raises(DatasetError, match=r"row 0 .*'text' holds 12 of type int where a text"):
        read(write([{"text": 12, "label": "x"}]))


def test_text_longer_than_the_pipeline_takes_is_refused_and_never_cut(write, read):
    with pytest.raises(DatasetError, match=r"row 0 .*1000001 characters, more than nlp.max_length"):
        read(write([{"text": "a" * 1_000_001, "label": "x"}]))


def test_null_path_is_refused_when_the_reader_is_built():
    with pytest.raises(DatasetError, match="is null: set it in the config, or override it"):
        HFDataset_v1(path=None)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"path": ""}, "'path' is empty"),
        ({"limit": -1}, "'limit' must be 0"),
        ({"shuffle_buffer": 5}, "'shuffle_buffer' is for streaming = true"),
        ({"shuffle_buffer": -5}, "'shuffle_buffer' must be 0"),
        ({"streaming": True, "split": "train[:5]"}, "a slice of a split needs streaming = false"),
        ({"text_column": []}, "'text_column' must name a column"),
        ({"label_column": ""}, "'label_column' must name a column"),
        ({"label_column": ["a", "a"]}, "names a column twice"),
        ({"labels": []}, "'labels' is empty"),
        ({"labels": ["a", "a"]}, "'labels' holds a name twice"),
        ({"labels": ["a", ""]}, "'labels' holds an empty name"),
        ({"label_column": ["a", "b"], "labels": ["a"]}, "1 'labels' cannot name 2 label columns"),
    ],
)
def test_arguments_that_contradict_are_refused_when_the_reader_is_built(settings, expected):
    with pytest.raises(DatasetError, match=expected):
        HFDataset_v1(**{"path": "rows.csv", **settings})


def test_exclusive_rows_for_exclusive_components_name_all_labels_once(write):
    rows = [{"text": f"text {i}", "label": "abcd"[i % 4]} for i in range(8)]
    reader = HFDataset(str(write(rows)), labels=["d", "c", "b", "a", "e"], exclusive=True)

    def read(*factories):
        nlp = spacy.blank("en")
        for number, factory in enumerate(factories):
            nlp.add_pipe(factory, name=f"{number}")
        return nlp, [example.reference.cats for example in reader(nlp)]

    whole = read()[1]
    assert whole[1] == {"d": 0.0, "c": 0.0, "b": 1.0, "a": 0.0, "e": 0.0}
    # An absent label is unknown to these, and not 0.
    assert read("textcat_multilabel")[1] == read("textcat", "textcat_multilabel")[1] == whole
    for factory in ("attn_textcat", "textcat"):
        nlp, cats = read(factory)
        assert cats[0] == whole[0]
        assert cats[1:] == [{"abcd"[i % 4]: 1.0} for i in range(1, 8)]
        nlp.initialize(lambda: reader(nlp))  # noqa: B023
        component = nlp.get_pipe("0")
        assert component.labels == ("d", "c", "b", "a", "e")
        found = component.score([_predict(nlp, example) for example in reader(nlp)])
        examples = [_predict(nlp, example) for example in reader(spacy.blank("en"))]
        assert found == component.score(examples)


def _predict(nlp, example):
    example.predicted = nlp(nlp.make_doc(example.text))
    return example
