import numpy
import pytest
import spacy

from spacy_attn.models.embeddings import ngrams, token_vectors
from spacy_attn.models.embeddings.subwords import SubwordEmbedding_v1
from spacy_attn.models.embeddings.token_vectors import find_vectors


@pytest.fixture
def docs():
    """Many tokens, of which some have the same LOWER and another NORM, or the other way round."""
    nlp = spacy.blank("en")
    words = [f"word{i % 40}" for i in range(150)]
    found = [
        nlp("I can't, can not. She'd go, I'd gone. The THE the " + " ".join(words)),
        nlp("the the"),
    ]
    found[0][3].norm_ = "something else"
    return [*found, nlp("")]


def embedding(docs, **settings):
    model = SubwordEmbedding_v1(6, ngram_rows=50, min_frequency=1, **settings)
    model.initialize(docs)
    return model


def assert_same_vectors(model, docs):
    vectors, rows = find_vectors(model, docs)
    expected = numpy.concatenate(model.predict(docs))
    numpy.testing.assert_allclose(vectors if rows is None else vectors[rows], expected, atol=1e-6)
    return rows


@pytest.mark.parametrize("attr", ["NORM", "LOWER", "ORTH"])
def test_each_token_has_the_vector_that_it_has_in_training(docs, attr):
    assert assert_same_vectors(embedding(docs, attr=attr), docs) is not None


def test_few_tokens_have_the_vectors_that_they_have_in_training(docs):
    assert assert_same_vectors(embedding(docs), docs[1:]) is None


def test_tokens_that_are_mixed_up_are_noticed(docs, monkeypatch):
    monkeypatch.setattr(token_vectors, "_MULTIPLIER", numpy.uint64(0))
    assert assert_same_vectors(embedding(docs), docs) is None


def test_vectors_follow_the_weights_at_once(docs):
    model = embedding(docs)
    find_vectors(model, docs)
    for layer in model.layers:
        layer.get_param("E")[:] += 1.0
    assert_same_vectors(model, docs)
    for layer in model.layers:
        layer.set_param("E", layer.get_param("E") * 2)
    assert_same_vectors(model, docs)


def test_words_of_other_pipelines_and_full_caches_do_no_harm(docs, monkeypatch):
    monkeypatch.setattr(ngrams, "_CACHED_WORDS", 3)
    model = embedding(docs)
    before = [array.copy() for array in model.predict(docs)]
    for text in ("quite other words", "and more of them"):
        model.predict([spacy.blank("de")(text)])
    assert len(ngrams._rows_by_key((3, 4, 5), 50)) <= 3
    for array, expected in zip(model.predict(docs), before, strict=True):
        numpy.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("n_repeats", [1, 40], ids=["few tokens", "many"])
@pytest.mark.parametrize("foreign_first", [False, True])
def test_words_are_looked_up_in_their_own_documents_vocabulary(n_repeats, foreign_first):
    own, foreign = spacy.blank("en"), spacy.blank("en")
    texts = (
        ["the zyzzyvatic film", "a quixoticesque joy"] if foreign_first else ["a b", "xyzzyish c"]
    )
    batch = [
        own.make_doc(texts[0] + " " + "fun " * n_repeats),
        foreign.make_doc(texts[1] + " " + "joy " * n_repeats),
    ]
    batch = batch[::-1] if foreign_first else batch
    model = SubwordEmbedding_v1(6, ngram_rows=50, min_frequency=1).initialize(batch)
    for predicted in (model.predict(batch), model(batch, is_train=True)[0]):
        for doc, vectors in zip(batch, predicted, strict=True):
            numpy.testing.assert_allclose(vectors, model.predict([doc])[0], atol=1e-6)
    assert_same_vectors(model, batch)
