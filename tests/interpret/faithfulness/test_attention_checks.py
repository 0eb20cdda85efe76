"""Equal weights, conicity, other seeds, agreement of rankings, and estimates."""

import numpy
import pytest

from spacy_attn.interpret.faithfulness.agreement import Agreement, changes
from spacy_attn.interpret.faithfulness.attention_checks import OtherSeeds, UniformAttention
from spacy_attn.interpret.faithfulness.measures import (
    conicity,
    divergence,
    estimate,
    kendall_tau,
    total_variation,
)

from ...conftest import TEXTS, make_nlp, train
from ..conftest import make
from .conftest import METHODS


def test_equal_weights_are_those_of_uniform_attention(words_nlp, make_batch):
    texts = {**TEXTS, "": "negative", "great but dull dull dull": "positive"}
    uniform = UniformAttention()
    batch = make_batch(texts)
    uniform.add(batch)
    result = uniform.result()
    other = make("words")
    module = other.get_pipe("attn_textcat").model.get_ref("output_layer").shims[0].module
    module.attention.scoring = "uniform"
    docs = [other.make_doc(text) for text in texts]
    predictions = other.get_pipe("attn_textcat").predict(docs)
    uniform_scores = batch.classifier.probabilities(batch.uniform_logits())
    numpy.testing.assert_allclose(uniform_scores, predictions.scores, atol=1e-5)
    decisions = [
        [max(doc.cats, key=doc.cats.get) for doc in nlp.pipe(texts)] for nlp in (words_nlp, other)
    ]
    right, uniform_right = (
        [one == gold for one, gold in zip(some, texts.values(), strict=True)] for some in decisions
    )
    assert result.accuracy.mean == pytest.approx(numpy.mean(right))
    assert result.uniform_accuracy.mean == pytest.approx(numpy.mean(uniform_right))
    assert result.loss.mean == pytest.approx(numpy.mean(right) - numpy.mean(uniform_right))
    same = [one == two for one, two in zip(*decisions, strict=True)]
    assert result.same_decision.mean == pytest.approx(numpy.mean(same))


def test_without_gold_labels_there_is_no_accuracy(make_batch):
    batch = make_batch()
    batch.cats = [{} for _ in batch.docs]
    uniform = UniformAttention()
    uniform.add(batch)
    result = uniform.result()
    assert result.accuracy is result.uniform_accuracy is result.loss is None
    assert result.same_decision.n == len(TEXTS)


