import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab
from thinc.api import Adam

from spacy_attn.models.embeddings.vocabulary import WordVocabulary
from spacy_attn.models.embeddings.words import WordEmbedding_v1

NLP = spacy.blank("en")
TEXTS = ["The cat saw the dog", "the dog slept", "Dog"]


def docs(texts=TEXTS):
    return [NLP.make_doc(text) for text in texts]


def make(texts=TEXTS, width=4, **settings):
    model = WordEmbedding_v1(width, **{"attr": "LOWER", "min_frequency": 1, **settings})
    model.initialize(docs(texts))
    return model


def words(model):
    return model.layers[0].attrs["vocabulary"].words


def test_vocabulary_is_ordered_by_frequency_then_alphabet():
    assert words(make()) == ["dog", "the", "cat", "saw", "slept"]


def test_case_handling_minimum_frequency_and_maximum_size():
    assert set(words(make(attr="ORTH"))) == {"The", "the", "cat", "saw", "dog", "slept", "Dog"}
    assert words(make(min_frequency=2)) == ["dog", "the"]
    assert words(make(max_size=1)) == ["dog"]
    assert words(make(max_size=0)) == []


def test_each_word_has_its_own_vector_and_unknown_words_share_one():
    model = make()
    (known,) = model.predict(docs(["dog cat Dog"]))
    assert not numpy.array_equal(known[0], known[1])
    numpy.testing.assert_array_equal(known[0], known[2])
    ((first, second),) = model.predict(docs(["zebra yak"]))
    numpy.testing.assert_array_equal(first, second)
    numpy.testing.assert_array_equal(first, model.layers[0].get_param("E")[0])


@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=5), unique=True))
def test_any_vocabulary_finds_its_words_and_nothing_else(known):
    vocab = Vocab()
    table = WordVocabulary(known)
    keys = numpy.array(
        [vocab.strings.add(word) for word in [*known, "no such word"]], dtype="uint64"
    )
    assert table.rows(keys).tolist() == [*range(1, len(known) + 1), 0]


def test_empty_documents_and_empty_batches_have_no_vectors():
    model = make()
    assert model.predict(docs([""]))[0].shape == (0, 4)
    assert [x.shape for x in model.predict(docs(["", "cat"]))] == [(0, 4), (1, 4)]


def test_only_the_words_of_a_batch_get_a_gradient():
    model = make()
    _, backprop = model.begin_update(docs(["dog dog cat"]))
    backprop([numpy.ones((3, 4), dtype="f")])
    expected = numpy.zeros((6, 4))
    expected[1 + words(model).index("dog")] = 2
    expected[1 + words(model).index("cat")] = 1
    numpy.testing.assert_array_equal(model.layers[0].get_grad("E"), expected)
    model.finish_update(Adam(0.1))


def test_words_and_weights_survive_bytes():
    model = make()
    other = WordEmbedding_v1(4, attr="LOWER").from_bytes(model.to_bytes())
    assert words(other) == words(model)
    for left, right in zip(model.predict(docs()), other.predict(docs()), strict=True):
        numpy.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attr": "SHAPE"}, "'attr' must be one of ORTH, LOWER, NORM, but is 'SHAPE'"),
        ({"min_frequency": 0}, "'min_frequency' must be 1 or more, but is 0"),
        ({"max_size": -1}, "'max_size' must be 0 or more, but is -1"),
        ({"initial": "zero"}, "'initial' must be one of random, cooccurrence, but is 'zero'"),
        ({"vectors": "fixed"}, "'vectors' must be one of static, tuned, but is 'fixed'"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        WordEmbedding_v1(4, **settings)
