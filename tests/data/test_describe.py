"""What training says of its data before it starts."""

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus
from thinc.api import Config

from spacy_attn.data import DatasetError, HFDataset
from spacy_attn.data.describe import make_describe_data


@pytest.fixture
def rows(write):
    """Write rows of the given labels, and return the path."""

    def write_rows(name, *labels):
        return write([{"text": f"text {i}", "label": one} for i, one in enumerate(labels)], name)

    return write_rows


@pytest.fixture
def say(capsys):
    """Describe two corpora, and return what was printed on one line."""

    def describe(train, dev, nlp=None):
        make_describe_data(train, dev)(nlp or spacy.blank("en"))
        return " ".join(capsys.readouterr().out.split())

    return describe


def test_rows_and_labels_of_each_corpus_are_printed(rows, say):
    train = HFDataset(rows("train.jsonl", *"aab" * 500))
    said = say(train, HFDataset(rows("dev.jsonl", "a", "b")))
    assert "Training data: data set" in said
    assert "train.jsonl', split 'train': 1,500 rows; a 1,000, b 500" in said
    assert "dev.jsonl', split 'train': 2 rows; a 1, b 1" in said


def test_nothing_is_tokenized(rows, say, monkeypatch):
    nlp = spacy.blank("en")
    monkeypatch.setattr(nlp, "make_doc", pytest.fail)
    reader = HFDataset(rows("train.jsonl", "a"))
    assert "1 rows; a 1" in say(reader, HFDataset(rows("dev.jsonl", "a")), nlp)


def test_probabilities_are_summed_and_many_labels_cut_short(write, say):
    soft = HFDataset(
        write([{"text": "x", "p": 0.25, "q": 0.75}] * 2), label_column=["p", "q"], exclusive=True
    )
    assert "2 rows; q 1.5, p 0.5" in say(soft, soft)
    # In single precision.
    single = {"p": 0.10000000149011612, "q": 0.8999999761581421}
    path = write([{"text": "x", **single}] * 2, "single.jsonl")
    soft = HFDataset(path, label_column=["p", "q"], exclusive=True)
    assert "2 rows; q 1.8, p 0.2" in say(soft, soft)
    many = write([{"text": "x", "label": [f"l{i}" for i in range(30)]}], "many.jsonl")
    assert "and 10 more labels" in say(HFDataset(many), HFDataset(many))


def test_spacy_files_are_counted_for_both_readers(tmp_path, say):
    nlp = spacy.blank("en")
    doc = nlp("a text")
    doc.cats = {"a": 1.0, "b": 0.0}
    DocBin(docs=[doc] * 3).to_disk(tmp_path / "x.spacy")
    said = say(HFDataset(str(tmp_path / "x.spacy")), Corpus(tmp_path / "x.spacy", limit=2))
    assert "split 'train': 3 rows; a 3" in said
    assert "x.spacy': 2 rows; a 2" in said


def test_streams_and_unknown_readers_are_not_read(rows, say):
    stream = HFDataset(rows("train.jsonl", "a"), streaming=True)
    stream._rows = pytest.fail
    said = say(stream, pytest.fail)
    assert "train.jsonl', split 'train' (not counted)" in said
    assert "Development data: read by" in said


def test_training_data_is_not_read_where_training_streams_it(rows, say):
    nlp = spacy.blank("en")
    nlp.config["training"]["max_epochs"] = -1
    said = say(HFDataset("no-such-file.jsonl"), HFDataset(rows("dev.jsonl", "a")), nlp)
    assert "Training data" not in said
    assert "1 rows; a 1" in said


def test_no_label_in_common_is_refused(rows, say):
    train, dev = rows("train.jsonl", "pos", "neg"), rows("dev.jsonl", "0", "1")
    expected = "no label in common: 'neg', 'pos' in the training data, '0', '1' in the validation"
    with pytest.raises(DatasetError, match=expected):
        say(HFDataset(train), HFDataset(dev))


def test_labels_that_training_lacks_are_told(rows, say):
    train, dev = rows("train.jsonl", "pos", "neg"), rows("dev.jsonl", "pos", "odd", "odd")
    said = say(HFDataset(train), HFDataset(dev))
    assert "training data lack labels of the validation data" in said
    assert "'odd' (2 rows)" in said


def test_training_and_validation_on_the_same_rows_is_told(rows, say):
    path = rows("rows.jsonl", "a", "b")
    same = "Training and validation data are the same"
    assert same in say(HFDataset(path), HFDataset(path, split="validation"))
    assert same not in say(HFDataset(path, split="train[:1]"), HFDataset(path, split="train[:2]"))


def test_a_path_that_nothing_reads_is_told(rows, say):
    nlp = spacy.blank("en")
    nlp.config = Config(nlp.config).merge(Config({"paths": {"trian": "x.csv", "dev": None}}))
    reader = HFDataset(rows("rows.jsonl", "a"))
    # Where values have taken the place of variables, nobody can tell.
    nlp.config["corpora"] = {"train": {"path": "x.csv"}}
    assert "Nothing in the config reads" not in say(reader, reader, nlp)
    nlp.config["corpora"] = {"train": {"path": "${paths.dev}"}}
    assert "Nothing in the config reads [paths] trian = 'x.csv'" in say(reader, reader, nlp)


def test_another_callback_is_called_afterwards(rows):
    called = []
    reader = HFDataset(rows("rows.jsonl", "a"))
    nlp = spacy.blank("en")
    make_describe_data(reader, reader, called.append)(nlp)
    assert called == [nlp]


def test_a_pipeline_can_be_initialized_where_its_training_data_are_not(rows, say):
    readers = HFDataset("./gone.jsonl"), HFDataset("./gone.jsonl")
    assert "there is no such file" in say(*readers)


def test_validation_data_that_are_not_there_are_refused_before_training(rows, say):
    with pytest.raises(DatasetError, match="no such file"):
        say(HFDataset(rows("train.jsonl", "a")), HFDataset("./gone.jsonl"))
