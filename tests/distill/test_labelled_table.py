"""A table of texts and probabilities as a teacher: what it knows, and what it refuses."""

import numpy
import pandas as pd
import pyarrow as pa
import pytest

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.source import Source
from spacy_attn.distill.labelled_table import LabelledTable
from spacy_attn.tables.shards import cut


def table(tmp_path, columns, **settings):
    path = tmp_path / "labelled.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return LabelledTable(str(path), **{"exclusive": True, **settings})


def look_up(labelled, *texts):
    found = labelled(pa.table({"text": list(texts)}))
    return [list(row.values())[1:] for row in found.to_pylist()]


def shards(tmp_path, *texts):
    pd.DataFrame({"text": texts}).to_parquet(tmp_path / "texts.parquet")
    source = Source(str(tmp_path / "texts.parquet"))
    source.columns, source.all_columns = ("text",), True
    return cut(source, 2)


TWO = {"text": ["one", "two"], "score_a": [0.25, 0.5], "score_b": [0.75, 0.5], "id": [1, 2]}


def test_a_text_gets_its_probabilities_and_one_that_is_not_there_nulls(tmp_path):
    labelled = table(tmp_path, TWO)
    assert labelled.labels == ("a", "b")
    assert look_up(labelled, "two", "One", "one") == [[0.5, 0.5], [None, None], [0.25, 0.75]]
    assert labelled.knows(["one", "two"])
    assert not labelled.knows(["one", "One"])


def test_of_a_text_in_several_rows_the_mean_counts(tmp_path):
    columns = {"text": ["one"] * 4, "score_a": [0, 0, 1, 0], "score_b": [1, 1, 0, 1]}
    assert look_up(table(tmp_path, columns), "one") == [[0.25, 0.75]]


def test_of_a_label_that_only_some_rows_of_a_text_have_the_mean_is_of_these(tmp_path):
    columns = {"text": ["one"] * 3, "score_a": [0.5, 0.25, None], "score_b": [0.5, None, None]}
    with pytest.warns(UserWarning, match="skipped 1 values of the label 'b'"):
        assert look_up(table(tmp_path, columns, exclusive=False), "one") == [[0.375, 0.5]]


def test_columns_are_renamed_to_labels_and_labels_to_others(tmp_path):
    assert table(tmp_path, TWO, renamed={"a": "good"}).labels == ("good", "b")
    assert table(tmp_path, TWO, renamed={"score_b": "good"}).labels == ("a", "good")
    columns = {"body": ["one"], "p": [0.25], "q": [0.75], "score_x": [7]}
    labelled = table(tmp_path, columns, text_column=["body"], renamed={"p": "good", "q": "bad"})
    assert labelled.labels == ("good", "bad")
    assert look_up(labelled, "one") == [[0.25, 0.75]]


def test_two_columns_of_one_label_are_refused_with_their_names(tmp_path):
    said = r"'score_a' and 'score_b' both have the label 'b'"
    with pytest.raises(DatasetError, match=said):
        table(tmp_path, TWO, renamed={"a": "b"})


def test_without_a_column_of_probabilities_the_error_names_those_that_there_are(tmp_path):
    with pytest.raises(DatasetError, match=r"no column of probabilities.*COLUMN=LABEL.*'p'"):
        table(tmp_path, {"text": ["one"], "p": [0.5]})


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([-0.25, 1.25], r"row 1 .*column 'score_a' has -0.25 for the label 'a'"),
        ([0.5, 0.25], "row 1 .*labels that sum to 0.75"),
        ([0.5, "?"], r"row 1 .*column 'score_b' has '\?'"),
    ],
)
def test_what_are_no_probabilities_is_refused_with_the_row(tmp_path, scores, said):
    columns = {"text": ["one", "two"], "score_a": [0.5, scores[0]], "score_b": [0.5, scores[1]]}
    with pytest.raises(DatasetError, match=said):
        look_up(table(tmp_path, columns), "one")


def test_probabilities_of_independent_labels_have_any_sum(tmp_path):
    columns = {"text": ["one"], "score_a": [1.0], "score_b": [0.75]}
    assert look_up(table(tmp_path, columns, exclusive=False), "one") == [[1.0, 0.75]]


def test_rows_without_a_probability_are_passed_over_with_a_warning(tmp_path):
    columns = {"text": ["one", "two"], "score_a": [0.5, None], "score_b": [0.5, None]}
    with pytest.warns(UserWarning, match="skipped 1 rows for want of a value in column 'score_a'"):
        assert look_up(table(tmp_path, columns), "one", "two") == [[0.5, 0.5], [None, None]]


def test_files_are_written_for_each_shard_with_all_its_rows(tmp_path):
    files = table(tmp_path, TWO).label(shards(tmp_path, "x", "one", "two"), tmp_path / "teacher")
    first, second = (pd.read_parquet(file) for file in files)
    assert first["text"].tolist() == ["x", "one"]
    assert numpy.isnan(first["score_a"][0])
    assert second.values.tolist() == [["two", 0.5, 0.5]]


def test_a_table_may_lack_the_first_label_of_all_texts(tmp_path):
    columns = {"text": ["one"], "score_a": [None], "score_b": [0.75]}
    labelled = table(tmp_path, columns, exclusive=False)
    with pytest.warns(UserWarning, match="skipped 1 values of the label 'a'"):
        (file,) = labelled.label(shards(tmp_path, "one"), tmp_path / "teacher")
    assert pd.read_parquet(file)["score_b"].tolist() == [0.75]


def test_a_table_of_other_texts_is_refused_with_one_of_each(tmp_path):
    with pytest.raises(DatasetError, match=r"none of the texts.*'x'.*'one'.*--texts"):
        table(tmp_path, TWO).label(shards(tmp_path, "x", "y"), tmp_path / "teacher")
