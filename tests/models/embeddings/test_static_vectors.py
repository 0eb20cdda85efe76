"""Use of the pipeline's word vectors, on tables made on the spot."""

import subprocess
import sys

import numpy
import pytest
import spacy
from spacy.vectors import Vectors
from thinc.api import Adam, fix_random_seed, set_dropout_rate

from spacy_attn.models.embeddings.static_vectors import INITIAL_SCALE
from spacy_attn.models.embeddings.subwords import SubwordEmbedding_v1
from spacy_attn.models.embeddings.words import WordEmbedding_v1

from ...conftest import (
    SMALL_MODEL,
    TEXTS,
    WARNINGS_ARE_ERRORS,
    assert_same_predictions,
    make_examples,
    train,
)

WIDTH = 5
GOOD = ["gorgeous", "fun", "joy", "loved", "superb", "brilliant"]
BAD = ["dull", "waste", "boring", "hated", "awful", "dire"]
# Of these, training sees no word
UNSEEN = {"superb": "positive", "brilliant": "positive", "awful": "negative", "dire": "negative"}


def make_table(attr="ORTH", width=WIDTH):
    """Vectors of length 8 in which good words are near each other, and far from bad ones."""
    generator = numpy.random.default_rng(0)
    centre = generator.normal(size=width)
    data = [centre + generator.normal(0, 0.1, width) for _ in GOOD]
    data += [-centre + generator.normal(0, 0.1, width) for _ in BAD]
    data = numpy.array(data, dtype="f")
    data *= 8 / numpy.linalg.norm(data, axis=1, keepdims=True)
    return {"data": data, "keys": GOOD + BAD, "attr": attr, "name": "made on the spot"}


def make_vocab(**settings):
    nlp = spacy.blank("en")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, **make_table(**settings))
    return nlp


def make_nlp(vectors, embedding="spacy-attn.WordEmbedding.v1", listen=False):
    fix_random_seed(0)
    nlp = make_vocab()
    tok2vec = {"@architectures": embedding, "width": WIDTH, "min_frequency": 1, "vectors": vectors}
    if listen:
        nlp.add_pipe("tok2vec", config={"model": tok2vec})
        tok2vec = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH}
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": tok2vec}})
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def right_labels(nlp):
    return sum(nlp(word).cats[label] > 0.5 for word, label in UNSEEN.items())


EMBEDDINGS = [WordEmbedding_v1, SubwordEmbedding_v1]


@pytest.mark.parametrize("listen", [False, True], ids=["own", "listener"])
@pytest.mark.parametrize(
    "embedding", ["spacy-attn.WordEmbedding.v1", "spacy-attn.SubwordEmbedding.v1"]
)
def test_words_that_training_never_saw_are_classified_by_their_static_vectors(embedding, listen):
    nlp = make_nlp("static", embedding, listen)
    train(nlp)
    assert right_labels(nlp) == len(UNSEEN)


def test_static_vectors_are_not_changed_by_training_and_their_projection_is():
    nlp = make_nlp("static")
    projection = nlp.get_pipe("attn_textcat").model.get_ref("tok2vec").layers[1].layers[0]
    before, table = projection.get_param("W").copy(), nlp.vocab.vectors.data.copy()
    train(nlp, steps=2)
    numpy.testing.assert_array_equal(nlp.vocab.vectors.data, table)
    assert not numpy.array_equal(projection.get_param("W"), before)


def test_tuned_vectors_start_with_the_pipelines_and_are_trained_on():
    nlp = make_nlp("tuned")
    tok2vec = nlp.get_pipe("attn_textcat").model.get_ref("tok2vec")
    word = [nlp.make_doc("fun")]
    numpy.testing.assert_array_equal(tok2vec.predict(word)[0][0], nlp.vocab.get_vector("fun"))
    table = nlp.vocab.vectors.data.copy()
    train(nlp, steps=2)
    assert not numpy.array_equal(tok2vec.predict(word)[0][0], nlp.vocab.get_vector("fun"))
    numpy.testing.assert_array_equal(nlp.vocab.vectors.data, table)


