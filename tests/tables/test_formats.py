"""What is written is read back the same, in the formats that have a form for it."""

import csv
import datetime
import decimal
import json
from itertools import pairwise
from pathlib import Path

import numpy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_attn.tables.formats import ENDINGS, OutputError, join, writing

TABLE = pa.table(
    {
        "text": ['a "quoted", one\nof two lines', "", None, "ü 😀"],
        "n": pa.array([1, None, -3, 4]),
        "score": pa.array([0.1, 0.25, None, 1.0], pa.float32()),
        "tokens": pa.array([["a", 'b"'], None, [], ["c"]]),
        "each": pa.array([{"yes": [0.5], "no": []}, None, None, None]),
        "day": pa.array([datetime.date(2020, 1, 2), None, None, None]),
        "price": pa.array([decimal.Decimal("1.20"), None, None, None]),
        "is": [True, False, None, True],
    }
)


def write(path, tables, ending):
    with writing(path, ending, tables[0].schema) as add:
        for table in tables:
            add(table)


def read_lines(path):
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


def read_csv(path):
    with path.open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def test_parquet_is_read_back_the_same(tmp_path):
    table = TABLE.replace_schema_metadata({"of": "the user"})
    write(tmp_path / "a", [table, table], ".parquet")
    found = pq.read_table(tmp_path / "a")
    assert found.equals(pa.concat_tables([table, table]))
    assert found.schema.metadata == {b"of": b"the user"}


def test_json_lines_have_an_object_for_each_row(tmp_path):
    write(tmp_path / "a", [TABLE, TABLE.slice(1)], ".jsonl")
    first, *others = read_lines(tmp_path / "a")
    assert first == {
        "text": 'a "quoted", one\nof two lines',
        "n": 1,
        "score": pytest.approx(0.1),
        "tokens": ["a", 'b"'],
        "each": {"yes": [0.5], "no": []},
        "day": "2020-01-02",
        "price": "1.20",
        "is": True,
    }
    assert [row["n"] for row in others] == [None, -3, 4, None, -3, 4]
    assert "ü 😀" in (tmp_path / "a").read_text("utf8")


def test_csv_has_lists_and_mappings_as_json(tmp_path):
    write(tmp_path / "a", [TABLE, TABLE.slice(1)], ".csv")
    first, second, *others = read_csv(tmp_path / "a")
    assert first == {
        "text": 'a "quoted", one\nof two lines',
        "n": "1",
        "score": "0.1",
        "tokens": '["a", "b\\""]',
        "each": '{"yes": [0.5], "no": []}',
        "day": "2020-01-02",
        "price": "1.20",
        "is": "true",
    }
    assert second["tokens"] == second["text"] == second["n"] == ""
    assert others[0]["tokens"] == "[]"
    assert len(others) == 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1),
    sizes=st.lists(st.integers(0, 4)),
    ending=st.sampled_from(ENDINGS),
)
def test_parts_joined_are_the_file_that_would_have_been_written_at_once(
    tmp_path, texts, sizes, ending
):
    table = pa.table({"text": pa.array(texts, pa.string()), "a\nname": [[1, 2]] * len(texts)})
    cuts = [0, *numpy.minimum(numpy.cumsum(sizes), len(texts)), len(texts)]
    pieces = [table.slice(a, b - a) for a, b in pairwise(cuts)]
    paths = [tmp_path / f"part{i}" for i in range(len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        write(path, [piece], ending)
    join(paths, tmp_path / "joined", ending)
    write(tmp_path / "whole", [table], ending)
    if ending == ".parquet":
        assert pq.read_table(tmp_path / "joined").equals(table)
    else:
        assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()


def test_rows_are_written_as_they_come(tmp_path):
    table = pa.table({"n": range(4000)})
    with writing(tmp_path / "a", ".parquet", table.schema) as add:
        for _ in range(10):
            add(table)
        assert (tmp_path / "a").stat().st_size > 40_000
    groups = pq.read_metadata(tmp_path / "a")
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [12000] * 3 + [
        4000
    ]


def test_json_of_a_column_of_several_types_is_written_as_what_it_is(tmp_path):
    pytest.importorskip("pyarrow", "19.0")
    column = pa.array(['{"a": 1}', None, "[2]"], pa.string()).cast(pa.json_())
    table = pa.table({"n": [1, 2, 3], "odd": column})
    write(tmp_path / "a", [table], ".jsonl")
    assert [row["odd"] for row in read_lines(tmp_path / "a")] == [{"a": 1}, None, [2]]
    write(tmp_path / "b", [table], ".csv")
    assert [row["odd"] for row in read_csv(tmp_path / "b")] == ['{"a": 1}', "", "[2]"]


@pytest.mark.parametrize(
    ("table", "ending", "message"),
    [
        (pa.table({"x": [b"a"]}), ".jsonl", "JSON has no value of the type bytes"),
        (pa.table({"x": [b"a"]}), ".csv", "column 'x' holds bytes"),
        (pa.table([[1], [2]], names=["x", "x"]), ".jsonl", "several columns have one name"),
    ],
)
def test_values_without_a_form_are_refused(tmp_path, table, ending, message):
    with pytest.raises(OutputError, match=message):
        write(tmp_path / "a", [table], ending)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_is_an_error(ending):
    with pytest.raises(OutputError, match=r"\[Errno 28\]"):
        write(Path("/dev/full"), [TABLE], ending)


def test_what_goes_wrong_while_writing_is_not_covered_by_a_file_that_cannot_be_closed():
    def write_and_fail():
        with writing(Path("/dev/full"), ".jsonl", TABLE.schema) as add:
            add(TABLE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
