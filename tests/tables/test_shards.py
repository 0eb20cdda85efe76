"""Every row, with every column, is in one shard; and shards say which rows they are."""

import json
import pickle

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.source import Source
from spacy_attn.tables.shards import ParquetShard, cut, require_one_schema, schema_of_any

from ..data.test_hub import cached  # noqa: F401

pytestmark = pytest.mark.usefixtures("own_cache")

ROWS = [
    {"id": i, "text": f"text {i}", "more": None if i % 3 else {"tags": ["a", "b"][: i % 2]}}
    for i in range(25)
]
TABLE = pa.Table.from_pylist(ROWS)


def source(path, column="text", **settings):
    made = Source(str(path), **settings)
    made.columns, made.all_columns = (column,), True
    return made


def rows_of(shards, size=4):
    """Read the shards as another process would, which gets them pickled."""
    tables = [
        table for shard in pickle.loads(pickle.dumps(shards)) for table in shard.batches(size)
    ]
    assert all(0 < len(table) <= size for table in tables)
    return [row for table in tables for row in table.to_pylist()]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows")
    pq.write_table(TABLE, path / "rows.parquet", row_group_size=7)
    write_lines(path / "rows.jsonl", ROWS)
    Dataset.from_list(ROWS).save_to_disk(path / "saved")
    DatasetDict(train=Dataset.from_list(ROWS)).save_to_disk(path / "saved_dict")
    (path / "split").mkdir()
    pq.write_table(TABLE.slice(0, 10), path / "split" / "train-00000-of-00002.parquet")
    pq.write_table(TABLE.slice(10), path / "split" / "train-00001-of-00002.parquet")
    pq.write_table(TABLE.slice(0, 2), path / "split" / "test.parquet")
    return path


