"""JSON: only the wanted columns count, and their types are those of all values."""

import gzip
import json
import re

import datasets
import pandas as pd
import pytest

from spacy_attn.data import DatasetError, jsonlines

STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Read few bytes at a time, so that small files are larger than a block."""
    monkeypatch.setattr(jsonlines, "_CHUNK", 1 << 10)
    monkeypatch.setattr(jsonlines, "_OBJECTS", 20)


def many(labels, other=None):
    return [
        {"text": f"text {i}", "other": 1 if other is None else other[i], "label": label}
        for i, label in enumerate(labels)
    ]


@pytest.fixture
def save(tmp_path):
    """Write objects as lines or as an array, compressed or not."""

    def write(rows, name="rows.jsonl"):
        text = (
            json.dumps(rows, indent=1)
            if ".json" in name.replace(".jsonl", "")
            else "".join(json.dumps(row) + "\n\n" for row in rows)
        )
        data = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return name

    return write


def labels_of(rows):
    return [[name for name, value in cats.items() if value] for _, cats in rows]


@STREAMING
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.jsonl.gz"])
def test_columns_that_nobody_asks_for_may_change_their_types(read, save, name, streaming):
    other = [1] * 150 + ["x", [1], {"a": None}] * 50
    path = save(many(["pos", "neg"] * 150, other), name)
    rows = read(path, streaming=streaming, labels=["neg", "pos"])
    assert labels_of(rows) == [["pos"], ["neg"]] * 150
    assert [text for text, _ in rows] == [f"text {i}" for i in range(300)]


@STREAMING
@pytest.mark.parametrize(
    "later", [["pos"], [["pos", "neg"]], [[], ["pos"]], [{"pos": 1, "neg": 0.0}], [1]]
)
def test_labels_may_be_null_through_the_first_blocks(read, save, later, streaming):
    path = save(many([None] * 150 + later * 50))
    with pytest.warns(UserWarning, match="skipped 150 rows"):
        rows = read(path, streaming=streaming, labels=["neg", "pos"], skip_missing=True)
    assert len(rows) == 50 * len(later)
    assert rows[-1][1]["pos"] == 1.0


def test_integers_and_fractions_in_different_blocks_are_numbers(read, save):
    path = save(many([[1, 0]] * 150 + [[0.5, 0.5]] * 50))
    rows = read(path, labels=["neg", "pos"])
    assert rows[0][1] == {"neg": 1.0, "pos": 0.0}
    assert rows[-1][1] == {"neg": 0.5, "pos": 0.5}


@pytest.mark.skipif(not hasattr(datasets, "Json"), reason="datasets refuses them, as we say")
def test_values_of_different_types_in_different_blocks_are_read(read, save):
    rows = read(save(many(["pos"] * 150 + [["neg"], "pos"] * 50)), labels=["neg", "pos"])
    assert labels_of(rows) == [["pos"]] * 150 + [["neg"], ["pos"]] * 50


def test_another_type_in_a_later_block_of_a_stream_is_refused_with_its_column_and_line(read, save):
    path = save(many(["pos"] * 150 + [7]))
    expected = "file 'rows.jsonl', line 301: column 'label' holds 7, which is of another type"
    with pytest.raises(DatasetError, match=expected):
        read(path, streaming=True)


@STREAMING
def test_texts_that_look_like_dates_are_texts(read, save, streaming):
    path = save([{"text": "2020-01-01T00:00:00", "label": "2020-01-01"}])
    assert read(path, streaming=streaming)[0] == ("2020-01-01T00:00:00", {"2020-01-01": 1.0})


@STREAMING
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"text": "a", "label": "x"}\n\n{"text": \n', "line 3: it is not JSON"),
        ('{"text": "a", "label": "x"}\n[1]\n', "line 2: it holds [1] where an object is wanted"),
        ('{"text": "a"},{"text": "b"}\n', "line 1: it is not JSON"),
        ('[{"text": "a", "label": "x"}, "b"]', "entry 1: it holds 'b' where an object is wanted"),
        ("[1", "file 'rows.json': it is not JSON"),
        ('{"text": "\\ud800", "label": "x"}', "line 1: it is not JSON ('\\ud800' is half of a"),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(read, tmp_path, content, expected, streaming):
    (tmp_path / "rows.json").write_text(content)
    with pytest.raises(DatasetError, match=re.escape(expected)):
        read("rows.json", streaming=streaming)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_encoding_is_asked_for_and_used(read, tmp_path, encoding):
    (tmp_path / "rows.jsonl").write_bytes('{"text": "é", "label": "x"}\n'.encode(encoding))
    with pytest.raises(DatasetError, match=r"file 'rows.jsonl', line 1: it is not UTF-8.*set "):
        read("rows.jsonl")
    assert read("rows.jsonl", encoding=encoding) == [("é", {"x": 1.0})]


@STREAMING
def test_files_of_a_parquet_data_set_may_differ_in_columns_that_nobody_asks_for(
    read, tmp_path, streaming
):
    frame = pd.DataFrame({"text": ["a", "b"], "label": ["x", "y"]})
    frame.to_parquet(tmp_path / "1.parquet")
    frame[1:].assign(other=1).to_parquet(tmp_path / "2.parquet")  # with an index column
    frame[1:].set_index("label").to_parquet(tmp_path / "3.parquet")
    rows = read("*.parquet", streaming=streaming, labels=["x", "y"])
    assert [text for text, _ in rows] == ["a", "b", "b", "b"]
