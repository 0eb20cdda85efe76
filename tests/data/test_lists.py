"""Strings that spell lists of labels are read as lists, and never as the name of one label."""

import json
import re

import pandas as pd
import pytest

from spacy_attn.data import DatasetError

LABELS = ["a", "b", "it's"]
SETS = [["a", "b"], [], ["it's"], ["b"]]
STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture
def table(tmp_path):
    """Write a column of labels as pandas does, as CSV or Parquet."""

    def write(labels, name="rows.csv"):
        frame = pd.DataFrame({"text": ["hi"] * len(labels), "label": labels})
        if name.endswith("csv"):
            frame.to_csv(tmp_path / name, index=False)
        else:
            frame.to_parquet(tmp_path / name)
        return name

    return write


def true_labels(rows):
    return [[name for name, value in cats.items() if value] for _, cats in rows]


@STREAMING
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
@pytest.mark.parametrize(
    "spell",
    [str, json.dumps, lambda labels: str(tuple(labels) or []), lambda labels: str({*labels} or [])],
)
def test_lists_are_recognized(read, table, spell, name, streaming):
    path = table([spell(labels) for labels in SETS], name)
    rows = read(path, labels=LABELS, streaming=streaming)
    assert true_labels(rows) == SETS
    assert all(list(cats) == LABELS for _, cats in rows)
    if not streaming:
        assert read(path) == rows


@pytest.mark.parametrize("value", ["['a' 'b']", "['a', None]", "[1 0 1]", "[nan]", "['a', b]"])
@STREAMING
def test_what_looks_like_a_list_and_is_none_is_refused(read, table, value, streaming):
    path = table(["['a']", value])
    expected = f"row 1 (counted from 0): column 'label' holds {value!r}, which looks like a list"
    with pytest.raises(DatasetError, match=re.escape(expected)):
        read(path, labels=["a", "b"], streaming=streaming)


@STREAMING
def test_lists_of_ids_and_of_probabilities_are_read_as_elsewhere(read, table, streaming):
    path = table(["[0, 2]", "[1]"])
    assert true_labels(read(path, labels=LABELS, streaming=streaming)) == [["a", "it's"], ["b"]]
    path = table(["[0.5, 0.25, 0.0]", "[0.0, 1.0, 1]"])
    rows = read(path, labels=LABELS, streaming=streaming, exclusive=False)
    assert [list(cats.values()) for _, cats in rows] == [[0.5, 0.25, 0.0], [0.0, 1.0, 1.0]]


@pytest.mark.parametrize("name", ["[other]", "(a)", "{b}", "[", "a, b", "a|b", "[x] y", "('a') b"])
def test_names_with_brackets_are_names(read, table, name):
    assert read(table([name, "x"]))[0][1] == {name: 1.0, "x": 0.0}


def test_labels_that_are_given_are_no_lists(read, table):
    assert read(table(["['a']"]), labels=["['a']"]) == [("hi", {"['a']": 1.0})]


@STREAMING
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_labels_are_separated_as_asked_for(read, table, name, streaming):
    path = table(["a|b", "[]", " it's ", "b|"], name)
    rows = read(path, labels=LABELS, label_separator="|", streaming=streaming)
    assert true_labels(rows) == SETS
    if not streaming:
        assert read(path, label_separator="|") == rows


def test_row_without_a_label_is_missing_with_a_separator_too(read, table):
    with pytest.raises(DatasetError, match=r"row 1 .*column 'label' is null"):
        read(table(["a|b", ""]), label_separator="|")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"label_separator": ""}, "'label_separator' is empty"),
        ({"label_separator": "|", "label_column": ["a"]}, "is for a single label column"),
    ],
)
def test_separators_without_a_meaning_are_refused(read, settings, expected):
    with pytest.raises(DatasetError, match=expected):
        read("rows.csv", **settings)