def test_conicity_is_one_for_parallel_states_and_less_for_others():
    assert conicity(numpy.array([[1.0, 2.0], [2.0, 4.0], [0.5, 1.0]])) == pytest.approx(1.0)
    # The mean is (0.5, 0.5): 45 degrees from either.
    assert conicity(numpy.eye(2)) == pytest.approx(numpy.sqrt(0.5))
    assert conicity(numpy.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(0.0)


def test_divergence_is_that_of_jensen_and_shannon_in_nats():
    assert divergence([0.2, 0.8], [0.2, 0.8]) == pytest.approx(0.0, abs=1e-12)
    assert divergence([1.0, 0.0], [0.0, 1.0]) == pytest.approx(numpy.log(2))
    one, other = numpy.array([0.1, 0.9]), numpy.array([0.6, 0.4])
    middle = (one + other) / 2
    expected = (
        (one * numpy.log(one / middle)).sum() + (other * numpy.log(other / middle)).sum()
    ) / 2
    assert divergence(one, other) == pytest.approx(expected)


def test_total_variation_is_half_the_sum_or_the_mean_over_independent_labels():
    one, other = numpy.array([0.7, 0.2, 0.1]), numpy.array([0.5, 0.5, 0.0])
    assert total_variation(one, other, exclusive=True) == pytest.approx(0.3)
    assert total_variation(one, other, exclusive=False) == pytest.approx(0.2)


def test_tau_of_a_constant_or_single_value_is_no_number_and_left_out():
    assert numpy.isnan(kendall_tau([1.0], [1.0]))
    assert numpy.isnan(kendall_tau([1.0, 1.0], [1.0, 2.0]))
    assert kendall_tau([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == pytest.approx(1 / 3)
    assert estimate([float("nan"), 0.5]).n == 1


def test_a_model_is_like_itself_and_unlike_one_of_another_seed(words_nlp, make_batch):
    other = make_nlp(seed=1)
    train(other, steps=20)
    batch = make_batch({**TEXTS, "": "negative"})
    others = {"itself": words_nlp, "other": other}
    seeds = OtherSeeds(batch.classifier, others)
    seeds.add(batch)
    results = seeds.results()
    itself = results["itself"]
    assert itself.attention_divergence.mean == pytest.approx(0.0, abs=1e-6)
    assert itself.attention_tau.mean == pytest.approx(1.0)
    assert itself.score_distance.mean == pytest.approx(0.0, abs=1e-6)
    assert results["other"].attention_divergence.mean > 1e-4
    assert results["other"].attention_tau.mean < 1.0
    assert results["other"].score_distance.n == len(TEXTS)


def test_scores_of_other_models_are_compared_label_by_label(words_nlp, make_batch, monkeypatch):
    """Their labels may stand in another order."""
    batch = make_batch()
    seeds = OtherSeeds(batch.classifier, {"itself": words_nlp})
    other = seeds.others["itself"]
    explain = other.component.explain

    def explain_reversed(docs):
        import dataclasses

        return [
            dataclasses.replace(e, labels=e.labels[::-1], scores=e.scores[::-1])
            for e in explain(docs)
        ]

    monkeypatch.setattr(other.component, "explain", explain_reversed)
    other.columns = lambda labels: [1, 0]
    seeds.add(batch)
    assert seeds.results()["itself"].score_distance.mean == pytest.approx(0.0, abs=1e-6)


def test_models_that_cannot_be_compared_are_refused(words_nlp, make_batch):
    def with_labels(nlp):
        from ...conftest import make_examples

        return make_examples(nlp, {"fun": "good", "dull": "bad"}, ("good", "bad"))

    batch = make_batch()
    other = make_nlp(examples=with_labels)
    with pytest.raises(ValueError, match=r"labels of 'other' are \['good', 'bad'\], but should be"):
        OtherSeeds(batch.classifier, {"other": other})
    other = make_nlp()
    other.tokenizer = lambda text: words_nlp.make_doc(text + " x")
    seeds = OtherSeeds(batch.classifier, {"other": other})
    with pytest.raises(ValueError, match=r"'other' cuts the text 'A gorgeous.*' into other tokens"):
        seeds.add(batch)


def test_changes_are_the_distances_between_scores_with_and_without_each_token(
    words_nlp, make_batch
):
    words = ["dull", "but", "great", "fun"]
    batch = make_batch({" ".join(words): "positive"})
    whole = words_nlp(" ".join(words)).cats
    expected = []
    for i in range(len(words)):
        rest = words_nlp(" ".join(words[:i] + words[i + 1 :])).cats
        expected.append(sum(abs(whole[label] - rest[label]) for label in whole) / 2)
    numpy.testing.assert_allclose(changes(batch, 0), expected, atol=1e-5)


def test_agreement_has_a_tau_for_each_pair_of_rankings(make_batch):
    batch = make_batch({**TEXTS, "": "negative", "fun": "positive"})
    agreement = Agreement(METHODS)
    agreement.add(batch)
    results = agreement.results()
    assert len(results) == 6
    # In documents of two tokens or more.
    assert {result.n for result in results.values()} == {len(TEXTS)}
    attention, contributions = batch.importance("attention"), batch.importance("contributions")
    taus = [kendall_tau(attention[i], contributions[i]) for i in range(len(TEXTS))]
    assert results["attention", "contributions"].mean == pytest.approx(numpy.mean(taus))
    assert agreement.change_result().n == len(TEXTS)
    assert Agreement(["contributions"]).change_result() is None


def test_what_speaks_for_a_label_is_relative_to_the_others_where_labels_exclude_each_other(
    make_batch,
):
    batch = make_batch()
    explanation = batch.explanations["contributions"][0]
    values = explanation.contributions
    numpy.testing.assert_allclose(
        batch.toward(explanation, 0), (values[:, 0] - values[:, 1]) / 2, atol=1e-6
    )
    nlp = make("words", "attn_textcat_multilabel")
    batch = make_batch(nlp=nlp)
    explanation = batch.explanations["contributions"][0]
    numpy.testing.assert_array_equal(batch.toward(explanation, 0), explanation.contributions[:, 0])


def test_an_estimate_is_the_mean_with_its_normal_interval():
    values = [0.1, 0.4, 0.4, 0.7]
    found = estimate(values)
    assert found.mean == pytest.approx(0.4)
    assert found.margin == pytest.approx(1.96 * numpy.std(values, ddof=1) / 2)
    assert str(found) == "0.400 ± 0.240"
    assert estimate([0.5]).margin is None
    assert estimate([]) is None
