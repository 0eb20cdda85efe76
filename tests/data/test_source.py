"""Files, folders and splits; what is refused, and in which words."""

import gzip
import json

import datasets
import pytest
from datasets import Dataset, DatasetDict

from spacy_attn.data import DatasetError

ROWS = [{"text": f"text {i}", "label": "even" if i % 2 == 0 else "odd"} for i in range(10)]


def texts(rows):
    return [text for text, _ in rows]


ALL_TEXTS = [row["text"] for row in ROWS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same rows in every format."""
    path = tmp_path_factory.mktemp("formats")
    data = Dataset.from_list(ROWS)
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    data.to_parquet(path / "rows.parquet")
    data.to_csv(path / "rows.csv")
    data.to_csv(path / "rows.tsv", sep="\t")
    (path / "rows.jsonl").write_text(lines)
    (path / "rows.json").write_text(json.dumps(ROWS))
    with gzip.open(path / "rows.jsonl.gz", "wt") as file:
        file.write(lines)
    data.save_to_disk(path / "saved")
    DatasetDict(train=data, test=data.select(range(3))).save_to_disk(path / "saved_dict")
    (path / "files").mkdir()
    data.to_parquet(path / "files" / "train.parquet")
    data.select(range(3)).to_parquet(path / "files" / "test.parquet")
    return path


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "rows.parquet",
        "rows.csv",
        "rows.tsv",
        "rows.jsonl",
        "rows.json",
        "rows.jsonl.gz",
        "*.parquet",
        "saved",
        "saved_dict",
        "files",
    ],
)
def test_every_format_gives_the_same_rows(read, folder, name, streaming):
    rows = read(str(folder / name), streaming=streaming, labels=["even", "odd"])
    assert texts(rows) == ALL_TEXTS
    assert rows[1][1] == {"even": 0.0, "odd": 1.0}


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl", "saved", "saved_dict", "files"])
def test_slices_and_sums_of_splits(read, folder, name):
    path = str(folder / name)
    assert texts(read(path, split="train[:20%]")) == ALL_TEXTS[:2]
    assert texts(read(path, split="train[8:]+train[:1]")) == [*ALL_TEXTS[8:], *ALL_TEXTS[:1]]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["saved_dict", "files"])
def test_other_splits_by_name(read, folder, name, streaming):
    rows = read(str(folder / name), split="test", streaming=streaming)
    assert texts(rows) == ALL_TEXTS[:3]


@pytest.mark.parametrize("streaming", [False, True])
def test_data_files_say_which_split_they_are(read, folder, streaming):
    data_files = {"dev": str(folder / "rows.jsonl")}
    for path in ("json", str(folder)):
        rows = read(path, data_files=data_files, split="dev", streaming=streaming)
        assert texts(rows) == ALL_TEXTS


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("name", "known"), [("*.csv", "'train'"), ("files", "'test'")])
def test_unknown_split_is_refused_and_the_others_named(read, folder, name, known, streaming):
    with pytest.raises(DatasetError, match=f"split 'dev': there is no .*{known}"):
        read(str(folder / name), split="dev", streaming=streaming)


@pytest.mark.parametrize("streaming", [False, True])
def test_single_file_is_read_whole_whatever_its_split_is_called(read, folder, streaming):
    rows = read(str(folder / "rows.csv"), split="validation", streaming=streaming)
    assert texts(rows) == ALL_TEXTS


def test_slice_of_an_unknown_split_of_a_file_is_refused(read, folder):
    with pytest.raises(DatasetError, match=r"split 'dev\[:3\]': there is no such split.*'train'"):
        read(str(folder / "rows.csv"), split="dev[:3]")


def test_malformed_split_is_refused(read, folder):
    with pytest.raises(DatasetError, match=r"split 'train\[a:b\]': there is no such split or slic"):
        read(str(folder / "rows.csv"), split="train[a:b]")


def test_text_of_a_csv_file_is_read_as_written(read, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text('text,label,other\n007,None,1\nNA,x,\n"",NA,z\n" a ",x,\n')
    assert read(str(path)) == [
        ("007", {"NA": 0.0, "None": 1.0, "x": 0.0}),
        ("NA", {"NA": 0.0, "None": 0.0, "x": 1.0}),
        ("", {"NA": 1.0, "None": 0.0, "x": 0.0}),
        (" a ", {"NA": 0.0, "None": 0.0, "x": 1.0}),
    ]


def test_empty_label_of_a_csv_file_is_missing(read, tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("text,label\na,1\nb,\n")
    with pytest.raises(DatasetError, match=r"row 1 .*column 'label' is null"):
        read(str(path), labels=["x", "y"])
    with pytest.warns(UserWarning, match="skipped 1 rows"):
        assert read(str(path), labels=["x", "y"], skip_missing=True) == [
            ("a", {"x": 0.0, "y": 1.0})
        ]


def test_format_saved_with_a_data_set_is_ignored(read, tmp_path):
    data = Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]})
    data.with_format("numpy").save_to_disk(tmp_path / "saved")
    assert texts(read(str(tmp_path / "saved"), labels=["x", "y"])) == ["a", "b"]


@pytest.mark.parametrize("path", ["nothing.parquet", "./nothing", "/no/where", "a/b/c", "no/*.csv"])
def test_local_path_that_does_not_exist_is_refused_without_asking_the_hub(read, path, monkeypatch):
    monkeypatch.setattr("spacy_attn.data.source.hub_answers", pytest.fail)
    with pytest.raises(DatasetError, match=f"data set '.*{path[-1]}', .*no such file or folder"):
        read(path)


@pytest.mark.parametrize(
    ("path", "settings", "expected"),
    [
        ("rows.jsonl", {"revision": "main"}, "'revision' has no meaning for data files"),
        ("saved", {"name": "plain"}, "'name' has no meaning for a folder written by save_to_disk"),
        ("*s.*", {}, "the files are of different kinds"),
        ("saved/data-*", {"split": "x"}, "no such split"),
    ],
)
def test_settings_that_do_not_fit_the_source_are_refused(read, folder, path, settings, expected):
    with pytest.raises(DatasetError, match=expected):
        read(str(folder / path), **settings)


def test_format_without_data_files_and_web_address_are_refused(read):
    with pytest.raises(DatasetError, match="'json' is a file format; set 'data_files'"):
        read("json")
    with pytest.raises(DatasetError, match="a web address is not a data set"):
        read("https://example.com/rows.json")


def test_file_of_an_unknown_kind_is_refused(read, tmp_path):
    (tmp_path / "rows.sav").write_text("x")
    with pytest.raises(DatasetError, match=r"cannot read a file of kind '.sav'; use one of .parq"):
        read("rows.sav")


def test_broken_file_is_refused_with_the_cause(read, tmp_path):
    (tmp_path / "bad.parquet").write_text("not parquet")
    with pytest.raises(DatasetError, match=r"data set 'bad.parquet', .*cannot be read \(ArrowInv"):
        read("bad.parquet")


def test_data_set_with_a_loading_script_is_refused(read, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "old.py").write_text("raise SystemExit")
    with pytest.raises(DatasetError, match="comes with a loading script, and this reader runs no"):
        read("./old")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("content", ["", "text,label\n"])
def test_data_set_without_rows_is_refused(read, tmp_path, content, streaming):
    name = "empty.csv" if content else "empty.jsonl"
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match="there is no row in it"):
        read(name, streaming=streaming)


def test_progress_bars_of_datasets_stay_out_of_logs_and_on_afterwards(read, folder, capfd):
    read(str(folder / "rows.parquet"))
    assert capfd.readouterr().err == ""
    assert not datasets.are_progress_bars_disabled()
