"""Comprehensiveness, sufficiency and the share of tokens to flip a decision."""

from types import SimpleNamespace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.interpret.faithfulness.perturbation import (
    MAX_FLIP_STEPS,
    PERCENTS,
    Perturbations,
    parts_of,
    removal_counts,
    share_of,
)

from ..conftest import make
from .conftest import METHODS


def stub_batch(classifier, importance):
    """One document, of which 'attention' finds some tokens important."""
    return SimpleNamespace(
        classifier=classifier,
        docs=[range(len(importance))],
        scores=numpy.array([[0.9, 0.1]]),
        targets=[0],
        decisions=numpy.array([[True, False]]),
        importance=lambda name: [numpy.array(importance)],
    )


def test_a_case_computed_by_hand(stub):
    perturbations = Perturbations([], n_draws=1, seed=0)
    # Order: 2, 1, 0, 3. Scores when leaving out 1, 2, 3, 4 of them: 0.7, 0.6, 0.4, 0.4.
    perturbations.add(stub_batch(stub, [0.1, 0.2, 0.7, 0.0]))
    result = perturbations.results()["attention"]
    # Of four tokens, 1, 5, 10 and 20 % are one token, 50 % are two.
    at = {percent: value.mean for percent, value in result.comprehensiveness_at.items()}
    assert at == pytest.approx({1: 0.2, 5: 0.2, 10: 0.2, 20: 0.2, 50: 0.3})
    assert result.comprehensiveness.mean == pytest.approx((4 * 0.2 + 0.3) / 5)
    # Token 2 alone: 0.6; tokens 1 and 2 alone: 0.7.
    at = {percent: value.mean for percent, value in result.sufficiency_at.items()}
    assert at == pytest.approx({1: 0.3, 5: 0.3, 10: 0.3, 20: 0.3, 50: 0.2})
    assert result.sufficiency.mean == pytest.approx((4 * 0.3 + 0.2) / 5)
    # The third token turns the decision.
    assert result.flip_share.mean == pytest.approx(3 / 4)


def test_a_decision_that_never_changes_has_a_flip_share_of_one(stub):
    stub.worth = numpy.zeros(4)
    perturbations = Perturbations([], n_draws=1, seed=0)
    perturbations.add(stub_batch(stub, [0.4, 0.3, 0.2, 0.1]))
    assert perturbations.results()["attention"].flip_share.mean == 1.0


def test_chance_is_the_mean_of_its_draws(stub):
    results = []
    for n_draws in (1, 3):
        perturbations = Perturbations([], n_draws=n_draws, seed=0)
        perturbations.rng = SimpleNamespace(
            random=lambda n: numpy.zeros(n),
            permutation=iter([numpy.array(o) for o in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2))]),
        )
        draws = perturbations.rng.permutation
        perturbations.rng.permutation = lambda n, draws=draws: next(draws)
        perturbations.add(stub_batch(stub, [0.4, 0.3, 0.2, 0.1]))
        results.append(perturbations.results()["chance"].comprehensiveness_at)
    assert results[0][1].mean == pytest.approx(0.2)  # token 0 left out
    assert results[1][1].mean == pytest.approx((0.2 + 0.0 + 0.1) / 3)  # tokens 0, 3, 1
    assert results[1][50].mean == pytest.approx((0.3 + 0.2 + 0.1) / 3)


