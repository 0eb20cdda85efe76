"""Paths that exist are no patterns, and a file that was replaced is read anew."""

import os

import pytest
from datasets import Dataset

from spacy_attn.data import DatasetError

STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture
def named(tmp_path):
    """Write a CSV file of one row, whose text is the path; a .gz file or a Parquet file as well."""

    def write(path):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        rows = Dataset.from_dict({"text": [path], "label": ["x"]})
        if path.endswith(".parquet"):
            rows.to_parquet(tmp_path / path)
        else:
            rows.to_pandas().to_csv(tmp_path / path, index=False)

    return write


def texts(rows):
    return [text for text, _ in rows]


@STREAMING
@pytest.mark.parametrize("extension", [".csv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("run[1]/train", "run1/train"),
        ("what?", "whats"),
        ("a*", "ab"),
        ("[!x]/a", "y/a"),
        (".hidden/__[a]/b", ".hidden/__a/b"),
    ],
)
def test_path_that_exists_is_that_file(read, named, path, other, extension, streaming):
    named(path + extension)
    named(other + extension)
    expected = [path + extension]
    assert texts(read(path + extension, streaming=streaming)) == expected
    module = "parquet" if extension == ".parquet" else "csv"
    assert texts(read(module, data_files=path + extension, streaming=streaming)) == expected
    assert texts(read(".", data_files={"train": [path + extension]})) == expected


@STREAMING
def test_folder_that_exists_is_that_folder(read, named, streaming):
    for path in ("fold[1]/train.csv", "fold[1]/test.csv", "fold1/train.csv"):
        named(path)
    assert texts(read("./fold[1]", streaming=streaming)) == ["fold[1]/train.csv"]
    assert texts(read("./fold[1]", split="test", streaming=streaming)) == ["fold[1]/test.csv"]
    assert texts(read("./fold[1]", data_files="t*n.csv")) == ["fold[1]/train.csv"]


def test_folder_with_a_pattern_for_a_name_and_a_readme_is_refused(read, named, tmp_path):
    named("fold[1]/train.csv")
    (tmp_path / "fold[1]" / "README.md").write_text("---\n---\n")
    with pytest.raises(DatasetError, match="rename the folder to one without"):
        read("./fold[1]")


def test_patterns_are_still_patterns(read, named):
    for path in ("a1.csv", "a2.csv", "b/a3.csv"):
        named(path)
    assert texts(read("a[12].csv")) == ["a1.csv", "a2.csv"]
    assert texts(read("csv", data_files="b/a?.csv")) == ["b/a3.csv"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet", "folder"])
@pytest.mark.parametrize("text", ["b", "longer"])
def test_file_replaced_with_the_same_time_stamp_is_read_anew(read, tmp_path, name, text):
    def write(text):
        rows = Dataset.from_dict({"text": [text], "label": ["x"]})
        if name.endswith("jsonl"):
            rows.to_json(new)
        elif name.endswith("parquet"):
            rows.to_parquet(new)
        else:
            rows.to_csv(new)
        os.utime(new, (1e9, 1e9))
        new.replace(file)

    (tmp_path / "folder").mkdir()
    file = tmp_path / ("folder/train.csv" if name == "folder" else name)
    new = tmp_path / "new"
    for expected in ("a", text):
        write(expected)
        assert texts(read(str(tmp_path / name))) == [expected]


def test_file_that_stays_the_same_is_taken_from_the_cache(read, named, monkeypatch):
    named("rows.csv")
    read("rows.csv")
    monkeypatch.setattr("spacy_attn.data.builders.DelimitedFile", pytest.fail)
    assert texts(read("rows.csv")) == ["rows.csv"]