@pytest.mark.parametrize(
    "name", ["rows.parquet", "rows.jsonl", "saved", "saved_dict", "split", "split/train*.parquet"]
)
def test_all_rows_come_with_all_columns_in_their_order(folder, name):
    shards = cut(source(folder / name), 4)
    assert rows_of(shards) == ROWS
    assert all(shard.n_rows <= 4 for shard in shards)
    assert sum(shard.n_rows for shard in shards) == len(ROWS)
    assert schema_of_any(shards).names == ["id", "text", "more"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(1, 40),
    group=st.integers(1, 40),
    per_shard=st.integers(1, 41),
    size=st.integers(1, 9),
)
def test_rows_of_a_file_are_the_same_however_it_is_cut(tmp_path, n, group, per_shard, size):
    pq.write_table(
        pa.table({"text": list(map(str, range(n)))}), "cut.parquet", row_group_size=group
    )
    shards = cut(source("cut.parquet"), per_shard)
    assert len(shards) == -(-n // per_shard)
    assert [row["text"] for row in rows_of(shards, size)] == list(map(str, range(n)))


@pytest.mark.usefixtures("cached")
def test_a_data_set_of_the_hub_is_cut_as_well(monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.warns(UserWarning, match="the copy in the local cache is used"):
        shards = cut(source("owner/rows"), 1)
    assert rows_of(shards) == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]


def test_parquet_is_read_as_it_is_and_not_copied(folder, tmp_path):
    shards = cut(source(folder / "split"), 100)
    assert [type(shard) for shard in shards] == [ParquetShard] * 2
    assert not list(tmp_path.rglob("*.arrow"))


def test_a_slice_of_a_split_is_cut_as_well(folder):
    assert rows_of(cut(source(folder / "rows.parquet", split="train[2:9]"), 3)) == ROWS[2:9]
    both = cut(source(folder / "split", split="test+train"), 30)
    assert rows_of(both) == ROWS[:2] + ROWS


def test_types_and_class_names_of_a_file_are_kept(tmp_path):
    features = Features({"text": Value("large_string"), "label": ClassLabel(names=["no", "yes"])})
    data = Dataset.from_dict({"text": ["a"], "label": [1]}, features=features)
    data.to_parquet("classes.parquet")
    data.save_to_disk("classes")
    for name in ("classes.parquet", "classes"):
        (table,) = cut(source(name), 10)[0].batches(10)
        assert Features.from_arrow_schema(table.schema) == features, name


def test_fields_of_csv_files_are_the_strings_that_are_written(tmp_path):
    (tmp_path / "rows.csv").write_text('id,text,"n",\n007,"a, ""b""",NA,x\n,,,\n', "utf8")
    (tmp_path / "more.csv").write_text("text,id,n,\nc,8,1.50,y\n", "utf8")
    assert rows_of(cut(source("*.csv"), 2)) == [
        {"text": "c", "id": "8", "n": "1.50", "": "y"},
        {"text": 'a, "b"', "id": "007", "n": "NA", "": "x"},
        {"text": "", "id": "", "n": "", "": ""},
    ]


def test_a_delimiter_is_found_by_the_text_column(tmp_path):
    (tmp_path / "rows.csv").write_text("id;body\n1;a, b\n", "utf8")
    assert rows_of(cut(source("rows.csv", "body"), 2)) == [{"id": "1", "body": "a, b"}]


def test_keys_that_only_some_json_objects_have_are_columns(tmp_path):
    write_lines(tmp_path / "a.jsonl", [{"text": "a", "n": 1}, {"text": "b", "m": "x"}])
    write_lines(tmp_path / "b.jsonl", [{"o": [1.5], "text": "c", "n": 2.5}])
    assert rows_of(cut(source("*.jsonl"), 2)) == [
        {"text": "a", "n": 1.0, "m": None, "o": None},
        {"text": "b", "n": None, "m": "x", "o": None},
        {"text": "c", "n": 2.5, "m": None, "o": [1.5]},
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"rows.csv": "id,body\n1,a\n"}, "there is no column 'text'"),
        ({"rows.csv": "text,a,a\n1,2,3\n"}, "several columns are named 'a'"),
        ({"rows.csv": '"text","a"\n1,x,y\n2,z,w\n'}, "the header has no field for"),
        ({"rows.jsonl": '{"body": "a"}\n'}, "there is no column 'text'"),
        ({"rows.jsonl": '{"text": "a"}\n{"text"\n'}, "'rows.jsonl', line 2: it is not JSON"),
    ],
)
def test_files_that_cannot_be_read_whole_are_refused(tmp_path, files, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf8")
    with pytest.raises(DatasetError, match=message):
        cut(source(f"*.{next(iter(files)).split('.')[1]}"), 10)


def test_a_data_set_without_rows_is_refused(tmp_path):
    pq.write_table(TABLE.slice(0, 0), "rows.parquet")
    with pytest.raises(DatasetError, match="there is no row in it"):
        cut(source("rows.parquet"), 10)


def test_a_file_that_cannot_be_opened_is_a_shard_that_names_it(folder, tmp_path):
    pq.write_table(TABLE, "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more")
    pq.write_table(TABLE, "c.parquet")
    one, broken, other = cut(source("*.parquet"), 100)
    assert rows_of([one, other]) == ROWS * 2
    for read in (broken.schema, lambda: next(broken.batches(10))):
        with pytest.raises(DatasetError, match=r"'b\.parquet': it cannot be read \(Arrow"):
            read()
    assert schema_of_any([broken, one]) == TABLE.schema
    with pytest.raises(DatasetError, match=r"b\.parquet"):
        schema_of_any([broken])
    require_one_schema([one, broken, other])


@pytest.mark.parametrize("name", ["{}.jsonl", "{}.csv", "{}.tsv"])
def test_files_of_text_that_cannot_be_read_are_shards_that_name_them(tmp_path, name):
    for letter in "abcd":
        path = tmp_path / name.format(letter)
        if name.endswith("l"):
            write_lines(path, [{"id": i, "text": letter} for i in range(3)])
        else:
            separator = "\t" if name.endswith("tsv") else ","
            rows = [["id", "text"], *([str(i), letter] for i in range(3))]
            path.write_text("".join(separator.join(row) + "\n" for row in rows), "utf8")
    for letter in "bd":
        with (tmp_path / name.format(letter)).open("a") as file:
            file.write("x\ty\tz, a, b\n")
    good, other, *broken = cut(source(name.format("*")), 3)
    assert [row["text"] for row in rows_of([good, other])] == ["a"] * 3 + ["c"] * 3
    assert [str(shard) for shard in broken] == [f"'{name.format(letter)}'" for letter in "bd"]
    for shard in broken:
        for read in (shard.schema, lambda shard=shard: next(shard.batches(10))):
            with pytest.raises(
                DatasetError, match=rf"file {shard}, line [45]: ".replace(".", r"\.")
            ):
                read()
    with pytest.raises(DatasetError, match=r"line [45]: "):
        cut(source(name.format("b")), 3)


def test_a_csv_file_of_other_columns_is_a_shard_that_names_it(tmp_path):
    (tmp_path / "a.csv").write_text("text,a\nx,1\n", "utf8")
    (tmp_path / "b.csv").write_text("text,b\nx,1\n", "utf8")
    good, broken = cut(source("*.csv"), 10)
    assert rows_of([good]) == [{"text": "x", "a": "1"}]
    message = r"file 'b\.csv': its columns are 'text', 'b', and those of 'a\.csv' are 'text', 'a'"
    with pytest.raises(DatasetError, match=message):
        broken.schema()


def test_a_page_that_cannot_be_read_is_an_error_that_names_the_rows(tmp_path):
    pq.write_table(pa.table({"text": [str(i) * 50 for i in range(1000)]}), "rows.parquet")
    content = bytearray((tmp_path / "rows.parquet").read_bytes())
    content[100:3000] = b"\xff" * 2900
    (tmp_path / "rows.parquet").write_bytes(content)
    with pytest.raises(
        DatasetError, match=r"'rows.parquet', rows 200 to 299 \(counted from 0\): it"
    ):
        list(cut(source("rows.parquet"), 100)[2].batches(10))


def test_identities_tell_rows_and_states_of_a_file_apart(tmp_path):
    def identities(per_shard):
        return [json.dumps(shard.identity) for shard in cut(source("rows.parquet"), per_shard)]

    pq.write_table(TABLE, "rows.parquet")
    before = identities(5)
    assert before == identities(5)
    assert len(set(before)) == 5
    assert not set(before) & set(identities(6))
    pq.write_table(TABLE, "rows.parquet")
    assert not set(before) & set(identities(5))


def test_identities_tell_states_of_a_data_set_apart(tmp_path):
    def identities():
        return [json.dumps(shard.identity) for shard in cut(source("rows.jsonl"), 5)]

    write_lines(tmp_path / "rows.jsonl", ROWS)
    before = identities()
    assert before == identities()
    write_lines(tmp_path / "rows.jsonl", ROWS[::-1])
    assert not set(before) & set(identities())


def test_files_of_different_columns_do_not_fit_into_one_table(tmp_path):
    pq.write_table(TABLE, "a.parquet")
    pq.write_table(TABLE.drop_columns("id"), "b.parquet")
    shards = cut(source("*.parquet"), 10)
    with pytest.raises(
        DatasetError, match=r"'b.parquet' and 'a.parquet' have .* \(pyarrow.*id: int"
    ):
        require_one_schema(shards)
    require_one_schema(shards[:3])


def test_a_stream_is_refused(folder):
    with pytest.raises(DatasetError, match="'streaming' has no meaning"):
        cut(source(folder / "rows.parquet", streaming=True), 10)
