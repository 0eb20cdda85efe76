import pickle

import numpy
import pyarrow
import pytest

import spacy_attn
from spacy_attn import Annotator
from spacy_attn.tables.annotator import RowError

from ..conftest import LABELS, MIXED_TEXTS

ALL = {"attention": True, "contributions": True, "tokens": True}


def test_an_arrow_table_gets_what_the_pipeline_says_of_each_row_in_order(model, trained_nlp, table):
    added = (
        Annotator(model, **ALL, batch_size=4)(table).drop_columns(table.column_names).to_pylist()
    )
    explained = spacy_attn.explain(trained_nlp, MIXED_TEXTS)
    for row, doc, explanation in zip(added, trained_nlp.pipe(MIXED_TEXTS), explained, strict=True):
        assert row["label"] == max(doc.cats, key=doc.cats.__getitem__)
        assert row["tokens"] == [token.text for token in doc]
        for label in LABELS:
            assert row[f"score_{label}"] == pytest.approx(doc.cats[label], abs=1e-6)
            values = row["contributions"][label]
            numpy.testing.assert_allclose(values, explanation.of_label(label), atol=1e-5)
        numpy.testing.assert_allclose(row["attention"], doc._.attention, atol=1e-6)


def test_the_schema_is_known_before_any_row_is_read_and_is_that_of_the_result(model, table):
    annotator = Annotator(model, **ALL)
    schema = annotator.schema(table.schema)
    for part in (table, table.slice(0, 0)):
        assert annotator(part).schema.equals(schema, check_metadata=True)


def test_columns_that_are_there_stay_as_they_are(model, table):
    annotated = Annotator(model)(table)
    assert annotated.select(table.column_names).equals(table, check_metadata=True)
    assert annotated.column_names[:3] == table.column_names


@pytest.mark.parametrize("value", [None, 7])
def test_a_row_without_a_text_is_named_or_left_null_and_counted(model, value):
    texts = ["fun", value, "dull"]
    with pytest.raises(RowError, match=r"Row 1 of this table .*column 'text'"):
        Annotator(model)({"text": texts})
    annotator = Annotator(model, on_error="null", **ALL)
    annotated = annotator({"text": texts})
    assert annotator.n_failed == 1
    assert annotated["text"] == texts
    assert [values[1] for name, values in annotated.items() if name != "text"] == [None] * 6
    assert all(values[row] is not None for values in annotated.values() for row in (0, 2))


def test_an_annotator_is_pickled_as_the_folder_of_its_model_the_same_after_use(model, table):
    annotator = Annotator(model, on_error="null")
    before = pickle.dumps(annotator)
    annotator(pyarrow.table({"text": ["fun", None]}))
    assert pickle.dumps(annotator) == before
    assert len(before) < 1000
    assert pickle.loads(before)(table).equals(annotator(table))
