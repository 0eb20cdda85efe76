import json
import warnings
from itertools import pairwise

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span, Token

from spacy_attn.results.extensions import install_extensions
from spacy_attn.results.token_values import get_values, set_values

from ..conftest import MIXED_TEXTS, copies_of

VOCAB = spacy.blank("xx").vocab
WORDS = ["Mr", "Smith", "goes", "to", "Washington", "!"]
WEIGHTS = numpy.array([0.1, 0.2, 0.3, 0.25, 0.1, 0.05], dtype=numpy.float32)


@pytest.fixture(autouse=True)
def installed():
    install_extensions()


@pytest.fixture
def doc() -> Doc:
    doc = Doc(VOCAB, words=WORDS, spaces=[True, True, True, True, False, False])
    set_values(doc, WEIGHTS)
    return doc


def test_document_has_an_array_tokens_and_spans_have_their_share(doc):
    numpy.testing.assert_array_equal(doc._.attention, WEIGHTS)
    assert doc._.attention.dtype == numpy.float32
    assert [token._.attention for token in doc] == WEIGHTS.tolist()
    assert isinstance(doc[1]._.attention, float)
    assert doc[1:4]._.attention == pytest.approx(0.75)
    assert doc[2:2]._.attention == 0.0


def test_a_document_that_no_component_has_seen_has_none():
    doc = Doc(VOCAB, words=["unseen"])
    assert doc._.attention is None
    assert doc[0]._.attention is None
    assert doc[0:1]._.attention is None