def test_tuned_vectors_leave_words_that_the_pipeline_has_none_for_at_random_ones():
    nlp = make_vocab()
    model = WordEmbedding_v1(WIDTH, min_frequency=1, vectors="tuned")
    model.initialize([nlp.make_doc("fun cat")])
    ((fun, cat),) = model.predict([nlp.make_doc("fun cat")])
    numpy.testing.assert_array_equal(fun, nlp.vocab.get_vector("fun"))
    assert cat.any()
    assert numpy.linalg.norm(cat) < 1


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf, -numpy.inf, 1e30])
@pytest.mark.parametrize("vectors", ["static", "tuned"])
def test_vectors_that_are_not_finite_are_refused_with_a_word_of_theirs(vectors, value):
    nlp = make_vocab()
    nlp.vocab.strings.add("joy")  # as spaCy does with the words of a file of vectors
    nlp.vocab.vectors.data[[2, 4], 1] = value
    model = WordEmbedding_v1(WIDTH, min_frequency=1, vectors=vectors)
    with pytest.raises(ValueError, match=r"row 2, of the words \['joy'\], is not fin.* 1 oth"):
        model.initialize([nlp.make_doc("fun")])


def test_static_vectors_are_projected_and_added_to_the_learned_ones():
    nlp = make_vocab()
    model = WordEmbedding_v1(3, min_frequency=1, vectors="static")
    docs = [nlp.make_doc("fun and joy"), nlp.make_doc(""), nlp.make_doc("no vectors")]
    model.initialize(docs)
    learned, static = model.layers
    weights = static.layers[0].get_param("W")
    for doc, vectors in zip(docs, model.predict(docs), strict=True):
        table = numpy.array([nlp.vocab.get_vector(token.text) for token in doc])
        expected = learned.predict([doc]) + table.reshape(-1, WIDTH) @ weights.T
        numpy.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_projected_vectors_start_at_the_scale_of_learned_ones_whatever_their_length():
    nlp = make_vocab()
    docs = [nlp.make_doc(" ".join(GOOD + BAD))]
    vectors = WordEmbedding_v1(64, vectors="static").initialize(docs).layers[1].predict(docs)
    assert numpy.sqrt((vectors**2).mean()) == pytest.approx(INITIAL_SCALE, rel=1e-5)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("vectors", ["static", "tuned"])
def test_documents_and_batches_without_tokens(embedding, vectors):
    nlp = make_vocab()
    model = embedding(WIDTH, min_frequency=1, vectors=vectors)
    model.initialize([nlp.make_doc("fun"), nlp.make_doc("fun")])
    for texts in ([], [""], ["", ""], ["", "fun", ""]):
        docs = [nlp.make_doc(text) for text in texts]
        outputs, backprop = model.begin_update(docs)
        assert [y.shape for y in outputs] == [(len(doc), WIDTH) for doc in docs]
        backprop(outputs)
        model.finish_update(Adam(0.1))


def test_training_on_a_sample_without_known_words_starts_with_finite_weights():
    nlp = make_vocab()
    model = WordEmbedding_v1(WIDTH, vectors="static").initialize([nlp.make_doc("no such word")])
    assert numpy.isfinite(model.predict([nlp.make_doc("fun")])[0]).all()


def test_case_counts_or_not_as_the_table_says():
    for attr, same in (("ORTH", False), ("LOWER", True)):
        nlp = make_vocab(attr=attr)
        static = WordEmbedding_v1(WIDTH, vectors="static").initialize([nlp.make_doc("fun")])
        lower, upper = static.layers[1].predict([nlp.make_doc("fun FUN")])
        assert lower.any()
        assert numpy.array_equal(lower, upper) == same


def test_a_table_of_float16_is_used_as_one_of_float32_and_saved_as_it_is(tmp_path):
    texts, projected = ["fun and joy", "no vectors", "awful"], {}
    for kind in ("float32", "float16"):
        nlp = make_vocab()
        nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype(kind)
        docs = [nlp.make_doc(text) for text in texts]
        fix_random_seed(0)
        model = WordEmbedding_v1(3, vectors="static").initialize(docs).layers[1]
        output, backprop = model.begin_update(docs)
        backprop(numpy.ones_like(output))
        projected[kind] = output, model.layers[0].get_grad("W")
        nlp.to_disk(tmp_path / kind)
        assert spacy.load(tmp_path / kind).vocab.vectors.data.dtype == kind
    for one, other in zip(projected["float32"], projected["float16"], strict=True):
        assert one.dtype == other.dtype == "float32"
        numpy.testing.assert_allclose(one, other, atol=2e-2)


