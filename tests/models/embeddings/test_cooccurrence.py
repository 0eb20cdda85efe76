from collections import Counter

import numpy
import pytest
import spacy
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from spacy.training import Example

from spacy_attn.models.embeddings import cooccurrence
from spacy_attn.models.embeddings.cooccurrence import cooccurrence_vectors
from spacy_attn.models.embeddings.words import INITIAL_SCALE, WordEmbedding_v1
from spacy_attn.pipeline.learn_words import make_learn_words

ROWS = 6
DOCUMENT = arrays.arrays(numpy.int32, st.integers(0, 12), elements=st.integers(0, ROWS - 1))


def slow_information(documents):
    """Positive pointwise mutual information, pair by pair."""
    counts: Counter[tuple[int, int]] = Counter()
    for rows in documents:
        for i, j in numpy.ndindex(len(rows), len(rows)):
            if i != j and abs(i - j) <= 5 and rows[i] and rows[j]:
                counts[rows[i], rows[j]] += 1 / abs(i - j)
    table = numpy.zeros((ROWS, ROWS))
    for pair, count in counts.items():
        table[pair] = count
    frequency = table.sum(axis=1)
    smoothed = frequency**0.75 / max((frequency**0.75).sum(), 1e-12)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        information = numpy.log(table / numpy.outer(frequency, smoothed))
    return numpy.where(information > 1e-9, information, 0)


@given(st.lists(DOCUMENT, max_size=4))
def test_vectors_factorise_the_information_that_words_have_of_their_neighbours(documents):
    information = slow_information(documents)
    left, singular, _ = numpy.linalg.svd(information)
    known = information.any(axis=1)
    # The product of vectors does not depend on the order and sign of the singular vectors.
    expected = (left * singular) @ left.T
    expected /= max(numpy.trace(expected), 1e-12) / (ROWS * max(known.sum(), 1))
    vectors = cooccurrence_vectors(documents, ROWS, ROWS)
    assert (vectors[~known] == 0).all()
    numpy.testing.assert_allclose(vectors @ vectors.T, expected, atol=2e-3)


def test_words_with_like_neighbours_have_like_vectors():
    rng = numpy.random.default_rng(0)
    # 1 and 2 stand beside 5 to 8, 3 and 4 beside 9 to 12.
    documents = [
        numpy.array([word, *rng.choice(neighbours, 2)])
        for words, neighbours in (((1, 2), range(5, 9)), ((3, 4), range(9, 13)))
        for word in words * 30
    ]
    vectors = cooccurrence_vectors(documents, 13, 4)
    unit = vectors[1:5] / numpy.linalg.norm(vectors[1:5], axis=1, keepdims=True)
    cosines = unit @ unit.T
    assert cosines[0, 1] > 0.9
    assert cosines[2, 3] > 0.9
    assert abs(cosines[0, 2]) < 0.1


def test_vectors_do_not_depend_on_the_seed_nor_change_what_is_drawn_after():
    documents = [numpy.array([1, 2, 3, 1, 4, 2, 5])]
    torch.manual_seed(1)
    first, drawn = cooccurrence_vectors(documents, ROWS, 3), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)
    numpy.testing.assert_array_equal(cooccurrence_vectors(documents, ROWS, 3), first)


