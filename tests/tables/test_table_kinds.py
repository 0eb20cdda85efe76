import copy
from types import MappingProxyType

import numpy
import pandas
import pyarrow
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from spacy_attn import Annotator

# A column of each type that tables have, and values of it.
KINDS = {
    pyarrow.int8(): st.integers(-128, 127),
    pyarrow.int64(): st.integers(-(2**63), 2**63 - 1),
    pyarrow.float32(): st.floats(width=32, allow_nan=False),
    pyarrow.bool_(): st.booleans(),
    pyarrow.large_string(): st.text(max_size=5),
    pyarrow.binary(): st.binary(max_size=5),
    pyarrow.timestamp("ns", "UTC"): st.integers(0, 2**60),
    pyarrow.list_(pyarrow.int16()): st.lists(st.integers(0, 99), max_size=3),
    pyarrow.struct({"a": pyarrow.int8(), "b": pyarrow.string()}): st.fixed_dictionaries(
        {"a": st.integers(0, 9), "b": st.text(max_size=2)}
    ),
    pyarrow.dictionary(pyarrow.int8(), pyarrow.string()): st.sampled_from(["x", "y"]),
}
TEXT_TYPES = [
    pyarrow.string(),
    pyarrow.large_string(),
    pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
]


@st.composite
def tables(draw):
    """Arrow tables of several chunks, with a column of texts that say which row they belong to."""
    n = draw(st.integers(0, 12))
    types = draw(st.lists(st.sampled_from(list(KINDS)), max_size=4))
    fields = [pyarrow.field(name, each) for name, each in zip("ABCD", types, strict=False)]
    columns = [draw(st.lists(st.none() | KINDS[each], min_size=n, max_size=n)) for each in types]
    at = draw(st.integers(0, len(fields)))
    text_type = draw(st.sampled_from(TEXT_TYPES))
    fields.insert(at, pyarrow.field("text", text_type, metadata={"of": "texts"}))
    columns.insert(at, [f"{i} " * (i % 3) + f"row{i}" for i in range(n)])
    table = pyarrow.table(
        [pyarrow.array(values, field.type) for values, field in zip(columns, fields, strict=True)],
        schema=pyarrow.schema(fields, metadata={"made": "by chance"}),
    )
    middle = draw(st.integers(0, n))
    return pyarrow.concat_tables([table.slice(0, middle), table.slice(middle)])


@pytest.fixture(scope="module")
def annotator():
    """Says which tokens a text has, so that rows and answers can be compared."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("count_characters")
    return Annotator(nlp, tokens=True, batch_size=4)


@Language.component("count_characters")
def count_characters(doc: Doc) -> Doc:
    if doc.text.startswith("refused"):
        raise RuntimeError("refused")
    doc.cats = {"length": len(doc.text), "even": 1.0 - len(doc.text) % 2}
    return doc


def expected(texts):
    return {
        "labels": [["length", "even"] if len(text) % 2 == 0 else ["length"] for text in texts],
        "score_length": [float(len(text)) for text in texts],
        "score_even": [1.0 - len(text) % 2 for text in texts],
        "tokens": [text.split() for text in texts],
    }


ADDED = list(expected([]))


@given(table=tables())
def test_an_arrow_table_keeps_its_rows_columns_types_and_metadata(annotator, table):
    annotated = annotator(table)
    assert annotated.select(table.column_names).equals(table, check_metadata=True)
    assert annotated.column_names == [*table.column_names, *ADDED]
    assert annotated.select(ADDED).to_pydict() == expected(table["text"].to_pylist())
    assert annotated.schema.equals(annotator.schema(table.schema), check_metadata=True)


@given(table=tables())
def test_a_record_batch_comes_back_as_one(annotator, table):
    batch = pyarrow.RecordBatch.from_pylist(table.to_pylist(), table.schema)
    annotated = annotator(batch)
    assert isinstance(annotated, pyarrow.RecordBatch)
    assert pyarrow.Table.from_batches([annotated]).equals(
        annotator(pyarrow.Table.from_batches([batch])), check_metadata=True
    )


@given(table=tables(), data=st.data())
def test_a_data_frame_keeps_its_index_types_and_attributes(annotator, table, data):
    frame = table.to_pandas()
    labels = st.lists(st.integers(0, 3), min_size=len(frame), max_size=len(frame))
    frame.index = pandas.Index(data.draw(labels), name="key")
    frame.attrs["made"] = "by chance"
    before = frame.copy()
    annotated = annotator(frame)
    pandas.testing.assert_frame_equal(frame, before)
    pandas.testing.assert_frame_equal(annotated[before.columns], before)
    assert annotated.attrs == {"made": "by chance"}
    assert list(annotated) == [*before.columns, *ADDED]
    found = annotated[ADDED].to_dict("list")
    found = {name: [_plain(value) for value in values] for name, values in found.items()}
    assert found == expected(list(frame["text"]))


@given(table=tables())
def test_a_mapping_keeps_its_values_and_gets_lists(annotator, table):
    columns = table.to_pydict()
    annotated = annotator(columns)
    assert list(columns) == table.column_names
    assert all(annotated[name] is values for name, values in columns.items())
    assert {name: annotated[name] for name in ADDED} == expected(columns["text"])


values = st.text("ab ", max_size=9) | st.sampled_from([None, 3, 0.5, "refused", "x" * 1_000_001])


@given(column=st.lists(values, max_size=20), batch_size=st.integers(1, 6))
def test_whichever_rows_fail_all_others_have_what_they_have_alone(annotator, column, batch_size):
    forgiving = copy.copy(annotator)
    forgiving.on_error, forgiving.batch_size, forgiving.n_failed = "null", batch_size, 0
    annotated = forgiving({"text": column})
    bad = [not isinstance(each, str) or each == "refused" or len(each) > 99 for each in column]
    assert [tokens is None for tokens in annotated["tokens"]] == bad
    assert forgiving.n_failed == sum(bad)
    for row, text in enumerate(column):
        if not bad[row]:
            alone = annotator({"text": [text]})
            assert {name: annotated[name][row] for name in ADDED} == {
                name: alone[name][0] for name in ADDED
            }


@pytest.mark.parametrize(
    "texts", [["a", "b c"], ("a", "b c"), numpy.array(["a", "b c"]), pyarrow.array(["a", "b c"])]
)
def test_the_texts_of_a_mapping_may_be_any_sequence(annotator, texts):
    assert annotator({"text": texts})["tokens"] == [["a"], ["b", "c"]]
    assert annotator(MappingProxyType({"text": texts}))["tokens"] == [["a"], ["b", "c"]]


@pytest.mark.parametrize("missing", [None, numpy.nan, pandas.NA])
@pytest.mark.parametrize("dtype", [object, "str"])
def test_whatever_pandas_calls_missing_is_null(annotator, missing, dtype):
    texts = pandas.Series(["a", missing], index=["x", "y"], dtype=dtype)
    frame = pandas.DataFrame({"text": texts})
    with pytest.raises(ValueError, match=r"Row 1 .*; index: y\): column 'text' is null"):
        annotator(frame)


def test_a_single_row_is_refused_saying_what_to_do(annotator):
    with pytest.raises(TypeError, match=r"'text' of a mapping must be a list .*batched=True"):
        annotator({"text": "a text"})
    with pytest.raises(TypeError, match="or a PyArrow table, but not list"):
        annotator(["a text"])


def _plain(value):
    return value.tolist() if isinstance(value, numpy.ndarray) else value
