"""Vectors of a model of model2vec: composed of its own pieces."""

import shutil
import sys

import numpy
import pytest
import spacy

from spacy_attn.distill.static_words import StaticWords

model2vec = pytest.importorskip("model2vec")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from tokenizers import Tokenizer, models, pre_tokenizers

    pieces = {"[UNK]": 0, "good": 1, "##ly": 2}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    path = tmp_path_factory.mktemp("static") / "model"
    vectors = numpy.array([[9, 9], [1, 0], [0, 2]], dtype="f")
    model2vec.StaticModel(vectors, tokenizer).save_pretrained(str(path))
    return path


def test_a_word_is_composed_of_its_pieces_by_the_models_own_tokenizer(folder):
    doc = spacy.blank("en").make_doc("good  goodly unknown")
    ((vectors, known),) = StaticWords(str(folder)).token_vectors([doc])
    assert [token.text for token in doc] == ["good", " ", "goodly", "unknown"]
    assert known.tolist() == [True, False, True, False]
    numpy.testing.assert_allclose(vectors, [[1, 0], [0, 0], [0.5, 1], [0, 0]])


def test_a_model_that_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"model2vec cannot load '.*none' \(.*\)\. Give the name"):
        StaticWords(str(tmp_path / "none"))


def test_a_damaged_model_is_named_with_the_reason(folder, tmp_path):
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(
        ValueError, match=r"model2vec cannot load .*Error while deserializing header"
    ):
        StaticWords(str(damaged))


def test_without_model2vec_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(ImportError, match=r"need model2vec .*: pip install model2vec"):
        StaticWords(str(folder))