def test_attention_owns_its_memory_and_is_read_only(doc):
    batch = numpy.ones(1000, dtype=numpy.float32)
    set_values(doc, batch[:6])
    assert doc._.attention.flags.owndata
    batch[:] = 7
    assert (doc._.attention == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        doc._.attention[0] = 1.0


def test_json_takes_it_as_a_list_beside_what_spacy_writes(doc):
    """As the README has it: spaCy itself refuses arrays."""
    with pytest.raises(ValueError, match="E107"):
        doc.to_json(underscore=["attention"])
    data = json.loads(json.dumps({**doc.to_json(), "attention": doc._.attention.tolist()}))
    assert data["attention"] == WEIGHTS.tolist()
    assert Doc(VOCAB).from_json(data, validate=True).text == doc.text


@pytest.mark.parametrize("get", [lambda doc: doc, lambda doc: doc[0], lambda doc: doc[0:2]])
def test_assigning_the_attribute_is_refused(doc, get):
    with pytest.raises(AttributeError, match="read-only"):
        get(doc)._.attention = [1.0]


def test_attention_survives_bytes_pickle_copy_and_docbin(doc):
    for how, copied in copies_of(doc):
        assert copied._.attention is not None, how
        numpy.testing.assert_array_equal(copied._.attention, WEIGHTS, err_msg=how)
        assert copied._.attention.flags.owndata, how
        assert copied[1]._.attention == doc[1]._.attention, how


def test_a_copy_made_after_merging_is_in_line_with_its_tokens(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    for how, copied in copies_of(doc):
        numpy.testing.assert_allclose(
            copied._.attention, [0.3, 0.3, 0.25, 0.1, 0.05], atol=1e-6, err_msg=how
        )


def test_a_merged_token_carries_the_sum(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.merge(doc[4:6])
    assert [token._.attention for token in doc] == pytest.approx([0.3, 0.3, 0.25, 0.15])
    numpy.testing.assert_allclose(doc._.attention, [0.3, 0.3, 0.25, 0.15], atol=1e-6)
    assert doc[0:1]._.attention == pytest.approx(0.3)


def test_the_parts_of_a_split_token_share_its_weight_by_their_length(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[4], ["Washing", "ton"], heads=[(doc[4], 1), doc[3]])
    numpy.testing.assert_allclose(
        doc._.attention, [0.1, 0.2, 0.3, 0.25, 0.07, 0.03, 0.05], atol=1e-6
    )


def test_a_merge_and_a_split_that_keep_the_number_of_tokens_are_noticed(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[4], ["Washing", "ton"], heads=[(doc[4], 1), doc[3]])
    assert len(doc) == len(WORDS)
    expected = [0.3, 0.3, 0.25, 0.07, 0.03, 0.05]
    assert [token._.attention for token in doc] == pytest.approx(expected)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_any_merges_keep_the_sum_of_each_stretch_of_text(word_lengths, data):
    n = len(word_lengths)
    spaces = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    doc = Doc(VOCAB, words=["x" * length for length in word_lengths], spaces=spaces)
    weights = numpy.random.default_rng(n).dirichlet(numpy.ones(n)).astype(numpy.float32)
    set_values(doc, weights)
    cuts = sorted(data.draw(st.sets(st.integers(1, n), max_size=n)) | {0, n})
    with doc.retokenize() as retokenizer:
        for start, end in pairwise(cuts):
            retokenizer.merge(doc[start:end])
    sums = [weights[start:end].sum() for start, end in pairwise(cuts)]
    numpy.testing.assert_allclose(doc._.attention, sums, atol=1e-6)


def test_a_part_cut_out_of_a_document_has_no_attention_of_its_own(doc):
    part = doc[0:3].as_doc(copy_user_data=True)
    assert part._.attention is None
    assert part[0]._.attention is None


def test_weights_of_another_text_are_never_shown():
    doc = Doc(VOCAB, words=WORDS)
    set_values(doc, WEIGHTS)
    other = Doc(VOCAB, words=WORDS[:5], user_data=doc.user_data)
    assert other._.attention is None
    assert other[0]._.attention is None


def test_concatenating_documents_says_that_attention_is_left_out(doc):
    with pytest.warns(UserWarning, match="W101.*attention"):
        both = Doc.from_docs([doc, doc.copy()])
    assert both._.attention is None


def test_reading_a_token_does_not_touch_the_whole_document(doc, monkeypatch):
    assert doc[2]._.attention is not None  # the bounds of all tokens are found once
    for module, name in (
        ("doc_data", "token_bounds"),
        ("token_values", "token_bounds"),
        ("token_values", "token_layout"),
    ):
        monkeypatch.setattr(f"spacy_attn.results.{module}.{name}", None)
    assert doc[3]._.attention == pytest.approx(0.25)


def test_a_foreign_extension_of_the_same_name_is_a_clear_error_and_stays():
    for owner in (Doc, Token, Span):
        owner.set_extension("foreign_attention", default="mine")
        with pytest.raises(
            ValueError, match=r"'.*\._\.foreign_attention' exists already.*attention_attr"
        ):
            install_extensions("foreign_attention")
        assert owner.get_extension("foreign_attention")[0] == "mine"
        owner.remove_extension("foreign_attention")
        assert not any(o.has_extension("foreign_attention") for o in (Doc, Token, Span))


@pytest.mark.parametrize("name", ["", "get", "set", "has", "1st", "no good"])
def test_a_name_that_cannot_be_an_attribute_is_refused(name):
    with pytest.raises(ValueError, match="'attention_attr' must be a name"):
        install_extensions(name)


def test_two_attributes_of_different_names_are_kept_apart(doc):
    install_extensions("other_attention")
    set_values(doc, WEIGHTS[::-1], "other_attention")
    numpy.testing.assert_array_equal(doc._.attention, WEIGHTS)
    numpy.testing.assert_array_equal(doc._.other_attention, WEIGHTS[::-1])


def test_real_documents_of_all_lengths_round_trip(trained_nlp):
    for doc in trained_nlp.pipe(MIXED_TEXTS):
        assert len(get_values(doc)) == len(doc)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            copied = Doc(trained_nlp.vocab).from_bytes(doc.to_bytes())
        numpy.testing.assert_array_equal(copied._.attention, doc._.attention)