def test_the_generators_of_gpus_are_left_alone(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    cooccurrence_vectors([numpy.array([1, 2, 3, 1, 4, 2, 5])], ROWS, 3)
    assert not seeded


def test_vectors_wider_than_the_vocabulary_have_the_same_mean_square():
    documents = [numpy.array([1, 2, 3, 1, 4, 2, 5])]
    for width in (3, 40):
        vectors = cooccurrence_vectors(documents, ROWS, width)
        known = vectors.any(axis=1)
        assert numpy.square(vectors[known]).mean() == pytest.approx(1, rel=1e-3)


def test_words_that_stand_beside_each_other_as_often_as_by_chance_have_no_vectors():
    documents = [numpy.array([i, j]) for i in range(1, 13) for j in range(1, 13)]
    assert not cooccurrence_vectors(documents, 13, 4).any()


def test_a_long_document_is_counted_in_parts(monkeypatch):
    parts = [numpy.array(rows) for rows in ([1, 2, 1, 3], [4, 2, 4, 1], [5])]
    expected = cooccurrence_vectors(parts, ROWS, 4)
    monkeypatch.setattr(cooccurrence, "CHUNK", 4)
    long = cooccurrence_vectors([numpy.concatenate(parts)], ROWS, 4)
    numpy.testing.assert_allclose(long, expected, atol=1e-4)
    assert long.any(axis=1).tolist() == [False, True, True, True, True, False]


def test_what_is_counted_at_a_time_changes_nothing(monkeypatch):
    rng = numpy.random.default_rng(1)
    documents = [rng.integers(0, ROWS, 9) for _ in range(40)]
    whole = cooccurrence_vectors(documents, ROWS, ROWS)
    monkeypatch.setattr(cooccurrence, "CHUNK", 20)
    parts = cooccurrence_vectors(documents, ROWS, ROWS)
    numpy.testing.assert_allclose(parts @ parts.T, whole @ whole.T, atol=1e-4)


def test_no_more_is_counted_than_is_said(monkeypatch):
    monkeypatch.setattr(cooccurrence, "MAX_TOKENS", 5)
    some = cooccurrence_vectors([numpy.array([1, 2, 1]), numpy.array([3, 4, 5, 5])], ROWS, 3)
    assert some.any(axis=1).tolist() == [False, True, True, True, True, False]


@pytest.mark.parametrize("documents", [[], [[]], [[0, 0]], [[1]], [[1, 0, 0, 0, 0, 0, 2]]])
def test_documents_without_neighbours_give_no_vectors(documents):
    documents = [numpy.array(rows, dtype=numpy.int32) for rows in documents]
    assert not cooccurrence_vectors(documents, ROWS, 3).any()


TEXTS = ["the cat saw the dog", "the dog saw a cat", "yes"]


def table_of(model):
    return model.layers[0].get_param("E")


def test_words_start_with_the_vectors_and_those_that_stand_alone_with_random_ones():
    nlp = spacy.blank("en")
    docs = [nlp.make_doc(text) for text in TEXTS]
    model = WordEmbedding_v1(4, min_frequency=1, initial="cooccurrence").initialize(docs)
    words = model.layers[0].attrs["vocabulary"].words
    rows = [numpy.array([words.index(token.norm_) + 1 for token in doc]) for doc in docs]
    expected = INITIAL_SCALE * cooccurrence_vectors(rows, len(words) + 1, 4)
    known = expected.any(axis=1)
    assert [word for word, has in zip(words, known[1:], strict=True) if not has] == ["yes"]
    numpy.testing.assert_allclose(table_of(model)[known], expected[known], rtol=1e-6)
    assert table_of(model)[~known].all()


def word_embedding_of(nlp):
    model = nlp.get_pipe("attn_textcat").model
    return next(node for node in model.walk() if node.name == "word_embedding")


def make_pipeline():
    nlp = spacy.blank("en")
    embedding = {"@architectures": "spacy-attn.SubwordEmbedding.v1", "width": 4}
    model = {"tok2vec": {**embedding, "initial": "cooccurrence"}}
    nlp.add_pipe("attn_textcat", config={"model": model})
    return nlp


@pytest.mark.parametrize("given_words", [None, ["dog", "the", "a"]])
def test_a_component_learns_initial_vectors_from_all_its_documents(given_words):
    nlp = make_pipeline()
    texts = [*TEXTS * 20, *["a dog saw a dog"] * 20]  # the component shows its model ten documents
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {"x": i % 2, "y": 1 - i % 2}})
        for i, text in enumerate(texts)
    ]
    nlp.get_pipe("attn_textcat").initialize(lambda: examples, nlp=nlp, words=given_words)
    words = word_embedding_of(nlp).attrs["vocabulary"].words
    row_of = {word: row for row, word in enumerate(words, start=1)}
    rows = [
        numpy.array([row_of.get(token.norm_, 0) for token in example.predicted])
        for example in examples
    ]
    expected = INITIAL_SCALE * cooccurrence_vectors(rows, len(words) + 1, 4)
    known = expected.any(axis=1)
    assert known.sum() >= 3
    table = word_embedding_of(nlp).get_param("E")
    numpy.testing.assert_allclose(table[known], expected[known], rtol=1e-6)
    restored = make_pipeline().from_bytes(nlp.to_bytes())
    numpy.testing.assert_array_equal(word_embedding_of(restored).get_param("E"), table)
    assert word_embedding_of(restored).attrs["vocabulary"].initial is None


def test_pretraining_starts_with_the_vectors_of_its_raw_text():
    nlp = spacy.blank("en")
    embedding = {"@architectures": "spacy-attn.WordEmbedding.v1", "width": 4, "min_frequency": 1}
    model = {"tok2vec": {**embedding, "initial": "cooccurrence"}}
    nlp.add_pipe("attn_textcat", config={"model": model})
    make_learn_words("attn_textcat", lambda nlp: [nlp.make_doc(text) for text in TEXTS])(nlp)
    learned = word_embedding_of(nlp)
    expected = learned.attrs["vocabulary"].initial
    assert expected.any(axis=1).sum() == 5
    learned.initialize(X=[nlp.make_doc("the")])
    known = expected.any(axis=1)
    numpy.testing.assert_allclose(learned.get_param("E")[known], INITIAL_SCALE * expected[known])
