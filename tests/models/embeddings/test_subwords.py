import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_attn.models.embeddings.ngrams import _ngram_rows, ngram_embedding
from spacy_attn.models.embeddings.subwords import SubwordEmbedding_v1
from spacy_attn.models.embeddings.token_vectors import token_vectors

NLP = spacy.blank("en")
TEXTS = ["The cat saw the dog", "the dog slept", "Dog"]


def docs(texts):
    return [NLP.make_doc(text) for text in texts]


def make_ngrams(sizes=(3, 4), rows=50):
    return token_vectors([ngram_embedding(6, sizes=sizes, rows=rows)], 6).initialize()


def param(model):
    return model.layers[0].get_param("E")


def grad(model):
    return model.layers[0].get_grad("E")


def make(**settings):
    return SubwordEmbedding_v1(6, ngram_rows=50, **settings).initialize(docs(TEXTS))


def test_a_words_ngrams_are_those_between_its_marks():
    from zlib import crc32

    expected = [crc32(ngram.encode()) % 1000 for ngram in ("<at", "at>", "<at>")]
    assert _ngram_rows("at", (3, 4), 1000).tolist() == expected


def test_a_word_has_the_mean_of_its_ngrams_vectors_regardless_of_case():
    model = make_ngrams()
    ((upper, lower),) = model.predict(docs(["CATS cats"]))
    rows = _ngram_rows("cats", (3, 4), 50)
    numpy.testing.assert_allclose(lower, param(model)[rows].mean(axis=0), atol=1e-6)
    numpy.testing.assert_array_equal(upper, lower)


@given(st.lists(st.lists(st.text(min_size=1, max_size=8), max_size=6), max_size=5))
def test_any_batch_gets_the_vectors_its_documents_get_alone(words):
    model = make_ngrams()
    batch = [Doc(NLP.vocab, words=own) for own in words]
    for doc, vectors in zip(batch, model.predict(batch), strict=True):
        assert vectors.shape == (len(doc), 6)
        numpy.testing.assert_array_equal(model.predict([doc])[0], vectors)


def test_training_sees_the_vectors_that_prediction_sees():
    model, batch = make_ngrams(), docs(["cats and cat", "", "dogs"])
    for left, right in zip(model.begin_update(batch)[0], model.predict(batch), strict=True):
        numpy.testing.assert_allclose(left, right, atol=1e-6)


def test_gradient_of_the_ngrams_agrees_with_finite_differences():
    model = make_ngrams()
    batch = docs(["cats and cat", "", "dogs"])
    outputs, backprop = model.begin_update(batch)
    directions = [numpy.random.default_rng(0).normal(size=y.shape).astype("f") for y in outputs]
    backprop(directions)
    table, gradient = param(model), grad(model)

    def value():
        pairs = zip(model.predict(batch), directions, strict=True)
        return sum(float((y * direction).sum()) for y, direction in pairs)

    for index in [(row, 0) for row in range(50)]:
        original = table[index]
        table[index] = original + 0.1
        above = value()
        table[index] = original - 0.1
        below = value()
        table[index] = original
        assert gradient[index] == pytest.approx((above - below) / 0.2, abs=1e-3)


def test_the_vector_is_that_of_the_word_plus_that_of_its_spelling():
    model = make()
    words, ngrams = (layer.predict(docs(TEXTS)) for layer in model.layers)
    numpy.testing.assert_array_equal(numpy.concatenate(model.predict(docs(TEXTS))), words + ngrams)


def test_unknown_words_of_different_spelling_have_different_vectors():
    ((first, second),) = make().predict(docs(["zebra yak"]))
    assert not numpy.array_equal(first, second)


@pytest.mark.parametrize("text", ["a", "a b", "a catalogue"])
def test_words_too_short_for_any_ngram_have_a_vector_of_zeros(text):
    model = make_ngrams(sizes=(4, 5))
    (vectors,), backprop = model.begin_update(docs([text]))
    assert not vectors[0].any()
    backprop([vectors])
    assert numpy.isfinite(grad(model)).all()


def test_both_tables_learn():
    model = make()
    outputs, backprop = model.begin_update(docs(TEXTS))
    backprop(outputs)
    assert all(layer.get_grad("E").any() for layer in model.layers)


def test_it_survives_bytes():
    model = make()
    other = SubwordEmbedding_v1(6, ngram_rows=50).from_bytes(model.to_bytes())
    for left, right in zip(model.predict(docs(TEXTS)), other.predict(docs(TEXTS)), strict=True):
        numpy.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ngram_rows": 0}, "'ngram_rows' must be 1 or more, but is 0"),
        ({"ngram_sizes": [3, 0]}, "'ngram_sizes' must be 1 or more, but is 0"),
        ({"ngram_sizes": []}, "'ngram_sizes' must not be empty"),
        ({"min_frequency": 0}, "'min_frequency' must be 1 or more, but is 0"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        SubwordEmbedding_v1(6, **settings)


def parts(model, batch):
    """The vectors of words and of n-grams in prediction, concatenated over the documents."""
    words, ngrams = model.layers
    return words.predict(batch), ngrams.predict(batch)


def test_word_dropout_leaves_out_whole_words_in_training_and_keeps_their_ngrams():
    model = make(word_dropout=0.25)
    batch = docs(["the dog slept", "", " ".join(["cat"] * 2000)])
    words, ngrams = parts(model, batch)
    learned = numpy.concatenate(model.begin_update(batch)[0]) - ngrams
    is_dropped = (numpy.abs(learned) < 1e-6).all(axis=1)
    assert 0.2 < is_dropped.mean() < 0.3
    numpy.testing.assert_allclose(learned[~is_dropped], words[~is_dropped] / 0.75, atol=1e-5)


def test_word_dropout_does_nothing_in_prediction():
    batch = docs(TEXTS)
    model = make(word_dropout=0.9)
    words, ngrams = parts(model, batch)
    numpy.testing.assert_allclose(numpy.concatenate(model.predict(batch)), words + ngrams)


def test_a_word_that_is_left_out_has_no_gradient_and_the_others_have_more():
    model = make(word_dropout=0.5)
    batch = docs([" ".join(["cat"] * 100)])
    vectors, backprop = model.begin_update(batch)
    ngrams = parts(model, batch)[1]
    n_kept = int((numpy.abs(vectors[0] - ngrams) > 1e-6).any(axis=1).sum())
    assert 0 < n_kept < 100
    backprop([numpy.ones((100, 6), dtype="f")])
    gradient = model.layers[0].get_grad("E")
    numpy.testing.assert_allclose(gradient.sum(axis=0), numpy.full(6, 2.0 * n_kept), rtol=1e-5)
    numpy.testing.assert_allclose(model.layers[1].get_grad("E").sum(axis=0), 100.0, rtol=1e-4)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_word_dropout_out_of_range_is_named(rate):
    message = f"'word_dropout' must be at least 0 and below 1, but is {rate}"
    with pytest.raises(ValueError, match=message):
        SubwordEmbedding_v1(6, word_dropout=rate)
