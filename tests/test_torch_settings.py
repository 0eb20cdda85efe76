"""Whatever a program has set in torch, for all of it or for a block, spacy-attn works as ever."""

import contextlib

import numpy
import pytest
import spacy
import torch

import spacy_attn
from spacy_attn.interpret.methods import METHODS

from .conftest import assert_same_predictions, make_nlp, train

TEXTS = ["great fun and a joy", "dull"]
SUBWORDS = {
    "@architectures": "spacy-attn.SubwordEmbedding.v1",
    "width": 6,
    "min_frequency": 1,
    "ngram_rows": 50,
    "word_dropout": 0.0,
    "initial": "cooccurrence",
}


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS)
def setting(request):
    return request.param


def make():
    model = {"@architectures": "spacy-attn.BiLSTMAttention.v1", "hidden_width": 8}
    return make_nlp(model={**model, "tok2vec": SUBWORDS})


def attributions(nlp, method):
    return [e.attributions for e in spacy_attn.explain(nlp, TEXTS, method=method)]


def assert_same_attributions(nlp, other):
    for method in METHODS:
        for one, two in zip(attributions(nlp, method), attributions(other, method), strict=True):
            numpy.testing.assert_allclose(one, two, atol=1e-5, err_msg=method)


def train_with_averages(nlp):
    sgd = nlp.create_optimizer()
    sgd.averages = {}
    train(nlp, steps=3, sgd=sgd)
    with nlp.use_params(sgd.averages):
        return nlp(TEXTS[0]).cats


def test_a_pipeline_is_initialized_trained_and_explained_alike(setting):
    expected = make()
    averaged = train_with_averages(expected)
    with setting():
        nlp = make()
        assert train_with_averages(nlp) == pytest.approx(averaged, abs=1e-5)
        assert_same_predictions(nlp, expected, atol=1e-5)
        assert_same_attributions(nlp, expected)


def test_a_pipeline_that_was_loaded_can_be_trained_and_explained_afterwards(setting, tmp_path):
    expected = make()
    expected.to_disk(tmp_path)
    with setting():
        nlp = spacy.load(tmp_path)
        assert_same_predictions(nlp, expected, atol=1e-6)
        nlp.get_pipe("attn_textcat").add_label("neutral")
    expected.get_pipe("attn_textcat").add_label("neutral")
    assert_same_attributions(nlp, expected)
    assert train_with_averages(nlp) == pytest.approx(train_with_averages(expected), abs=1e-5)
