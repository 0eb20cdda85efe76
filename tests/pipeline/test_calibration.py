"""Calibration: temperature, its callback, and the expected calibration error."""

import numpy
import pytest
import spacy
from scipy.optimize import minimize_scalar
from spacy.training import Example
from spacy.util import load_model_from_config, registry
from thinc.api import Config

from spacy_attn.pipeline.calibration import calibrate
from spacy_attn.pipeline.scorer import expected_calibration_error
from spacy_attn.pipeline.temperature import fit_temperature

from ..conftest import LABELS, SMALL_MODEL, TEXTS, make_examples, make_nlp, train

# Validation documents some of which a model trained on TEXTS gets wrong.
NOISY = {**TEXTS, "great waste": "negative", "boring fun": "positive", "joy of time": "negative"}


def noisy_examples(nlp):
    # Many, so that little is taken from their certainty (Platt's smoothing).
    return make_examples(nlp, NOISY) * 30


def trained(factory="attn_textcat"):
    nlp = make_nlp(factory)
    train(nlp)
    return nlp


def softmax(logits):
    exponentials = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_the_temperature_is_the_one_of_least_cross_entropy():
    rng = numpy.random.default_rng(0)
    logits = rng.normal(size=(500, 3)) * 4
    truths = numpy.eye(3)[[rng.choice(3, p=p) for p in softmax(logits / 2.5)]]

    def loss(temperature):
        return -(truths * numpy.log(softmax(logits / temperature))).sum()

    found = fit_temperature(logits, lambda z: softmax(z) - truths)
    expected = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert found == pytest.approx(expected, rel=1e-3)
    assert found == pytest.approx(2.5, rel=0.15)


def test_calibrating_lowers_the_cross_entropy_and_changes_no_decision(factory):
    nlp = trained(factory)
    before = [nlp(text).cats for text in NOISY]
    nlp.get_pipe(factory).calibrate(noisy_examples(nlp))
    after = [nlp(text).cats for text in NOISY]

    def cross_entropy(cats):
        pairs = zip(cats, NOISY.values(), strict=True)
        return -sum(numpy.log(scores[label]) for scores, label in pairs)

    # But for what Platt's smoothing takes from scores that were calibrated before.
    assert cross_entropy(after) < 1.01 * cross_entropy(before)
    for one, other in zip(before, after, strict=True):
        assert max(one, key=one.get) == max(other, key=other.get)


def test_a_calibrated_score_is_that_of_the_logits_divided_by_the_temperature():
    nlp = trained()
    component = nlp.get_pipe("attn_textcat")
    docs = [nlp.make_doc(text) for text in NOISY]
    logits, _ = component.model.predict(docs)
    component.calibrate(noisy_examples(nlp))
    expected = softmax(logits / component.temperature)
    numpy.testing.assert_allclose(component.predict(docs).scores, expected, atol=1e-6)


def test_the_temperature_is_saved_with_the_component(factory, tmp_path):
    nlp = trained(factory)
    temperature = nlp.get_pipe(factory).calibrate(noisy_examples(nlp))
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe(factory).temperature == pytest.approx(temperature)


def test_training_on_ends_the_calibration(factory):
    nlp = trained(factory)
    nlp.get_pipe(factory).calibrate(noisy_examples(nlp))
    train(nlp, steps=1)
    assert nlp.get_pipe(factory).temperature == 1.0


def test_the_loss_of_calibrated_scores_is_that_of_the_model(factory):
    nlp = trained(factory)
    component = nlp.get_pipe(factory)
    examples = noisy_examples(nlp)
    docs = [example.predicted for example in examples]
    expected = component.get_loss(examples, component.predict(docs).scores)[0]
    component.calibrate(examples)
    found = component.get_loss(examples, component.predict(docs).scores)[0]
    assert found == pytest.approx(expected, rel=1e-3)


def test_calibrating_with_nothing_says_so():
    nlp = trained()
    component = nlp.get_pipe("attn_textcat")
    with pytest.raises(ValueError, match="no examples with its labels"):
        component.calibrate([])
    with pytest.raises(ValueError, match="no examples with its labels"):
        component.calibrate([Example.from_dict(nlp.make_doc("x"), {"cats": {"other": 1.0}})])


def test_calibrating_with_empty_documents_only_says_so(factory):
    nlp = make_nlp(factory)
    with pytest.raises(ValueError, match=r"no examples with its labels.* that have tokens"):
        nlp.get_pipe(factory).calibrate(make_examples(nlp, {"": "positive"}))


def test_empty_documents_do_not_change_the_temperature(factory):
    nlp = trained(factory)
    expected = nlp.get_pipe(factory).calibrate(noisy_examples(nlp))
    empty = make_examples(nlp, {"": "positive"}) * 50
    assert nlp.get_pipe(factory).calibrate(noisy_examples(nlp) + empty) == expected


def test_one_document_tells_no_temperature(factory):
    nlp = make_nlp(factory)
    component = nlp.get_pipe(factory)
    component.cfg["temperature"] = 5.0
    with pytest.warns(UserWarning, match=f"'{factory}' is not calibrated.*one document"):
        assert component.calibrate(make_examples(nlp, {"great fun": "positive"})) == 1.0
    assert component.temperature == 1.0


