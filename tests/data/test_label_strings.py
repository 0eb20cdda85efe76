"""Labels of CSV files, which are strings until the whole column has been looked at."""

import json
import re

import pytest

from spacy_attn.data import DatasetError, delimited, features
from spacy_attn.data.label_strings import read_column, value_of

# Rows that are read at a time in these tests, and some more.
PIECE, TAIL = 1_000, 50


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(delimited, "_ROWS", PIECE)
    monkeypatch.setattr(features, "_BATCH", PIECE)


@pytest.fixture
def table(tmp_path):
    """Write the columns of a CSV file; a text column is added."""

    def write_table(**columns):
        path = tmp_path / "rows.csv"
        lines = [",".join(["text", *columns])]
        lines += [",".join(["hi", *row]) for row in zip(*columns.values(), strict=True)]
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write_table


def long(first, then):
    """A column whose later piece holds other strings than its first one."""
    return [first[i % len(first)] for i in range(PIECE)] + [
        then[i % len(then)] for i in range(TAIL)
    ]


def chosen(rows):
    """The label of each row."""
    return [next(name for name, value in cats.items() if value) for _, cats in rows]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (["True", "False", "Mixed"], ["True", "False"]),
        (["true", "x"], ["true", "false"]),
        (["007", "x"], ["007", "7"]),
        (["1", "2"], ["x"]),
        (["01", "02"], ["02"]),
        (["NA", "None", "1.0"], ["1", "1.0"]),
    ],
)
def test_names_are_the_same_in_the_first_rows_and_in_later_ones(read, table, first, then):
    column = long(first, then)
    rows = read(table(label=column))
    assert chosen(rows) == column
    assert list(rows[0][1]) == sorted({*column})


def test_streamed_names_are_the_same_in_later_rows(read, table):
    column = long(["007", "True", "x"], ["true", "007"])
    assert chosen(read(table(label=column), streaming=True)) == column


def test_ids_and_probabilities_are_the_same_in_later_rows(read, table):
    path = table(a=long(["0", ""], ["1", "1.0"]), b=long(["True"], ["0.25", "1"]))
    with pytest.warns(UserWarning, match=f"{PIECE // 2} rows for want of a value in column 'a'"):
        rows = read(path, label_column="a", labels=["x", "y"], skip_missing=True)
    assert chosen(rows) == ["x"] * (PIECE // 2) + ["y"] * TAIL
    with pytest.warns(UserWarning, match=f"skipped {PIECE // 2} values of the label 'a'"):
        rows = read(path, label_column=["a", "b"], exclusive=False, skip_missing=True)
    assert [cats for _, cats in [*rows[:2], *rows[-2:]]] == [
        {"a": 0.0, "b": 1.0},
        {"b": 1.0},
        {"a": 1.0, "b": 0.25},
        {"a": 1.0, "b": 1.0},
    ]


def test_first_rows_without_any_label_do_not_matter(read, table):
    with pytest.warns(UserWarning, match=f"skipped {PIECE} rows"):
        rows = read(table(label=long([""], ["07"])), skip_missing=True)
    assert rows == [("hi", {"07": 1.0})] * TAIL


def test_id_among_names_in_later_rows_is_refused_with_the_row(read, table):
    path = table(label=long(["a", "b"], ["1"]))
    expected = f"row {PIECE} .*has the label '1', which is none of 'a'"
    with pytest.raises(DatasetError, match=expected):
        read(path, labels=["a", "b"])


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("column", "labels", "expected"),
    [
        (["01", "02"], ["01", "02"], ["01", "02"]),
        (["2", "1"], ["1", "2"], ["2", "1"]),
        (["2.0", "1.0"], ["1", "2"], ["2", "1"]),
        (["1", "0"], ["neg", "pos"], ["pos", "neg"]),
        (["1.0", "0.0"], ["neg", "pos"], ["pos", "neg"]),
        (["True", "False"], ["ham", "spam"], ["spam", "ham"]),
        (["True", "False"], ["True", "False"], ["True", "False"]),
        (["TRUE", "FALSE"], ["True", "False"], ["True", "False"]),
        (["True", "false"], ["True", "Mixed", "false"], ["True", "false"]),
        (["0.5", "1.5"], ["1.5", "0.5"], ["0.5", "1.5"]),
    ],
)
def test_given_labels_are_names_themselves_or_have_ids(
    read, table, column, labels, expected, streaming
):
    rows = read(table(label=column), labels=labels, streaming=streaming)
    assert chosen(rows) == expected
    assert [list(cats) for _, cats in rows] == [labels, labels]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("value", "labels", "expected"),
    [
        ("1", None, "holds plain integers (1); if they are the labels themselves"),
        ("0.5", None, "holds 0.5 of type float, which is not a label; for the probability"),
        ("3", ["a", "b"], "has the class id 3, but the labels have the ids 0 to 1"),
        ("1", ["2", "3", "none"], "has the label '1', which is none of '2', '3', 'none'"),
        ("1", ["01", "x"], "has the label '1', which is none of '01', 'x'"),
        ("1", ["1.0", "2.0"], "has the label '1', which is none of '1.0', '2.0'"),
        ("03", ["01", "02"], "has the label '03', which is none of '01', '02'"),
        ("True", ["a", "b", "c"], "holds booleans; name false and true"),
        ("False", ["True", "Mixed"], "has the label 'False', which is none of 'True', 'Mixed'"),
    ],
)
def test_strings_that_are_no_labels_are_refused(read, table, value, labels, expected, streaming):
    with pytest.raises(DatasetError, match=rf"row 0 .*column 'label' {re.escape(expected)}"):
        read(table(label=[value]), labels=labels, streaming=streaming)


