"""The setting `contributions_attr`: the contributions kept on the document."""

from itertools import pairwise

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from spacy.tokens import Doc

from spacy_attn.models.embeddings.vocabulary import WordVocabulary
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.head import AttentionHead
from spacy_attn.results.extensions import install_contributions
from spacy_attn.results.token_values import get_values, set_values

from ..conftest import (
    MIXED_TEXTS,
    SMALL_MODEL,
    assert_same_predictions,
    copies_of,
    make_nlp,
    train,
)

VOCAB = spacy.blank("xx").vocab
WITNESS = "A gorgeous, witty, seductive movie."


@pytest.fixture(scope="module", params=["attn_textcat", "attn_textcat_multilabel"])
def nlp(request):
    nlp = make_nlp(request.param, contributions_attr="contributions")
    train(nlp)
    nlp.get_pipe(request.param).cfg["temperature"] = 1.7
    return nlp


def test_contributions_and_bias_add_up_to_the_logits_of_the_scores(nlp):
    name = nlp.pipe_names[-1]
    (nothing,) = nlp.get_pipe(name).explain([nlp.make_doc("")])
    for doc in nlp.pipe(MIXED_TEXTS):
        logits = doc._.contributions.sum(axis=0, dtype=numpy.float64) + nothing.bias
        scores = softmax(logits) if name == "attn_textcat" else expit(logits)
        assert doc.cats == pytest.approx(dict(zip(doc.cats, scores, strict=True)), abs=1e-6)


def test_documents_keep_what_explain_finds(nlp):
    component = nlp.get_pipe(nlp.pipe_names[-1])
    docs = list(nlp.pipe(MIXED_TEXTS))
    for doc, explanation in zip(docs, component.explain(docs), strict=True):
        values = doc._.contributions
        assert values.dtype == numpy.float32
        assert values.shape == (len(doc), 2)
        assert values.flags.owndata
        assert not values.flags.writeable
        numpy.testing.assert_allclose(values, explanation.contributions, atol=1e-6)
        assert doc._.contributions_labels == component.labels == explanation.labels


def test_tokens_have_a_row_and_spans_the_sum_of_theirs(nlp):
    doc = nlp(WITNESS)
    for token in doc:
        numpy.testing.assert_array_equal(token._.contributions, doc._.contributions[token.i])
    numpy.testing.assert_allclose(
        doc[1:4]._.contributions, doc._.contributions[1:4].sum(axis=0), atol=1e-6
    )
    with pytest.raises(ValueError, match="read-only"):
        doc[0]._.contributions[0] = 1.0
    with pytest.raises(AttributeError, match=r"token\._\.contributions' is read-only"):
        doc[0]._.contributions = 1.0


def test_scores_and_attention_are_the_same_with_the_setting_as_without(nlp):
    name = nlp.pipe_names[-1]
    other = make_nlp(name)
    other.get_pipe(name).from_bytes(nlp.get_pipe(name).to_bytes())
    # The hidden states of all documents are kept at once with it, which rounds otherwise.
    assert_same_predictions(nlp, other, atol=1e-6)


@pytest.mark.parametrize("attr", [None, "contributions"])
def test_a_prediction_is_one_pass_through_the_model(attr, monkeypatch):
    nlp = make_nlp(contributions_attr=attr)
    calls = []

    def count(owner, name, what):
        function = getattr(owner, name)

        def counting(*args, **kwargs):
            calls.append(what)
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    count(WordVocabulary, "rows", "embedding")
    count(BiLSTM, "encode", "encoder")
    count(AttentionHead, "forward", "head")
    list(nlp.pipe([WITNESS, WITNESS]))
    assert calls == ["embedding", "encoder", "head"]


def test_without_the_setting_nothing_is_computed_and_nothing_stored(monkeypatch):
    nlp = make_nlp()
    monkeypatch.setattr(type(nlp.get_pipe("attn_textcat")), "_predict_parts", None)
    assert len(nlp(WITNESS).user_data) == 1