def test_a_model_that_is_always_wrong_is_left_without_any_certainty(factory):
    nlp = trained(factory)
    wrong = {text: LABELS[gold == LABELS[0]] for text, gold in TEXTS.items()}
    nlp.get_pipe(factory).calibrate(make_examples(nlp, wrong))
    for text in TEXTS:
        assert max(nlp(text).cats.values()) == pytest.approx(0.5, abs=0.1)


def test_scores_do_not_become_certain_where_every_document_is_classified_rightly(factory):
    nlp = trained(factory)
    train(nlp, steps=40)
    assert nlp.evaluate(make_examples(nlp))["cats_acc"] == 1.0
    nlp.get_pipe(factory).calibrate(make_examples(nlp))
    scores = [nlp(text).cats[gold] for text, gold in TEXTS.items()]
    # Platt's (n + 1) / (n + 2)
    assert numpy.mean(scores) == pytest.approx(7 / 8, abs=0.03)


def test_documents_without_annotation_are_left_out_of_calibration(factory):
    nlp = trained(factory)
    component = nlp.get_pipe(factory)
    expected = component.calibrate(noisy_examples(nlp))
    unannotated = [Example.from_dict(nlp.make_doc("great fun"), {})] * 5
    assert component.calibrate(noisy_examples(nlp) + unannotated) == pytest.approx(expected)


def test_the_callback_calibrates_each_component_with_the_named_corpus():
    nlp = trained()
    make = registry.callbacks.get("spacy-attn.calibrate.v1")
    make(noisy_examples)(nlp)
    assert nlp.get_pipe("attn_textcat").temperature > 1.0


def test_a_component_that_cannot_be_calibrated_is_named():
    nlp = trained()
    nlp.add_pipe("sentencizer")
    with pytest.raises(ValueError, match=r"'sentencizer'.*\['attn_textcat'\]"):
        calibrate(nlp, "sentencizer", noisy_examples(nlp))


LISTENER_CONFIG = """
[nlp]
lang = "en"
pipeline = ["tok2vec", "attn_textcat"]
[components]
[components.tok2vec]
factory = "tok2vec"
[components.tok2vec.model]
@architectures = "spacy-attn.WordEmbedding.v1"
width = 12
min_frequency = 1
[components.attn_textcat]
factory = "attn_textcat"
[components.attn_textcat.model]
@architectures = "spacy-attn.BiLSTMAttention.v1"
hidden_width = 8
[components.attn_textcat.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 12
upstream = "tok2vec"
"""


def test_a_component_that_listens_to_another_one_is_calibrated():
    nlp = load_model_from_config(Config().from_str(LISTENER_CONFIG), auto_fill=True)
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp)
    assert calibrate(nlp, "attn_textcat", noisy_examples(nlp)) != 1.0


def test_calibration_error_is_the_gap_of_confidence_and_accuracy_over_15_bins():
    # One bin of confidence 0.9 with half of it right, one of 0.5 with all of it right.
    error = expected_calibration_error([0.9, 0.9, 0.5, 0.5], [True, False, True, True])
    assert error == pytest.approx((0.4 * 2 + 0.5 * 2) / 4)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([], []) is None


def test_the_scores_hold_the_calibration_error_of_what_is_annotated(factory):
    nlp = make_nlp(factory)
    examples = make_examples(nlp)
    docs = list(nlp.pipe(example.reference.text for example in examples))
    if factory == "attn_textcat":
        confidence = [max(doc.cats.values()) for doc in docs]
        right = [
            max(doc.cats, key=doc.cats.get) == gold
            for doc, gold in zip(docs, TEXTS.values(), strict=True)
        ]
    else:
        confidence = [doc.cats[label] for doc in docs for label in LABELS]
        right = [label == gold for gold in TEXTS.values() for label in LABELS]
    expected = expected_calibration_error(confidence, right)
    unannotated = Example.from_dict(nlp.make_doc("x"), {})
    assert nlp.evaluate([*examples, unannotated])["cats_ece"] == pytest.approx(expected)
    assert nlp.evaluate([unannotated])["cats_ece"] is None


def test_a_multilabel_config_with_every_setting_is_accepted():
    nlp = spacy.blank("xx")
    settings = {"class_weights": {"positive": 2.0}, "label_smoothing": 0.1, "model": SMALL_MODEL}
    nlp.add_pipe("attn_textcat_multilabel", config=settings)
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.config["components"]["attn_textcat_multilabel"]["label_smoothing"] == 0.1


def test_a_refused_step_leaves_the_temperature_that_was_fitted_for_the_weights():
    nlp = trained()
    component = nlp.get_pipe("attn_textcat")
    component.cfg["temperature"] = 2.0
    sgd = nlp.create_optimizer()
    sgd.learn_rate = float("nan")
    with pytest.raises(ValueError, match="learn_rate"):
        component.update(make_examples(nlp), sgd=sgd)
    assert component.temperature == 2.0
    sgd.learn_rate = 0.001
    component.update(make_examples(nlp), sgd=sgd)
    assert component.temperature == 1.0
