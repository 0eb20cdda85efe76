"""The reader of pairs of texts: sources as tokens, targets on the reference, what is refused."""

import pytest
from datasets import Dataset
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.util import registry
from thinc.api import Config

from spacy_attn.data import DatasetError, HFPairs
from spacy_attn.results.written_data import generated_text, store_target

PAIRS = [("Guten  Morgen!", "Good\tmorning! "), ("Ja 🎉", "")]
STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture
def pairs(nlp):
    """Go through a reader once, and return the sources and targets."""

    def read_all(path, **settings):
        examples = HFPairs(path, **settings)(nlp)
        return [(example.text, generated_text(example.reference)) for example in examples]

    return read_all


@pytest.fixture
def written(write):
    return write([{"source": source, "target": target} for source, target in PAIRS])


@STREAMING
def test_texts_are_not_changed(written, pairs, streaming):
    assert pairs(written, streaming=streaming) == PAIRS


def test_predicted_document_has_the_tokens_and_not_the_target(written, nlp):
    example = next(HFPairs(written)(nlp))
    assert [t.text for t in example.predicted] == [t.text for t in nlp("Guten  Morgen!")]
    assert generated_text(example.predicted) is None
    assert not example.predicted.user_data


@STREAMING
def test_columns_may_lie_within_another_one(write, pairs, streaming):
    rows = [{"id": i, "translation": {"de": de, "en": en}} for i, (de, en) in enumerate(PAIRS)]
    settings = {"source_column": "translation.de", "target_column": "translation.en"}
    assert pairs(write(rows), streaming=streaming, **settings) == PAIRS
    mixed = [{"id": "x", "pair": {"deep": {"de": "Ja"}}}]
    assert pairs(
        write(mixed), streaming=streaming, source_column="pair.deep.de", target_column="id"
    ) == [("Ja", "x")]


@STREAMING
@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_column_may_have_a_dot_in_its_name(pairs, streaming, kind):
    settings = {"source_column": "text.de", "target_column": "text.en", "streaming": streaming}
    rows = [
        {"text.de": "Ja", "text.en": "Yes"},
        # Also where there is the column that a dot could lead into.
        {"text": "x", "text.de": "Ja", "text.en": "Yes"},
        {"text": {"de": "Ja"}, "text.en": "Yes"},
    ]
    # There is no mapping in CSV.
    for i, row in enumerate(rows[:2] if kind == "csv" else rows):
        path = f"{i}.{kind}"
        getattr(Dataset.from_list([row]), f"to_{kind}")(path)
        assert pairs(path, **settings) == [("Ja", "Yes")]


def test_a_config_names_the_reader_the_columns_and_the_attribute(write, nlp):
    path = write([{"de": "Ja", "en": "Yes"}])
    config = Config().from_str(
        f'[train]\n@readers = "spacy-attn.HFPairs.v1"\npath = "{path}"\n'
        'source_column = "de"\ntarget_column = "en"\ngenerated_attr = "english"\n'
    )
    [example] = registry.resolve(config)["train"](nlp)
    assert example.text == "Ja"
    assert generated_text(example.reference, "english") == "Yes"
    assert generated_text(example.reference) is None


@STREAMING
@pytest.mark.parametrize("column", ["source", "target"])
@pytest.mark.parametrize("value", [None, " \n"])
def test_missing_texts_are_skipped_and_null_is_refused_otherwise(
    write, pairs, column, value, streaming
):
    path = write([{"source": "a", "target": "b"}, {"source": "a", "target": "b", column: value}])
    if value is None:
        with pytest.raises(DatasetError, match=f"row 1 .*'{column}' is null .*skip_missing = true"):
            pairs(path, streaming=streaming)
    else:
        assert len(pairs(path, streaming=streaming)) == 2
    with pytest.warns(UserWarning, match=f"skipped 1 rows for want of .* column '{column}'"):
        assert pairs(path, streaming=streaming, skip_missing=True) == [("a", "b")]


