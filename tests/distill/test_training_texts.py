"""The texts that a student learns from: which are used, and which are left out."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.reader import HFDataset
from spacy_attn.distill.training_texts import write_texts


def corpus(rows):
    """A reader of texts with their labels."""

    def read(nlp):
        for text, cats in rows:
            yield Example.from_dict(nlp.make_doc(text), {"cats": cats})

    return read


def source(tmp_path, texts, name="further.parquet", column="text"):
    path = tmp_path / name
    pq.write_table(pa.table({column: texts, "id": list(range(len(texts)))}), path)
    return HFDataset(str(path), label_column=[])


def collect(tmp_path, rows, sources=(), held_out=(), augmenter=None):
    path, scored = tmp_path / "texts.parquet", map(corpus, held_out)
    counts = write_texts(path, spacy.blank("en"), corpus(rows), sources, scored, augmenter)
    return counts, pq.read_table(path).to_pylist()


def test_annotated_and_further_texts_come_in_their_order_with_and_without_labels(tmp_path):
    further = [source(tmp_path, ["three", "four"]), source(tmp_path, ["five"], "more.parquet")]
    counts, rows = collect(tmp_path, [("one", {"a": 1.0, "b": 0.0}), ("two", {})], further)
    assert [row["text"] for row in rows] == ["one", "two", "three", "four", "five"]
    assert rows[0]["gold"] == [("a", 1.0), ("b", 0.0)]
    assert [row["gold"] for row in rows[1:]] == [None] * 4
    assert (counts.annotated, counts.further) == (2, 3)


def test_a_further_text_that_is_scored_or_repeated_is_left_out_and_counted(tmp_path):
    texts = ["One!", "new", "NEW.", "to be   scored?", "won't", " ", "", "..."]
    counts, rows = collect(
        tmp_path,
        [("one", {"a": 1.0})],
        [source(tmp_path, texts)],
        [[("To be scored", {"a": 1.0}), ("wo n't", {"a": 1.0})]],
    )
    assert [row["text"] for row in rows] == ["one", "new", "..."]
    assert (counts.repeated, counts.held_out, counts.blank) == (2, 2, 2)


def test_texts_that_differ_in_emoji_signs_or_vowel_signs_are_all_used(tmp_path):
    texts = ["👍", "great 👍", "great 👎", "+5", "-5", ":-)", ":-(", "दिन", "दान", "caf\u00e9"]
    counts, rows = collect(tmp_path, [("one", {})], [source(tmp_path, [*texts, "cafe\u0301"])])
    assert [row["text"] for row in rows[1:]] == texts
    assert (counts.repeated, counts.blank) == (1, 0)


def test_a_further_text_that_no_pipeline_reads_is_left_out_and_counted(tmp_path):
    counts, rows = collect(tmp_path, [("one", {})], [source(tmp_path, ["x" * 1_000_001, "y"])])
    assert [row["text"] for row in rows] == ["one", "y"]
    assert counts.too_long == 1


def test_variants_follow_their_text_without_labels_unless_another_text_is_the_same(tmp_path):
    def augment(nlp, example):
        yield example
        for ending in ("", "!", " yes", " no", " maybe", " yes"):
            doc = nlp.make_doc(example.text + ending)
            yield Example.from_dict(doc, {"cats": {"a": 0.5}})

    counts, rows = collect(
        tmp_path,
        [("one", {"a": 1.0})],
        [source(tmp_path, ["two", "one yes", "two no"])],
        [[("one maybe", {"a": 1.0})]],
        augment,
    )
    texts = ["one", "one yes", "one no", "two", "two yes", "two no", "two maybe"]
    assert [row["text"] for row in rows] == texts
    assert [row["gold"] for row in rows] == [[("a", 1.0)], *[None] * 6]
    assert (counts.annotated, counts.further, counts.variants) == (1, 1, 5)
    # The last two are the same as variants of texts before.
    assert counts.repeated == 2


def test_annotated_texts_all_stay_also_repeated_and_empty_ones(tmp_path):
    counts, rows = collect(tmp_path, [("one", {"a": 1.0}), ("One", {"a": 0.0}), ("", {})])
    assert [row["text"] for row in rows] == ["one", "One", ""]
    assert counts.annotated == 3


@pytest.mark.parametrize(("value", "said"), [(None, "null where .* skip_missing"), (7, "holds 7")])
def test_a_row_without_a_text_is_named(tmp_path, value, said):
    texts = pa.array([None, None]) if value is None else pa.array([value, value])
    with pytest.raises(DatasetError, match=rf"row 0 \(counted from 0\): column 'text' .*{said}"):
        collect(tmp_path, [("one", {})], [source(tmp_path, texts)])


def test_documents_of_spacy_are_further_texts_too(tmp_path):
    docs = [spacy.blank("en").make_doc(text) for text in ("two", "three")]
    DocBin(docs=docs).to_disk(tmp_path / "more.spacy")
    counts, rows = collect(tmp_path, [("one", {})], [HFDataset(str(tmp_path / "more.spacy"))])
    assert [row["text"] for row in rows] == ["one", "two", "three"]
    assert counts.further == 2


def test_a_missing_column_is_named_with_those_that_there_are(tmp_path):
    with pytest.raises(DatasetError, match=r"'text'.*body"):
        collect(tmp_path, [("one", {})], [source(tmp_path, ["two"], column="body")])
