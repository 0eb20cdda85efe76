"""Training: what is minimised, averaged, dropped out, frozen, shared and reproduced."""

import numpy
import pytest
import spacy
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

from ..conftest import (
    HASH_EMBEDDING,
    LISTENER,
    MIXED_TEXTS,
    SMALL_EMBEDDING,
    SMALL_MODEL,
    TEXTS,
    TOK2VEC,
    assert_same_predictions,
    make_examples,
    make_nlp,
    train,
)


def weights(nlp, name="attn_textcat") -> dict[str, numpy.ndarray]:
    """All weights of a component, of Thinc layers and of torch, by name."""
    found = {}
    for i, node in enumerate(nlp.get_pipe(name).model.walk()):
        for param in node.param_names:
            found[f"{i}.{param}"] = node.get_param(param).copy()
        for shim in node.shims:
            for param, value in shim.module.state_dict().items():
                found[f"{i}.{param}"] = value.numpy().copy()
    return found


def assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    for name in one:
        numpy.testing.assert_array_equal(one[name], other[name], err_msg=name)


def logit_loss(component, examples, logits):
    return component._get_training_loss(examples, logits)


def test_the_gradient_is_that_of_the_loss_reported(factory):
    nlp = make_nlp(factory)
    component = nlp.get_pipe(factory)
    examples = make_examples(nlp)
    logits = numpy.random.default_rng(0).normal(size=(len(examples), 2)).astype("float64")
    _, gradient = logit_loss(component, examples, logits)
    for index in numpy.ndindex(*logits.shape):
        above, below = logits.copy(), logits.copy()
        above[index] += 1e-4
        below[index] -= 1e-4
        difference = (
            logit_loss(component, examples, above)[0] - logit_loss(component, examples, below)[0]
        )
        assert gradient[index] == pytest.approx(difference / 2e-4, abs=1e-3)


def test_the_loss_is_the_cross_entropy_summed_over_documents():
    nlp = make_nlp()
    component = nlp.get_pipe("attn_textcat")
    examples = make_examples(nlp)
    scores = component.predict([example.predicted for example in examples]).scores
    gold = [component.labels.index(label) for label in TEXTS.values()]
    expected = -numpy.log(scores[numpy.arange(len(gold)), gold]).sum()
    losses = component.update(examples)
    assert losses["attn_textcat"] == pytest.approx(expected, rel=1e-5)
    assert component.get_loss(examples, scores)[0] == pytest.approx(expected, rel=1e-5)


def test_loss_stays_finite_where_a_probability_is_rounded_to_zero(factory):
    nlp = make_nlp(factory)
    scores = numpy.array([[0.0, 1.0]], dtype="f")
    loss, _ = nlp.get_pipe(factory).get_loss(make_examples(nlp)[:1], scores)
    assert numpy.isfinite(loss)
    assert loss > 50


def test_the_loss_of_confident_errors_is_exact():
    for factory, expected in (("attn_textcat", 200.0), ("attn_textcat_multilabel", 100.0 + 100.0)):
        nlp = make_nlp(factory)
        logits = numpy.array([[-100.0, 100.0]], dtype="f")
        examples = make_examples(nlp, {"great fun": "positive"})
        loss, gradient = logit_loss(nlp.get_pipe(factory), examples, logits)
        assert loss == pytest.approx(expected)
        numpy.testing.assert_allclose(gradient, [[-1.0, 1.0]], atol=1e-6)


def test_perturbed_training_adds_the_loss_and_the_gradients_of_moved_vectors(factory):
    nlp, perturbed = make_nlp(factory), make_nlp(factory, perturbation=2.0)
    assert_equal_weights(weights(nlp, factory), weights(perturbed, factory))
    (plain,) = nlp.get_pipe(factory).update(make_examples(nlp)).values()
    (both,) = perturbed.get_pipe(factory).update(make_examples(nlp)).values()
    assert both > 2 * plain  # moved in the direction in which the loss grows
    assert train(perturbed, steps=100)[factory] < both
    assert perturbed("great fun and a joy").cats["positive"] > 0.8


def test_a_negative_perturbation_is_refused(factory):
    with pytest.raises(ValueError, match="'perturbation' must be 0 or more, but is -1"):
        make_nlp(factory, perturbation=-1.0)