def test_a_mapping_that_is_null_is_a_missing_text(write, pairs):
    path = write([{"t": {"de": "Ja", "en": "Yes"}}, {"t": None}])
    settings = {"source_column": "t.de", "target_column": "t.en"}
    with pytest.raises(DatasetError, match=r"row 1 .*'t\.de' is null where a text is wanted"):
        pairs(path, **settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"source_column": "quelle"}, r"there is no column 'quelle'; .*'number', 'deep'"),
        ({"source_column": "quelle.de"}, r"there is no column 'quelle\.de'; .*'number', 'deep'"),
        ({"source_column": "number"}, r"'number' holds 5 of type int where a text is wanted; name"),
        ({"source_column": "deep"}, r"'deep' holds {.*} of type dict .* in 'source_column'"),
        ({"source_column": "deep.fr"}, r"'deep\.fr' leads to 'fr', and there are 'de', 'en'; corr"),
        ({"source_column": "source.de"}, r"'source\.de' leads into 'a' of type str, which has no"),
        ({"source_column": ""}, r"'source_column' must name a column"),
        ({"target_column": "deep..en"}, r"'target_column' must name a column, .*'deep\.\.en'"),
        ({"target_column": "source"}, r"'source_column' and 'target_column' name the same column"),
    ],
)
def test_columns_that_are_no_texts_are_refused(write, pairs, settings, expected):
    row = {"source": "a", "target": "b", "number": 5, "deep": {"de": "Ja", "en": "Yes"}}
    with pytest.raises(DatasetError, match=expected):
        pairs(write([row]), **settings)


def test_a_text_longer_than_the_pipeline_allows_is_refused(write, nlp, pairs, monkeypatch):
    monkeypatch.setattr(nlp, "max_length", 10)
    path = write([{"source": "a" * 11, "target": "b"}])
    with pytest.raises(DatasetError, match=r"row 0 .*'source' makes a text of 11 characters"):
        pairs(path)


def test_stored_documents_keep_their_targets_for_this_reader_and_spacys(written, nlp, pairs):
    references = [example.reference for example in HFPairs(written)(nlp)]
    DocBin(docs=references, store_user_data=True).to_disk("stored.spacy")
    assert pairs("stored.spacy") == PAIRS
    examples = list(Corpus("stored.spacy")(nlp))
    assert [generated_text(example.reference) for example in examples] == ["Good\tmorning! ", ""]
    assert not any(example.predicted.user_data for example in examples)
    with pytest.raises(DatasetError, match="'source_column' has no meaning"):
        pairs("stored.spacy", source_column="de")


def test_stored_documents_without_a_target_are_refused(nlp, pairs):
    one, two = Doc(nlp.vocab, words=["Ja"]), Doc(nlp.vocab, words=["Nein"])
    store_target(one, "Yes")
    DocBin(docs=[one, two], store_user_data=True).to_disk("stored.spacy")
    expected = (
        r"document 1 \(counted from 0\), 'Nein .*no target in 'doc\._\.generated'; .* skip_missing"
    )
    with pytest.raises(DatasetError, match=expected):
        pairs("stored.spacy")


def test_stored_documents_without_a_target_are_skipped_and_counted(nlp, pairs):
    one, two = Doc(nlp.vocab, words=["Ja"]), Doc(nlp.vocab, words=["Nein"])
    store_target(two, "No")
    DocBin(docs=[one, two], store_user_data=True).to_disk("stored.spacy")
    with pytest.warns(
        UserWarning, match=r"skipped 1 documents .* no target in 'doc\._\.generated'"
    ):
        assert pairs("stored.spacy", skip_missing=True) == [("Nein ", "No")]
    DocBin(docs=[one], store_user_data=True).to_disk("stored.spacy")
    with pytest.raises(DatasetError, match="every document was skipped"):
        pairs("stored.spacy", skip_missing=True)
