"""What SHAP and Captum get of a pipeline."""

import sys

import numpy
import pytest
import torch

import spacy_attn
from spacy_attn.interpret.adapters import captum_inputs, shap_explainer

TEXT = "great fun , but so very long"


def test_the_function_for_captum_returns_the_logits_of_the_scores(nlp):
    forward, vectors = captum_inputs(nlp, TEXT)
    (explanation,) = spacy_attn.explain(nlp, [TEXT])
    logits = forward(vectors)
    numpy.testing.assert_allclose(logits.detach().numpy()[0], explanation.logits, atol=1e-5)
    assert vectors.requires_grad
    assert len(vectors) == len(explanation.tokens)


def test_it_takes_several_versions_of_a_document_one_behind_the_other(nlp):
    forward, vectors = captum_inputs(nlp, TEXT)
    both = forward(torch.cat([torch.zeros_like(vectors), vectors]))
    assert both.shape == (2, 2)
    torch.testing.assert_close(both[1:], forward(vectors))
    assert not torch.equal(both[0], both[1])


@pytest.mark.filterwarnings("ignore")
def test_integrated_gradients_of_captum_are_those_of_the_package(nlp):
    attr = pytest.importorskip("captum.attr")
    forward, vectors = captum_inputs(nlp, TEXT)
    method = attr.IntegratedGradients(forward)
    found = method.attribute(vectors, target=0, n_steps=50).sum(1).detach().numpy()
    (ours,) = spacy_attn.explain(nlp, [TEXT], method="integrated_gradients")
    numpy.testing.assert_allclose(found, ours.of_label(ours.labels[0]), atol=1e-4)


def test_a_text_without_tokens_has_nothing_to_attribute_to(nlp):
    with pytest.raises(ValueError, match="A text without tokens has nothing to attribute to"):
        captum_inputs(nlp, "")


def test_without_shap_the_error_says_what_to_install(words_nlp, monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError, match=r"needs SHAP \(.*\): pip install shap\.$"):
        shap_explainer(words_nlp)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", [TEXT, "great  fun.\n\nSo  long"])
def test_values_of_shap_add_up_from_an_empty_text_to_the_scores(nlp, text):
    pytest.importorskip("shap")
    values = shap_explainer(nlp)([text])
    assert values.base_values[0] == pytest.approx(list(nlp("").cats.values()), abs=1e-5)
    total = values.base_values[0] + values.values[0].sum(axis=0)
    assert total == pytest.approx(list(nlp(" ".join(text.split())).cats.values()), abs=1e-5)
    assert values.output_names == list(nlp(TEXT).cats)