def soft_examples(nlp):
    return [
        Example.from_dict(nlp.make_doc(text), {"cats": {"positive": p, "negative": 1 - p}})
        for text, p in (("great fun", 0.75), ("dull", 0.25))
    ]


def test_probabilities_of_a_teacher_are_learned(factory):
    nlp = make_nlp(factory, examples=soft_examples)
    train(nlp, steps=100, examples=soft_examples)
    assert nlp("great fun").cats["positive"] == pytest.approx(0.75, abs=0.05)
    assert nlp("dull").cats["positive"] == pytest.approx(0.25, abs=0.05)
    assert nlp.evaluate(soft_examples(nlp))["cats_acc"] == 1.0


def test_exclusive_probabilities_that_add_up_to_more_than_one_are_refused():
    nlp = make_nlp()
    example = Example.from_dict(nlp.make_doc("x"), {"cats": {"positive": 0.9, "negative": 0.9}})
    with pytest.raises(ValueError, match="add up to more than 1"):
        nlp.update([example])


def test_training_reduces_the_loss_reported(factory):
    nlp = make_nlp(factory)
    assert train(nlp, steps=60)[factory] < 0.5 * train(make_nlp(factory), steps=1)[factory]


def test_gradients_of_every_weight_agree_with_finite_differences():
    nlp = make_nlp()
    component = nlp.get_pipe("attn_textcat")
    examples = make_examples(nlp)
    component.update(examples)  # without an optimizer, gradients stay on the model
    nodes = list(component.model.walk())
    embedding = next(node for node in nodes if node.name == "word_embedding")
    modules = [shim.module for node in nodes for shim in node.shims]
    checked = [(embedding.get_param("E"), embedding.get_grad("E"))]
    checked += [(p.data.numpy(), p.grad.numpy()) for m in modules for p in m.parameters()]

    def loss():
        predictions = component.predict([example.predicted for example in examples])
        return component.get_loss(examples, predictions.scores)[0]

    generator = numpy.random.default_rng(0)
    for parameter, gradient in checked:
        direction = generator.normal(size=parameter.shape).astype("f")
        direction /= numpy.linalg.norm(direction)
        original = parameter.copy()
        parameter[...] = original + 3e-3 * direction
        above = loss()
        parameter[...] = original - 3e-3 * direction
        below = loss()
        parameter[...] = original
        assert (gradient * direction).sum() == pytest.approx((above - below) / 6e-3, abs=2e-3)


def test_averaged_weights_are_used_for_torch_and_thinc_layers_alike():
    nlp = make_nlp()
    sgd = Adam(0.01, use_averages=True)
    train(nlp, steps=10, sgd=sgd)
    raw, raw_scores = weights(nlp), nlp("great fun").cats
    with nlp.use_params(sgd.averages):
        averaged, averaged_scores = weights(nlp), nlp("great fun").cats
    assert averaged_scores != raw_scores
    for name in raw:
        assert not numpy.array_equal(averaged[name], raw[name]), name
    assert_equal_weights(weights(nlp), raw)


def test_what_is_saved_under_averaged_weights_is_the_average(tmp_path):
    nlp = make_nlp()
    sgd = Adam(0.01, use_averages=True)
    train(nlp, steps=10, sgd=sgd)
    with nlp.use_params(sgd.averages):
        nlp.to_disk(tmp_path)
        expected = nlp("great fun").cats
    assert spacy.load(tmp_path)("great fun").cats == expected


def component_rates(nlp):
    return [
        n.attrs["dropout_rate"]
        for n in nlp.get_pipe("attn_textcat").model.walk()
        if "dropout_rate" in n.attrs
    ]


def test_training_dropout_reaches_the_torch_layers():
    nlp = make_nlp()
    examples = make_examples(nlp)
    model = nlp.get_pipe("attn_textcat").model
    docs = [example.predicted for example in examples]
    nlp.update(examples, drop=0.6)
    assert not numpy.array_equal(model.begin_update(docs)[0][0], model.begin_update(docs)[0][0])
    nlp.update(examples, drop=0.0)
    assert numpy.array_equal(model.begin_update(docs)[0][0], model.begin_update(docs)[0][0])
    nlp.update(examples, drop=0.6)
    numpy.testing.assert_array_equal(model.predict(docs)[0], model.predict(docs)[0])


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    runs = []
    for seed in (1, 1, 2):
        nlp = make_nlp(seed=seed)
        train(nlp, steps=5, drop=0.3)
        runs.append(weights(nlp))
    assert_equal_weights(runs[0], runs[1])
    assert not numpy.array_equal(next(iter(runs[0].values())), next(iter(runs[2].values())))