@pytest.mark.parametrize("value", ["yes", "1.5", "2", "nan", "01"])
def test_strings_that_are_no_probabilities_are_refused(read, table, value):
    expected = f"row 1 .*column 'x' has '?{value}'? for the label 'x'"
    with pytest.raises(DatasetError, match=expected):
        read(table(x=["1", value]), label_column=["x"])


def test_types_that_a_folder_declares_are_kept(read, tmp_path):
    classes = {"class_label": {"names": {"0": "neg", "1": "pos"}}}
    features = [{"name": "text", "dtype": "string"}, {"name": "label", "dtype": classes}]
    features += [{"name": "code", "dtype": "string"}]
    info = json.dumps({"dataset_info": {"features": features}})
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "README.md").write_text(f"---\n{info}\n---\n")
    (folder / "train.csv").write_text("text,label,code\nNA,1,007\nb,0,7\n")
    assert [cats for _, cats in read(str(folder))] == [
        {"neg": 0.0, "pos": 1.0},
        {"neg": 1.0, "pos": 0.0},
    ]
    assert chosen(read(str(folder), label_column="code")) == ["007", "7"]


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        *[("1", 1), ("-1", -1), (" 1", 1), ("1.0", 1), ("0.5", 0.5), (".5", 0.5), ("1e-3", 0.001)],
        *[("0", 0), ("TRUE", True), ("false", False), ("01", "01"), ("00", "00"), ("", "")],
        *[("tRUE", "tRUE"), ("inf", "inf"), ("1_0", "1_0"), ("\u0661", "\u0661"), ("1,5", "1,5")],
        ("9" * 5000, "9" * 5000),
    ],
)
def test_what_a_string_spells(spelling, value):
    assert value_of(spelling) == value
    assert type(value_of(spelling)) is type(value)


def test_a_column_of_booleans_and_ids_is_one_of_names():
    assert list(map(read_column(["True", "0"], ["a", "b"]), ["True", "0"])) == ["True", "0"]
    assert list(map(read_column(["1", "0"], ["a", "b"]), ["1", "0"])) == [1, 0]
