"""`component.explain`: the parts that tokens have in a decision."""

import dataclasses
import json

import numpy
import pytest
import spacy
from scipy.special import expit, softmax
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..conftest import MIXED_TEXTS, make_nlp, train


@pytest.fixture(scope="module", params=["attn_textcat", "attn_textcat_multilabel"])
def nlp(request):
    nlp = make_nlp(request.param)
    train(nlp)
    nlp.get_pipe(request.param).cfg["temperature"] = 1.7
    return nlp


def explain(nlp, texts):
    docs = [nlp.make_doc(text) for text in texts]
    return nlp.get_pipe(nlp.pipe_names[-1]).explain(docs)


def test_contributions_and_bias_add_up_to_the_logits(nlp):
    for explanation in explain(nlp, [*MIXED_TEXTS, "dull fun " * 500]):
        sums = explanation.contributions.sum(axis=0, dtype=numpy.float64) + explanation.bias
        numpy.testing.assert_allclose(sums, explanation.logits, atol=1e-5)


def test_attention_and_scores_are_those_of_the_classified_document(nlp):
    for explanation, doc in zip(explain(nlp, MIXED_TEXTS), nlp.pipe(MIXED_TEXTS), strict=True):
        assert explanation.text == doc.text
        numpy.testing.assert_allclose(explanation.attention, doc._.attention, atol=1e-6)
        scores = dict(zip(explanation.labels, explanation.scores.tolist(), strict=True))
        assert scores == pytest.approx(doc.cats, abs=1e-6)


def test_the_scores_are_those_that_the_logits_stand_for(nlp):
    independent = nlp.pipe_names == ["attn_textcat_multilabel"]
    for explanation in explain(nlp, [*MIXED_TEXTS, "dull fun " * 500]):
        logits = explanation.logits.astype(numpy.float64)
        expected = expit(logits) if independent else softmax(logits)
        numpy.testing.assert_allclose(explanation.scores, expected, atol=1e-6)


def test_a_document_without_tokens_is_explained_by_the_bias_alone(nlp):
    (explanation,) = explain(nlp, [""])
    assert explanation.contributions.shape == (0, 2)
    numpy.testing.assert_array_equal(explanation.logits, explanation.bias)


def test_documents_are_not_modified(nlp):
    doc = nlp.make_doc("great fun")
    nlp.get_pipe(nlp.pipe_names[-1]).explain([doc])
    assert not doc.cats
    assert doc._.attention is None


def test_as_a_table_it_has_a_row_for_each_token_and_label(nlp):
    (explanation,) = explain(nlp, ["great fun"])
    table = explanation.to_dataframe()
    wide = table.pivot(index="index", columns="label", values="attribution")
    numpy.testing.assert_array_equal(
        wide[list(explanation.labels)].to_numpy(), explanation.contributions
    )
    assert table["token"].tolist() == ["great", "great", "fun", "fun"]


def test_as_a_dictionary_it_goes_through_json_unchanged(nlp):
    (explanation,) = explain(nlp, ["great  fun"])
    data = json.loads(json.dumps(explanation.to_dict()))
    assert data == explanation.to_dict()
    assert data["text"] == "great  fun"
    assert data["attributions"]["positive"] == explanation.of_label("positive").tolist()


def test_printed_it_is_one_line_with_the_beginning_and_the_highest_scores(nlp):
    (explanation,) = explain(nlp, ["great fun " * 99])
    printed = repr(explanation)
    assert printed.startswith("Explanation('great fun great fun")
    assert f"…', 198 tokens, scores={{'positive': {explanation.scores[0]:.3f}, 'neg" in printed
    assert len(printed) < 200
    many = dataclasses.replace(explanation, labels=tuple("abcd"), scores=numpy.arange(4.0) / 6)
    assert "scores={'d': 0.500, 'c': 0.333, 'b': 0.167, ...}" in repr(many)


@pytest.mark.parametrize("wrong", ["great fun", ["great fun"], Doc(Vocab(), ["fun"]), [None]])
def test_anything_but_a_list_of_documents_is_refused_with_what_to_give(nlp, wrong):
    with pytest.raises(TypeError, match=r"'docs' must be a list of documents.*, but is or cont"):
        nlp.get_pipe(nlp.pipe_names[-1]).explain(wrong)


def test_an_unknown_label_is_refused_with_the_known_ones(nlp):
    (explanation,) = explain(nlp, ["fun"])
    with pytest.raises(ValueError, match=r"'good'.*'positive', 'negative'"):
        explanation.of_label("good")


def test_an_untrained_component_cannot_explain():
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("attn_textcat")
    with pytest.raises(ValueError, match="E109"):
        component.explain([Doc(nlp.vocab, words=["fun"])])


def test_an_explanation_stays_as_it_is_when_the_component_is_trained_on_or_it_is_written_to():
    nlp = make_nlp()
    component = nlp.get_pipe("attn_textcat")
    (explanation,) = component.explain([nlp.make_doc("great fun")])
    scores, bias = nlp("great fun").cats, explanation.bias.copy()
    train(nlp, steps=3)
    numpy.testing.assert_array_equal(explanation.bias, bias)
    component.explain([nlp.make_doc("great fun")])[0].bias[:] = 100.0
    assert nlp("great fun").cats["positive"] == pytest.approx(scores["positive"], abs=0.2)
