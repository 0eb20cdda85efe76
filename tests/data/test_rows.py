"""What any reader of data sets has without writing it again, shown by a reader of tokens."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from spacy_attn.data import DatasetError
from spacy_attn.data.errors import MissingValue, RowProblem
from spacy_attn.data.rows import Row, Rows, Skipped

STREAMING = pytest.mark.parametrize("streaming", [False, True])


@dataclass(kw_only=True)
class Tokens(Rows):
    """Reads lists of tokens."""

    token_column: str = "tokens"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.columns = (self.token_column,)

    def __call__(self) -> Iterator[list[str]]:
        return self.read_rows(self._tokens)

    def _tokens(self, row: Row, skipped: Skipped) -> list[str]:
        tokens = row[self.token_column]
        if tokens is None:
            raise MissingValue(self.token_column, "is null where tokens are wanted")
        if "" in tokens:
            raise RowProblem(self.token_column, "holds an empty token")
        return tokens


@pytest.fixture
def rows(tmp_path):
    """Write lists of tokens, beside a column that nobody asks for."""

    def write(*lists):
        lines = [json.dumps({"tokens": tokens, "id": i}) for i, tokens in enumerate(lists)]
        (tmp_path / "rows.jsonl").write_text("\n".join(lines))
        return "rows.jsonl"

    return write


@STREAMING
def test_rows_are_read_in_order_up_to_the_limit(rows, streaming):
    path = rows(["a"], ["b", "c"], ["d"])
    assert list(Tokens(path, streaming=streaming)()) == [["a"], ["b", "c"], ["d"]]
    assert list(Tokens(path, streaming=streaming, limit=2)()) == [["a"], ["b", "c"]]


@STREAMING
def test_a_row_that_cannot_be_used_is_refused_with_its_number(rows, streaming):
    reader = Tokens(rows(["a"], ["b", ""]), streaming=streaming)
    expected = r"'rows.jsonl', split 'train', row 1 \(counted from 0\): column 'tokens' holds an em"
    with pytest.raises(DatasetError, match=expected):
        list(reader())


@STREAMING
def test_missing_values_are_refused_or_skipped_and_counted(rows, streaming):
    path = rows(["a"], None, ["b"])
    with pytest.raises(DatasetError, match=r"row 1 .*is null where .*skip_missing = true"):
        list(Tokens(path, streaming=streaming)())
    with pytest.warns(UserWarning, match="skipped 1 rows for want of a value in column 'tokens'"):
        assert list(Tokens(path, streaming=streaming, skip_missing=True)()) == [["a"], ["b"]]


@STREAMING
def test_a_column_and_a_line_that_are_wrong_are_named(rows, tmp_path, streaming):
    path = rows(["a"])
    with pytest.raises(DatasetError, match=r"there is no column 'words'; .*'tokens', 'id'"):
        list(Tokens(path, streaming=streaming, token_column="words")())
    (tmp_path / path).write_text('{"tokens": ["a"]}\n{"tokens": \n')
    with pytest.raises(DatasetError, match=r"file 'rows.jsonl', line 2: it is not JSON"):
        list(Tokens(path, streaming=streaming)())


def test_settings_are_checked_when_the_reader_is_built():
    with pytest.raises(DatasetError, match="'limit' must be 0"):
        Tokens("rows.jsonl", limit=-1)