def test_floret_vectors_give_every_word_one():
    nlp = spacy.blank("en")
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings,
        data=numpy.random.default_rng(0).normal(size=(50, WIDTH)).astype("f"),
        mode="floret",
        minn=2,
        maxn=3,
        hash_count=2,
        name="floret",
    )
    model = WordEmbedding_v1(3, vectors="static").initialize([nlp.make_doc("fun")])
    first, second = model.layers[1].predict([nlp.make_doc("zebra yak")])
    assert first.any()
    assert not numpy.array_equal(first, second)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("vectors", ["static", "tuned"])
def test_a_pipeline_without_vectors_is_refused_with_the_setting_named(embedding, vectors):
    with pytest.raises(ValueError, match=r"the pipeline has none. Set '\[initialize\] vectors'"):
        embedding(WIDTH, vectors=vectors).initialize([spacy.blank("en").make_doc("dog")])


def test_tuned_vectors_of_another_width_are_refused():
    with pytest.raises(ValueError, match="must be that of the pipeline's vectors, 5, but is 4"):
        WordEmbedding_v1(4, vectors="tuned").initialize([make_vocab().make_doc("fun")])


@pytest.mark.parametrize("other", [spacy.blank("en"), make_vocab(width=7)], ids=["none", "wider"])
def test_prediction_with_other_vectors_than_those_of_the_start_is_refused(other):
    model = WordEmbedding_v1(4, vectors="static").initialize([make_vocab().make_doc("fun")])
    width = other.vocab.vectors_length
    with pytest.raises(ValueError, match=f"of width 5, but the pipeline's have width {width}"):
        model.predict([other.make_doc("fun")])


@pytest.mark.parametrize("vectors", ["static", "tuned"])
@pytest.mark.parametrize("listen", [False, True], ids=["own", "listener"])
def test_a_saved_pipeline_predicts_the_same(vectors, listen, tmp_path):
    nlp = make_nlp(vectors, listen=listen)
    train(nlp, steps=2)
    nlp.to_disk(tmp_path)
    assert_same_predictions(nlp, spacy.load(tmp_path), [*TEXTS, *UNSEEN])


def test_a_saved_pipeline_predicts_the_same_in_a_new_process(tmp_path):
    nlp = make_nlp("static")
    train(nlp)
    nlp.to_disk(tmp_path)
    code = f"import spacy; print(spacy.load({str(tmp_path)!r})('superb').cats['positive'])"
    command = [sys.executable, *WARNINGS_ARE_ERRORS, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert float(printed.stdout) == nlp("superb").cats["positive"]


@pytest.mark.parametrize("vectors", ["static", "tuned"])
def test_a_config_takes_vectors_from_a_folder(vectors, tmp_path):
    make_vocab().to_disk(tmp_path)
    nlp = spacy.blank("en")
    tok2vec = {**SMALL_MODEL["tok2vec"], "width": WIDTH, "vectors": vectors}
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": tok2vec}})
    nlp.config["initialize"]["vectors"] = str(tmp_path)
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.vocab.vectors_length == WIDTH
    train(nlp, steps=1)


def test_dropout_of_static_vectors_leaves_the_gradients_of_other_layers_alone():
    nlp = make_vocab()
    docs = [nlp.make_doc("fun and joy"), nlp.make_doc("no vectors")]
    model = SubwordEmbedding_v1(WIDTH, min_frequency=1, vectors="static", ngram_rows=50)
    model.initialize(docs)
    set_dropout_rate(model, 0.5)
    outputs, backprop = model.begin_update(docs)
    backprop([numpy.ones_like(y) for y in outputs])
    words, _, ngrams = model.layers
    for layer in (words, ngrams):
        # All dimensions have had the same gradient.
        gradient = layer.get_grad("E")
        numpy.testing.assert_allclose(gradient, gradient[:, :1].repeat(WIDTH, axis=1), atol=1e-6)
        assert gradient.any()


def test_documents_of_several_vocabularies_are_refused_where_word_vectors_are_used():
    nlp = make_nlp("static")
    batch = [nlp.make_doc("great fun"), spacy.blank("en").make_doc("a dull joy")]
    with pytest.raises(ValueError, match=r"several vocabularies, such as 'a dull joy': make all"):
        list(nlp.pipe(batch))
