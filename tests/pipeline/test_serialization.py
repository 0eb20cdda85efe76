import pickle

import numpy
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from spacy_attn.nn.attention import SCORINGS

from ..conftest import (
    MIXED_TEXTS,
    SMALL_MODEL,
    assert_same_predictions,
    make_examples,
    make_nlp,
    train,
)
from .test_training import assert_equal_weights, weights


@pytest.fixture(scope="module", params=["attn_textcat", "attn_textcat_multilabel"])
def nlp(request):
    nlp = make_nlp(request.param)
    train(nlp, steps=20)
    return nlp


def assert_same(one, other):
    (name,) = one.pipe_names
    assert_equal_weights(weights(one, name), weights(other, name))
    assert one.get_pipe(name).cfg == other.get_pipe(name).cfg
    assert_same_predictions(one, other)


def test_disk_gives_equal_weights_and_predictions(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    assert_same(nlp, spacy.load(tmp_path))


def test_bytes_give_equal_weights_and_predictions(nlp):
    other = spacy.util.load_model_from_config(nlp.config)
    other.from_bytes(nlp.to_bytes())
    assert_same(nlp, other)


def test_pickle_gives_equal_weights_and_predictions(nlp):
    assert_same(nlp, pickle.loads(pickle.dumps(nlp)))


def test_component_alone_round_trips_through_disk_and_bytes(nlp, tmp_path):
    (name,) = nlp.pipe_names
    for how in ("disk", "bytes"):
        other = spacy.blank("xx")
        component = other.add_pipe(name, config={"model": SMALL_MODEL})
        if how == "disk":
            nlp.get_pipe(name).to_disk(tmp_path / name)
            component.from_disk(tmp_path / name)
        else:
            component.from_bytes(nlp.get_pipe(name).to_bytes())
        assert_same(nlp, other)


def test_bytes_load_onto_a_pipeline_that_knows_other_words(nlp):
    (name,) = nlp.pipe_names
    texts = {"wholly other words": "positive", "nothing shared": "negative"}
    other = make_nlp(name, examples=lambda nlp: make_examples(nlp, texts))
    other.from_bytes(nlp.to_bytes())
    assert_same(nlp, other)


def test_a_model_with_a_given_number_of_labels_and_one_more_can_be_loaded(factory, tmp_path):
    nlp = make_nlp(factory, model={**SMALL_MODEL, "nO": 2})
    nlp.get_pipe(factory).add_label("neutral")
    nlp.to_disk(tmp_path)
    assert_same(nlp, spacy.load(tmp_path))


def test_dropout_can_be_changed_when_a_pipeline_is_loaded(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    (name,) = nlp.pipe_names
    other = spacy.load(tmp_path, config={f"components.{name}.model.dropout": 0.7})
    docs, model = [other.make_doc("great fun")], other.get_pipe(name).model
    assert not numpy.array_equal(model.begin_update(docs)[0][0], model.begin_update(docs)[0][0])


def test_the_same_pipeline_always_gives_the_same_bytes(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    (name,) = nlp.pipe_names
    for other in (spacy.load(tmp_path), pickle.loads(pickle.dumps(nlp))):
        assert other.get_pipe(name).to_bytes() == nlp.get_pipe(name).to_bytes()


def test_a_pipeline_that_has_not_been_initialized_can_be_stored_and_trained_later(
    factory, tmp_path
):
    nlp = spacy.blank("xx")
    nlp.add_pipe(factory, config={"model": SMALL_MODEL})
    nlp.to_disk(tmp_path)
    other = spacy.load(tmp_path)
    other.initialize(lambda: make_examples(other))
    train(other, steps=2)
    assert other("great fun").cats


def test_training_goes_on_after_loading(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    other = spacy.load(tmp_path)
    before = other("great fun and a joy").cats["positive"]
    train(other, steps=20, sgd=other.resume_training())
    assert other("great fun and a joy").cats["positive"] > before


def test_stored_weights_hold_no_pickle(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    (name,) = nlp.pipe_names
    data = (tmp_path / name / "model").read_bytes()
    assert b"torch" not in data.lower()
    assert b"forwards.0.weight_ih_l0" in data  # a safetensors header, in plain text


@given(
    hidden_width=st.integers(1, 5),
    depth=st.integers(1, 3),
    attention=st.sampled_from(SCORINGS),
    evidence=st.sampled_from([0.0, 1.0, 2.5]),
    n_labels=st.integers(2, 5),
    width=st.integers(1, 6),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_models_of_any_size_round_trip(hidden_width, depth, attention, evidence, n_labels, width):
    model = {
        **SMALL_MODEL,
        "tok2vec": {**SMALL_MODEL["tok2vec"], "width": width},
        "hidden_width": hidden_width,
        "depth": depth,
        "attention": attention,
        "evidence": evidence,
    }
    labels = tuple(f"label {i}" for i in range(n_labels))
    texts = {f"text number {i}": label for i, label in enumerate(labels)}
    nlp = make_nlp(model=model, examples=lambda nlp: make_examples(nlp, texts, labels))
    train(nlp, steps=1, examples=lambda nlp: make_examples(nlp, texts, labels))
    other = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert_same(nlp, other)


@given(st.lists(st.sampled_from(MIXED_TEXTS), max_size=8))
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_batch_of_documents_survives_docbin_and_bytes(trained_nlp, texts):
    docs = list(trained_nlp.pipe(texts))
    doc_bin = DocBin(docs=docs, store_user_data=True)
    restored = DocBin().from_bytes(doc_bin.to_bytes()).get_docs(trained_nlp.vocab)
    for doc, from_bin in zip(docs, restored, strict=True):
        from_bytes = Doc(trained_nlp.vocab).from_bytes(doc.to_bytes())
        for other in (from_bin, from_bytes):
            numpy.testing.assert_array_equal(other._.attention, doc._.attention)
            assert other._.attention.dtype == numpy.float32
            assert other._.attention.flags.owndata