@given(st.integers(1, 2000))
def test_counts_grow_from_one_token_at_least_to_all_of_them(n_tokens):
    counts = removal_counts(n_tokens)
    assert counts == sorted(set(counts))
    assert counts[0] >= 1
    assert counts[-1] == n_tokens
    assert len(counts) <= MAX_FLIP_STEPS + len(PERCENTS)
    assert n_tokens > MAX_FLIP_STEPS or counts == list(range(1, n_tokens + 1))
    for percent in PERCENTS:
        count = share_of(percent, n_tokens)
        assert count in counts
        assert count == max(1, -(-n_tokens * percent // 100))
    gaps = numpy.diff([0, *counts])
    assert gaps.max() <= -(-n_tokens // MAX_FLIP_STEPS)


@given(st.permutations(range(7)))
def test_parts_are_what_is_left_and_what_was_left_out_in_the_order_of_the_text(order):
    parts = [part.tolist() for part in parts_of(numpy.array(order))]
    assert parts[:7] == [sorted(order[count:]) for count in range(1, 8)]
    assert parts[7:] == [sorted(order[:count]) for count in (1, 1, 1, 2, 4)]


def test_on_a_trained_pipeline_the_falls_are_those_of_predicting_shorter_documents(
    words_nlp, make_batch
):
    text = "dull but great fun"
    batch = make_batch({text: "positive"})
    perturbations = Perturbations(METHODS, n_draws=2, seed=0)
    perturbations.add(batch)
    words = text.split()
    (label,) = (batch.classifier.labels[target] for target in batch.targets)
    whole = words_nlp(text).cats[label]
    for name, result in perturbations.results().items():
        if name == "chance":
            continue
        first = int(batch.importance(name)[0].argmax())
        rest = " ".join(words[:first] + words[first + 1 :])
        assert result.comprehensiveness_at[1].mean == pytest.approx(
            whole - words_nlp(rest).cats[label], abs=1e-5
        )
        assert result.sufficiency_at[1].mean == pytest.approx(
            whole - words_nlp(words[first]).cats[label], abs=1e-5
        )


def test_leaving_tokens_out_gives_the_same_through_the_whole_pipeline(nlp, make_batch):
    """Whatever the token vectors come from, and also where there is no token in some documents."""
    texts = {"great fun": "positive", "": "negative", "a dull, dull film": "negative"}
    batch = make_batch(texts, nlp)
    perturbations = Perturbations(METHODS, n_draws=1, seed=0)
    perturbations.add(batch)
    results = perturbations.results()
    assert {result.comprehensiveness.n for result in results.values()} == {2}
    falls = []
    for i in (0, 2):
        doc = batch.docs[i]
        first = int(batch.importance("leave_one_out")[i].argmax())
        rest = " ".join(token.text for token in doc if token.i != first)
        label = batch.classifier.labels[batch.targets[i]]
        falls.append(nlp(doc.text).cats[label] - nlp(rest).cats[label])
    assert results["leave_one_out"].comprehensiveness_at[1].mean == pytest.approx(
        numpy.mean(falls), abs=1e-4
    )


def test_an_independent_label_flips_where_its_score_crosses_the_threshold(make_batch):
    nlp = make("words", "attn_textcat_multilabel")
    texts = {"a great joy": "positive"}
    score = float(make_batch(texts, nlp).scores.max())
    shares = []
    for threshold in (0.0, score - 1e-4, score + 1e-4):
        nlp.get_pipe("attn_textcat_multilabel").cfg["threshold"] = threshold
        perturbations = Perturbations(["leave_one_out"], n_draws=1, seed=0)
        perturbations.add(make_batch(texts, nlp))
        shares.append(perturbations.results()["leave_one_out"].flip_share.mean)
    # Above any threshold of 0; just above, so that the first token decides; just below, where
    # leaving out what speaks for the label changes nothing.
    assert shares == pytest.approx([1.0, 1 / 3, 1.0])


def test_comprehensiveness_and_sufficiency_are_those_of_ferret_on_a_worked_example(stub):
    """By its definitions, with `remove_tokens` and shares of tokens, all for the label."""
    rng = numpy.random.default_rng(0)
    stub.worth = rng.permutation(100) / 1e4
    importance = rng.permutation(100).astype(float)
    perturbations = Perturbations([], n_draws=1, seed=0)
    perturbations.add(stub_batch(stub, importance))
    found = perturbations.results()["attention"]
    tokens = numpy.arange(100)
    rationales = [
        importance.argsort()[-int(share * 100) :] for share in (0.01, 0.05, 0.1, 0.2, 0.5)
    ]
    removed = [numpy.delete(tokens, rationale) for rationale in rationales]
    for parts, measure in ((removed, found.comprehensiveness), (rationales, found.sufficiency)):
        (scores,) = stub.logits_of_parts([tokens], [[tokens, *parts]])
        assert measure.mean == pytest.approx(numpy.mean(scores[0, 0] - scores[1:, 0]))