def test_initializing_again_starts_from_new_weights_and_the_new_examples():
    nlp = make_nlp()
    before = weights(nlp)
    nlp.initialize(lambda: make_examples(nlp))
    after = weights(nlp)
    for name in before:
        assert not numpy.array_equal(before[name], after[name]), name
    texts = {"wholly other words": "positive", "nothing shared": "negative"}
    nlp.initialize(lambda: make_examples(nlp, texts))
    embedding = next(
        n for n in nlp.get_pipe("attn_textcat").model.walk() if n.name == "word_embedding"
    )
    assert set(embedding.attrs["vocabulary"].words) == {
        "wholly",
        "other",
        "words",
        "nothing",
        "shared",
    }


def test_the_vocabulary_is_learned_from_all_examples_and_not_from_a_sample():
    texts = {f"word{i} text": "positive" if i % 2 else "negative" for i in range(50)}
    nlp = make_nlp(examples=lambda nlp: make_examples(nlp, texts))
    embedding = next(
        n for n in nlp.get_pipe("attn_textcat").model.walk() if n.name == "word_embedding"
    )
    assert len(embedding.attrs["vocabulary"]) == 51


def test_documents_without_tokens_do_not_disturb_training(factory):
    nlp = make_nlp(factory)
    before = weights(nlp, factory)
    sgd = nlp.create_optimizer()
    assert nlp.update(make_examples(nlp, {"": "positive"}), sgd=sgd) == {factory: 0.0}
    assert_equal_weights(weights(nlp, factory), before)
    mixed = dict.fromkeys(MIXED_TEXTS, "positive")
    losses = nlp.update(make_examples(nlp, mixed), sgd=sgd)
    assert numpy.isfinite(losses[factory])


def test_a_frozen_component_does_not_change():
    nlp = make_nlp()
    nlp.add_pipe("textcat", name="other")
    nlp.initialize(lambda: make_examples(nlp))
    before = weights(nlp)
    with nlp.select_pipes(disable=["attn_textcat"]):
        train(nlp, steps=2)
    nlp.update(make_examples(nlp), sgd=nlp.create_optimizer(), exclude=["attn_textcat"])
    assert_equal_weights(weights(nlp), before)


def test_a_component_sourced_from_another_pipeline_predicts_the_same(trained_nlp):
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_textcat", source=trained_nlp)
    assert_same_predictions(nlp, trained_nlp)


def test_rehearsal_pulls_towards_what_the_model_predicted_before(factory):
    nlp = make_nlp(factory)
    train(nlp, steps=30)
    before = nlp("great fun and a joy").cats["positive"]
    sgd = nlp.resume_training()
    opposite = dict.fromkeys(TEXTS, "negative")
    original = nlp.to_bytes()
    drift = {}
    for rehearse in (False, True):
        nlp.from_bytes(original)
        sgd = Adam(0.01)
        for _ in range(15):
            nlp.update(make_examples(nlp, opposite), sgd=sgd)
            for _ in range(4 if rehearse else 0):
                losses = nlp.rehearse(make_examples(nlp), sgd=sgd)
        drift[rehearse] = abs(nlp("great fun and a joy").cats["positive"] - before)
    assert numpy.isfinite(losses[factory])
    assert drift[True] < drift[False]


def test_rehearsal_leaves_out_labels_added_since(factory):
    nlp = make_nlp(factory)
    nlp.resume_training()
    nlp.get_pipe(factory).add_label("neutral")
    losses = nlp.rehearse(make_examples(nlp), sgd=Adam(0.01))
    assert numpy.isfinite(losses[factory])


def test_without_an_earlier_model_rehearsal_does_nothing(factory):
    nlp = make_nlp(factory)
    before = weights(nlp, factory)
    assert nlp.get_pipe(factory).rehearse(make_examples(nlp), sgd=Adam(0.01)) == {factory: 0.0}
    assert_equal_weights(weights(nlp, factory), before)