@pytest.mark.parametrize("text", [WITNESS, ""])
def test_contributions_and_their_labels_survive_bytes_pickle_copy_and_docbin(nlp, text):
    doc = nlp(text)
    for how, copied in copies_of(doc):
        numpy.testing.assert_array_equal(
            copied._.contributions, doc._.contributions, err_msg=how, strict=True
        )
        assert copied._.contributions.flags.owndata, how
        assert copied._.contributions_labels == doc._.contributions_labels, how


def test_the_setting_survives_saving_the_pipeline(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    numpy.testing.assert_array_equal(loaded(WITNESS)._.contributions, nlp(WITNESS)._.contributions)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(1, 3), st.data())
def test_any_merges_keep_the_sums_of_each_label(word_lengths, n_labels, data):
    install_contributions()
    n = len(word_lengths)
    doc = Doc(VOCAB, words=["x" * length for length in word_lengths])
    values = numpy.random.default_rng(n).normal(size=(n, n_labels)).astype(numpy.float32)
    labels = [f"label {i}" for i in range(n_labels)]
    set_values(doc, values, "contributions", labels=labels)
    cuts = sorted(data.draw(st.sets(st.integers(1, n), max_size=n)) | {0, n})
    with doc.retokenize() as retokenizer:
        for start, end in pairwise(cuts):
            retokenizer.merge(doc[start:end])
    sums = [values[start:end].sum(axis=0) for start, end in pairwise(cuts)]
    numpy.testing.assert_allclose(doc._.contributions, sums, atol=1e-5)
    numpy.testing.assert_allclose(doc[0]._.contributions, sums[0], atol=1e-5)
    assert doc._.contributions_labels == tuple(labels)


def test_the_parts_of_a_split_token_share_its_contributions_by_their_length(nlp):
    doc = nlp("great fun")
    before = doc._.contributions
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[1], ["f", "un"], heads=[doc[0], doc[0]])
    numpy.testing.assert_allclose(
        doc._.contributions, [before[0], before[1] / 3, before[1] * 2 / 3], atol=1e-6
    )


def test_a_part_cut_out_of_a_document_has_none(nlp):
    part = nlp(WITNESS)[0:3].as_doc(copy_user_data=True)
    assert part._.contributions is None
    assert part[0]._.contributions is None
    assert part[0:2]._.contributions is None
    assert part._.contributions_labels is None


def test_another_name_gives_the_attributes_that_name():
    nlp = make_nlp(contributions_attr="reasons")
    doc = nlp(WITNESS)
    assert doc._.reasons.shape == (len(doc), 2)
    assert doc._.reasons_labels == nlp.get_pipe("attn_textcat").labels
    assert get_values(doc, "contributions") is None


def test_one_name_for_both_attributes_of_a_component_is_refused():
    with pytest.raises(ValueError, match="must be two names, but both are 'attention'"):
        make_nlp(contributions_attr="attention")


def test_a_name_that_cannot_be_an_attribute_is_refused_with_its_setting():
    with pytest.raises(ValueError, match="'contributions_attr' must be a name"):
        make_nlp(contributions_attr="no good")


def test_two_components_that_share_an_attribute_are_warned_about():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_textcat", config={"model": SMALL_MODEL, "contributions_attr": "reasons"})
    config = {"attention_attr": "second", "contributions_attr": "reasons"}
    with pytest.warns(UserWarning, match=r"both use 'doc\._\.reasons'.*'contributions_attr'"):
        nlp.add_pipe("attn_textcat_multilabel", config={"model": SMALL_MODEL, **config})


def test_a_sourced_component_that_shares_an_attribute_is_warned_about():
    nlp = spacy.blank("xx")
    for name in ("first", "second"):
        nlp.add_pipe("attn_textcat", source=make_nlp(), name=name)
    with pytest.warns(
        UserWarning, match=r"'second' replaces what 'first' stored as 'doc\._\.attention'"
    ):
        nlp("great fun")
    alone = make_nlp()
    alone(alone(alone.make_doc("great fun")))  # again by the same one: no warning
