"""Vectors of tokens in their context: those of the layer, for each token, whatever the length."""

import sys

import numpy
import pytest
import spacy
import torch
from spacy.tokens import Doc

from spacy_attn.distill import transformer_words
from spacy_attn.distill.transformer_words import TransformerWords

from .conftest import N_LAYERS

transformers = pytest.importorskip("transformers")

# Its pieces are good, bad ##ly, a comma, un ##good, an unknown one, and a good of two tokens.
TEXT = "good  badly, ungood \u4e00 good"
TOKENS = ["good", " ", "badly", ",", "ungood", "\u4e00", "go", "od"]
PIECES_OF_TOKENS = [[1], [], [2, 3], [4], [5, 6], [7], [8], [8]]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture(scope="module")
def doc(nlp):
    spaces = [True, False, False, True, True, True, False, False]
    return Doc(nlp.vocab, words=TOKENS, spaces=spaces)


def vectors_of(words, docs):
    return list(words.token_vectors(docs))


@pytest.mark.parametrize("layer", range(N_LAYERS + 1))
def test_a_token_has_the_mean_of_what_the_layer_makes_of_its_pieces(encoder, doc, layer):
    assert doc.text == TEXT
    words = TransformerWords(str(encoder), layer, "float32")
    ((found, known),) = vectors_of(words, [doc])
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder)
    model = transformers.AutoModel.from_pretrained(encoder).eval()
    with torch.inference_mode():
        output = model(**tokenizer(TEXT, return_tensors="pt"), output_hidden_states=True)
    states = output.hidden_states[layer][0].numpy()
    assert known.tolist() == [bool(pieces) for pieces in PIECES_OF_TOKENS]
    for vector, pieces in zip(found, PIECES_OF_TOKENS, strict=True):
        expected = states[pieces].mean(axis=0) if pieces else numpy.zeros(16)
        numpy.testing.assert_allclose(vector, expected, atol=1e-5)


def test_the_layers_above_are_not_computed(encoder):
    assert len(TransformerWords(str(encoder), 1)._model.encoder.layer) == 1


def test_by_default_the_layer_is_at_two_thirds_of_the_way_up(encoder):
    assert TransformerWords(str(encoder)).layer == 2


def test_every_token_of_a_text_of_any_length_has_a_vector(encoder, nlp):
    docs = [nlp.make_doc(text) for text in ("good badly " * 40, "", " ", "bad")]
    for doc, (found, known) in zip(
        docs, vectors_of(TransformerWords(str(encoder)), docs), strict=True
    ):
        assert found.shape == (len(doc), 16)
        assert known.tolist() == [not token.is_space for token in doc]


@pytest.mark.parametrize("batch", [1, 40])
def test_vectors_do_not_depend_on_what_is_read_beside(encoder, nlp, batch, monkeypatch):
    docs = [nlp.make_doc(text) for text in ("good", "good, bad " * 3, "bad good", TEXT)]
    words = TransformerWords(str(encoder), precision="float32")
    expected = [vectors_of(words, [doc])[0][0] for doc in docs]
    monkeypatch.setattr(transformer_words, "_BATCH_PIECES", batch)
    for (found, _), own in zip(vectors_of(words, docs), expected, strict=True):
        numpy.testing.assert_allclose(found, own, atol=1e-5)


def test_a_fine_tuned_classifier_is_read_without_its_head(encoder, doc, tmp_path):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(encoder)
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path)
    docs = [doc]
    one, other = (vectors_of(TransformerWords(str(path)), docs) for path in (encoder, tmp_path))
    numpy.testing.assert_array_equal(one[0][0], other[0][0])


@pytest.mark.parametrize("layer", [-1, N_LAYERS + 1])
def test_a_layer_that_the_encoder_does_not_have_is_named_with_those_that_it_has(encoder, layer):
    with pytest.raises(ValueError, match=rf"layers 0 to {N_LAYERS}, but the layer {layer} is"):
        TransformerWords(str(encoder), layer)


def test_a_model_that_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"cannot load '.*/none' \(.*\)\. Give the name of a model"
    ):
        TransformerWords(str(tmp_path / "none"))


def test_a_model_that_writes_texts_is_refused_with_its_kind(tmp_path):
    transformers.T5Config(d_model=8, num_layers=1, num_heads=1).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="of the kind 't5', which is no encoder of texts"):
        TransformerWords(str(tmp_path))


def test_without_transformers_the_error_says_what_to_install(encoder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"needs transformers .*: pip install transformers"):
        TransformerWords(str(encoder))
