"""`spacy_attn.explain`: attributions by several methods, each checked against its definition."""

import numpy
import pytest
import spacy
from scipy.special import softmax
from spacy.language import Language
from spacy.tokens import Doc

import spacy_attn
from spacy_attn.interpret.gradients import N_STEPS
from spacy_attn.interpret.methods import METHODS
from spacy_attn.interpret.subject import Classifier, keep_tokens
from spacy_attn.models.contract import embed

from ..conftest import MIXED_TEXTS, SMALL_MODEL, make_examples, make_nlp
from .conftest import make

# With exceptions of the tokenizer, whose norms are not their texts: "ca" and "n't".
TEXTS = [*MIXED_TEXTS, "I can't say it isn't great fun"]
FURTHER = [method for method in METHODS if method != "contributions"]


def explain(nlp, texts, **settings):
    return list(spacy_attn.explain(nlp, texts, **settings))


def logits_of_docs(nlp: Language, docs: list[Doc]) -> numpy.ndarray:
    """Logits as the whole pipeline computes them, of its calibrated scores."""
    component = nlp.get_pipe("attn_textcat")
    docs = list(nlp.pipe(docs))
    logits = numpy.stack([component.model.predict([doc])[0][0] for doc in docs])
    return logits / component.temperature


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_the_same_form(nlp, method):
    docs = list(nlp.pipe(TEXTS))
    for text, doc, explanation in zip(TEXTS, docs, explain(nlp, TEXTS, method=method), strict=True):
        assert explanation.text == text
        assert explanation.method == method
        assert explanation.attributions.shape == (len(doc), 2)
        assert explanation.attributions.dtype == numpy.float32
        assert numpy.isfinite(explanation.attributions).all()
        scores = dict(zip(explanation.labels, explanation.scores.tolist(), strict=True))
        assert scores == pytest.approx(doc.cats, abs=1e-5)
        numpy.testing.assert_allclose(explanation.attention, doc._.attention, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_document_is_explained_alike_alone_and_in_a_batch(nlp, method):
    together = explain(nlp, TEXTS, method=method)
    alone = explain(nlp, TEXTS, method=method, batch_size=1)
    for one, other in zip(together, alone, strict=True):
        numpy.testing.assert_allclose(one.attributions, other.attributions, atol=1e-4)


def test_leaving_a_token_out_is_predicting_the_document_rebuilt_without_it(nlp):
    texts = [text for text in TEXTS if len(text) < 100]
    for doc, explanation in zip(
        nlp.pipe(texts), explain(nlp, texts, method="leave_one_out"), strict=True
    ):
        for i in range(len(doc)):
            rest = [token for token in doc if token.i != i]
            rebuilt = Doc(
                nlp.vocab,
                words=[token.text for token in rest],
                spaces=[bool(token.whitespace_) for token in rest],
            )
            for token, original in zip(rebuilt, rest, strict=True):
                token.norm_ = original.norm_
            (logits,) = logits_of_docs(nlp, [rebuilt])
            numpy.testing.assert_allclose(
                explanation.attributions[i], explanation.logits - logits, atol=1e-4
            )


@pytest.mark.parametrize("method", METHODS)
def test_attributions_of_every_method_are_to_the_logits_of_the_calibrated_scores(method):
    """Another temperature changes no more than the unit."""
    nlp = make("words")
    component = nlp.get_pipe("attn_textcat")
    component.cfg["temperature"] = 1.0
    plain = explain(nlp, TEXTS, method=method)
    component.cfg["temperature"] = 8.0
    for one, other in zip(plain, explain(nlp, TEXTS, method=method), strict=True):
        # A power of two, so that nothing is rounded.
        numpy.testing.assert_array_equal(other.attributions, one.attributions / 8.0)
        numpy.testing.assert_array_equal(other.logits, one.logits / 8.0)
        numpy.testing.assert_array_equal(other.bias, one.bias / 8.0)
        numpy.testing.assert_allclose(other.scores, softmax(other.logits), atol=1e-6)


def token_vectors(nlp, text):
    classifier = Classifier(nlp)
    docs = classifier.prepare([text])
    return embed(classifier.component.model, docs)[0]


def logits_of_vectors(nlp, vectors):
    component = nlp.get_pipe("attn_textcat")
    hidden = component.model.get_ref("bilstm").predict([vectors])
    return component.model.get_ref("output_layer").predict(hidden)[0][0] / component.temperature


def test_gradients_are_those_of_finite_differences(nlp):
    text = "a great and witty joy"
    (explanation,) = explain(nlp, [text], method="gradient_x_input")
    vectors, step = token_vectors(nlp, text), 0.02
    for i in range(len(vectors)):
        # Along the vector itself, which is what its product with the gradient is.
        ahead, behind = vectors.copy(), vectors.copy()
        ahead[i] *= 1 + step
        behind[i] *= 1 - step
        slope = (logits_of_vectors(nlp, ahead) - logits_of_vectors(nlp, behind)) / (2 * step)
        numpy.testing.assert_allclose(explanation.attributions[i], slope, atol=2e-3)


def test_integrated_gradients_add_up_to_the_logits_minus_those_of_zero_vectors(nlp):
    # The gradient on the way to the vectors of eighty equal words is too rough for so few steps.
    for text in (text for text in TEXTS if len(text) < 50):
        (explanation,) = explain(nlp, [text], method="integrated_gradients")
        vectors = token_vectors(nlp, text)
        baseline = logits_of_vectors(nlp, numpy.zeros_like(vectors))
        total = explanation.attributions.sum(axis=0)
        numpy.testing.assert_allclose(total, explanation.logits - baseline, atol=5e-3)


def test_integrated_gradients_are_the_mean_of_gradients_on_the_way_to_the_vectors(words_nlp):
    text = "a great and witty joy"
    (explanation,) = explain(words_nlp, [text], method="integrated_gradients")
    vectors, step = token_vectors(words_nlp, text), 0.02
    points, weights = numpy.polynomial.legendre.leggauss(N_STEPS)
    slopes = []
    for point in ((points + 1) / 2).astype(numpy.float32):
        ahead, behind = (vectors * point).copy(), (vectors * point).copy()
        ahead[1] += step * vectors[1]
        behind[1] -= step * vectors[1]
        difference = logits_of_vectors(words_nlp, ahead) - logits_of_vectors(words_nlp, behind)
        slopes.append(difference / (2 * step))
    expected = (weights[:, None] / 2 * slopes).sum(axis=0)
    numpy.testing.assert_allclose(explanation.attributions[1], expected, atol=2e-3)


@pytest.mark.parametrize("method", FURTHER)
def test_explaining_leaves_no_gradients_and_no_dropout(method):
    nlp = make_nlp(model={**SMALL_MODEL, "dropout": 0.5})
    component = nlp.get_pipe("attn_textcat")
    before = component.model.to_bytes()
    first, second = (explain(nlp, TEXTS, method=method) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        numpy.testing.assert_array_equal(one.attributions, other.attributions)
    for node in component.model.walk():
        for shim in node.shims:
            assert all(parameter.grad is None for parameter in shim.module.parameters())
    assert not any(node.has_grad("E") for node in component.model.walk() if "E" in node.param_names)
    assert component.model.to_bytes() == before


@pytest.mark.parametrize("method", METHODS)
def test_chosen_labels_are_explained_alone_in_their_order(words_nlp, method):
    (whole,) = explain(words_nlp, ["great fun"], method=method)
    (part,) = explain(words_nlp, ["great fun"], method=method, labels=["negative", "positive"])
    assert part.labels == ("negative", "positive")
    for label in part.labels:
        numpy.testing.assert_allclose(part.of_label(label), whole.of_label(label), atol=1e-6)
    (single,) = explain(words_nlp, ["great fun"], method=method, labels="negative")
    assert single.attributions.shape == (2, 1)
    assert single.scores == pytest.approx([whole.scores[whole.labels.index("negative")]])


@pytest.mark.parametrize("method", METHODS)
def test_a_contrast_is_the_difference_of_two_labels_by_every_method(words_nlp, method):
    pair = ("negative", "positive")
    contrasted = explain(words_nlp, TEXTS, method=method, contrast=pair)
    for one, other in zip(contrasted, explain(words_nlp, TEXTS, method=method), strict=True):
        assert one.contrast == pair
        expected = other.of_label("negative") - other.of_label("positive")
        numpy.testing.assert_allclose(one.of_label(pair), expected, atol=1e-6)


def test_contributions_to_a_contrast_add_up_to_the_difference_of_the_logits(nlp):
    pair = ("positive", "negative")
    for explanation in explain(nlp, [*TEXTS, "dull fun " * 500], contrast=pair):
        total = explanation.of_label(pair).sum(dtype=numpy.float64) + explanation.bias_of(pair)
        difference = explanation.logits @ [-1, 1] * (1 if explanation.labels[1] == pair[0] else -1)
        assert total == pytest.approx(difference, abs=1e-5)


def test_independent_labels_are_explained_likewise():
    nlp = make("words", "attn_textcat_multilabel")
    for method in METHODS:
        pair = ("positive", "negative")
        (explanation,) = explain(nlp, ["great fun"], method=method, contrast=pair)
        assert explanation.attributions.shape == (2, 2)
        assert explanation.contrast == pair
        assert dict(
            zip(explanation.labels, explanation.scores.tolist(), strict=True)
        ) == pytest.approx(nlp("great fun").cats)


def test_documents_can_be_given_and_are_not_modified(nlp):
    doc = nlp.make_doc("great fun")
    before = doc.to_bytes()
    for method in METHODS:
        (explanation,) = explain(nlp, [doc], method=method)
        assert explanation.tokens == ("great", "fun")
    assert doc.to_bytes() == before
    assert not doc.tensor.size


def test_any_number_of_texts_is_explained_one_batch_at_a_time(words_nlp):
    read = []

    def texts():
        for i in range(1000):
            read.append(i)
            yield "great fun"

    explanations = spacy_attn.explain(words_nlp, texts(), batch_size=10)
    assert read == []
    assert next(explanations).tokens == ("great", "fun")
    assert len(read) == 10
    assert words_nlp.pipe_names == ["attn_textcat"]


def test_components_are_enabled_as_before_between_two_explanations():
    nlp = make("listener")
    explanations = spacy_attn.explain(nlp, ["great fun"] * 2, batch_size=1, method="leave_one_out")
    next(explanations)
    assert nlp.pipe_names == ["tok2vec", "attn_textcat"]
    assert nlp("great fun").cats


def test_remaining_tokens_keep_what_the_pipeline_has_said_about_them():
    nlp = spacy.blank("en")
    doc = nlp("I can't go.")
    for token in doc:
        token.lemma_, token.pos_, token.tag_ = "lemma " + token.text, "NOUN", "NN"
        token.set_morph("Number=Sing")
    part = keep_tokens(doc, numpy.array([1, 2, 4]))
    assert [(t.text, t.norm_, t.lemma_) for t in part] == [
        ("ca", "can", "lemma ca"),
        ("n't", "not", "lemma n't"),
        (".", ".", "lemma ."),
    ]
    assert part.text == "can't ."
    assert {(t.pos_, t.tag_, str(t.morph)) for t in part} == {("NOUN", "NN", "Number=Sing")}
    assert len(keep_tokens(doc, numpy.array([], dtype=int))) == 0


def test_unknown_method_is_refused_with_the_known_ones(words_nlp):
    with pytest.raises(ValueError, match=r"'method' must be one of contributions, gradient_x_inp"):
        spacy_attn.explain(words_nlp, ["fun"], method="lime")


def test_unknown_label_is_refused_with_the_known_ones(words_nlp):
    with pytest.raises(ValueError, match="no label 'good'; 'attn_textcat' has 'positive', 'neg"):
        spacy_attn.explain(words_nlp, ["fun"], labels=["good"])


@pytest.mark.parametrize("text", ["great fun", spacy.blank("en")("great fun")])
def test_a_single_text_is_refused(words_nlp, text):
    with pytest.raises(ValueError, match="put it into a list"):
        spacy_attn.explain(words_nlp, text)


def test_a_pipeline_without_such_a_component_is_refused():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with pytest.raises(ValueError, match=r"no component that can be explained.*\['sentencizer'\]"):
        spacy_attn.explain(nlp, ["fun"])


def test_of_several_components_one_has_to_be_named():
    nlp = spacy.blank("en")
    nlp.add_pipe("attn_textcat", config={"model": SMALL_MODEL})
    nlp.add_pipe(
        "attn_textcat_multilabel", config={"model": SMALL_MODEL, "attention_attr": "second"}
    )
    nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=r"name one of \['attn_textcat', 'attn_textcat_mul"):
        spacy_attn.explain(nlp, ["fun"])
    with pytest.raises(ValueError, match="no component 'third'"):
        spacy_attn.explain(nlp, ["fun"], component="third")
    (explanation,) = explain(nlp, ["great fun"], component="attn_textcat_multilabel")
    scores = dict(zip(explanation.labels, explanation.scores.tolist(), strict=True))
    assert scores == pytest.approx(nlp("great fun").cats)


def test_a_method_that_is_not_installed_says_what_to_install(words_nlp, monkeypatch):
    import builtins

    real_import = builtins.__import__

    def fail(name, *args, **kwargs):
        if name.startswith("captum"):
            raise ImportError("No module named 'captum'")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(ImportError, match="pip install captum"):
        spacy_attn.explain(words_nlp, ["fun"], method="integrated_gradients")


def test_examples_are_refused_with_what_to_give_instead(words_nlp):
    with pytest.raises(TypeError, match=r"not Example.*'predicted'"):
        explain(words_nlp, make_examples(words_nlp))


@pytest.mark.parametrize("labels", [[], ["negative", "negative"]])
def test_labels_are_named_once_each_and_at_least_one(words_nlp, labels):
    with pytest.raises(ValueError, match="'labels' must name one label or several, each once"):
        explain(words_nlp, ["great fun"], labels=labels)


def test_no_text_is_left_out_silently_for_a_batch_size_of_0(words_nlp):
    with pytest.raises(ValueError, match="'batch_size' must be 1 or more, but is 0"):
        explain(words_nlp, ["great fun"], batch_size=0)