# Embeddings of any kind


@pytest.mark.parametrize("tok2vec", [HASH_EMBEDDING, TOK2VEC, SMALL_EMBEDDING])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("attention", ["dot", "additive", "uniform"])
def test_any_embedding_depth_and_scoring_can_be_trained(tok2vec, depth, attention):
    nlp = make_nlp(
        model={**SMALL_MODEL, "tok2vec": tok2vec, "depth": depth, "attention": attention}
    )
    before = weights(nlp)
    train(nlp, steps=3)
    after = weights(nlp)
    for name in before:
        assert not numpy.array_equal(before[name], after[name]), name
    assert [len(doc._.attention) for doc in nlp.pipe(MIXED_TEXTS)] == [
        len(doc) for doc in nlp.pipe(MIXED_TEXTS)
    ]


def listening_nlp(embedding):
    fix_random_seed(0)
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec", config={"model": {**TOK2VEC, "embed": embedding}})
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": LISTENER}})
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@pytest.mark.parametrize("embedding", [HASH_EMBEDDING, SMALL_EMBEDDING])
def test_a_shared_embedding_is_listened_to_and_trained(embedding, tmp_path):
    nlp = listening_nlp(embedding)
    before = weights(nlp, "tok2vec")
    train(nlp, steps=60)
    after = weights(nlp, "tok2vec")
    for name in before:
        assert not numpy.array_equal(before[name], after[name]), name
    assert nlp("great fun and a joy").cats["positive"] > 0.8
    nlp.to_disk(tmp_path)
    assert_same_predictions(spacy.load(tmp_path), nlp)


def test_a_trained_shared_embedding_stays_when_a_listener_is_added():
    nlp = listening_nlp(SMALL_EMBEDDING)
    train(nlp, steps=2)
    before = weights(nlp, "tok2vec")
    config = {"model": {**SMALL_MODEL, "tok2vec": LISTENER}, "attention_attr": "second"}
    added = nlp.add_pipe("attn_textcat", name="added", config=config)
    nlp._link_components()
    added.initialize(lambda: make_examples(nlp, {"new": "positive", "words": "negative"}), nlp=nlp)
    assert_equal_weights(weights(nlp, "tok2vec"), before)


def test_listeners_can_be_replaced_and_a_shared_embedding_frozen():
    nlp = listening_nlp(HASH_EMBEDDING)
    train(nlp, steps=2)
    before = weights(nlp, "tok2vec")
    nlp.update(
        make_examples(nlp), sgd=nlp.create_optimizer(), exclude=["tok2vec"], annotates=["tok2vec"]
    )
    assert_equal_weights(weights(nlp, "tok2vec"), before)
    expected = nlp("great fun").cats
    nlp.replace_listeners("tok2vec", "attn_textcat", ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert nlp("great fun").cats == pytest.approx(expected, abs=1e-6)


def test_word_embeddings_of_a_shared_tok2vec_see_all_examples_too():
    texts = {f"word{i} text": "positive" if i % 2 else "negative" for i in range(50)}
    fix_random_seed(0)
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec", config={"model": {**TOK2VEC, "embed": SMALL_EMBEDDING}})
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": LISTENER}})
    nlp.initialize(lambda: make_examples(nlp, texts))
    embedding = next(n for n in nlp.get_pipe("tok2vec").model.walk() if n.name == "word_embedding")
    assert len(embedding.attrs["vocabulary"]) == 51
    assert len(embedding.get_param("E")) == 52


def test_static_vectors_feed_the_model():
    nlp = spacy.blank("xx")
    for i, word in enumerate(["great", "fun", "joy", "dull", "boring", "hated"]):
        nlp.vocab.set_vector(word, numpy.eye(6, dtype="f")[i])
    static = {**HASH_EMBEDDING, "include_static_vectors": True}
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": static}})
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp, steps=3)
    assert nlp("great fun").cats


def test_examples_whose_prediction_differs_from_the_reference_are_learned_from():
    nlp = make_nlp()
    reference = nlp("great fun")
    reference.cats = {"positive": 1.0, "negative": 0.0}
    losses = nlp.update([Example(nlp.make_doc("great fun"), reference)])
    assert losses["attn_textcat"] > 0
