"""Which decisions are right: said once, and by all that ask in the same way."""

import numpy
import pytest
import spacy
from spacy.scorer import Scorer
from spacy.training import Example

from spacy_attn.interpret.corpus_words.corpus import summarize_corpus
from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness
from spacy_attn.interpret.methods import explain
from spacy_attn.interpret.show.report_page import summarize
from spacy_attn.interpret.subject import Classifier
from spacy_attn.pipeline.decisions import Decisions
from spacy_attn.pipeline.scorer import textcat_multilabel_score, textcat_score

from ..conftest import LABELS, SMALL_MODEL, TEXTS, make_examples, make_nlp, train

BLANK = spacy.blank("xx")
SCORES = numpy.array([0.7, 0.2, 0.1])


def annotated(nlp, cats, text="great fun and a joy"):
    return Example.from_dict(nlp.make_doc(text), {"cats": cats})


def scored(cats, predicted):
    example = annotated(BLANK, cats)
    example.predicted.cats = predicted
    return example


def odd_examples(nlp):
    """Right and wrong ones, and all in which the labels are not simply those of the component."""
    return [
        *make_examples(nlp),
        *make_examples(nlp, {"dull, long and boring": "positive"}),
        annotated(nlp, {"unheard of": 1.0}),
        # spaCy's own scorer takes the first label for the right one here.
        annotated(nlp, {"positive": 0.0, "negative": 0.0, "unheard of": 1.0}),
        annotated(nlp, {"positive": 0.4, "unheard of": 0.6}),
        annotated(nlp, {"positive": 0.6, "unheard of": 0.4}),
        annotated(nlp, {"positive": 0.7, "negative": 0.3}),
        annotated(nlp, {"positive": 0.0, "unheard of": 0.0}),
        annotated(nlp, {"unheard of": 0.0}),
        annotated(nlp, {}),
    ]


def test_scores_report_summary_and_faithfulness_agree_on_what_is_right(factory):
    nlp = make_nlp(factory)
    train(nlp)
    examples = odd_examples(nlp)
    accuracy = nlp.evaluate(examples)["cats_acc"]
    by = Classifier(nlp).decisions
    explanations = explain(nlp, [example.predicted for example in examples])
    outcomes = [
        by.judge(explanation.scores, example.reference.cats)
        for explanation, example in zip(explanations, examples, strict=True)
    ]
    summary, corpus = summarize(outcomes, by), summarize_corpus(nlp, examples)
    uniform = evaluate_faithfulness(nlp, examples, methods=["contributions"], n_draws=1).uniform
    # Of the texts, six are right and one is wrong. Of the five after them, the first three have a
    # label that the component does not have; one that is as likely as not is no label.
    n_annotated = len(TEXTS) + 1 + (5 if factory == "attn_textcat" else 6)
    n_wrong = 4 if factory == "attn_textcat" else 5
    assert accuracy == pytest.approx(1 - n_wrong / n_annotated)
    assert summary["accuracy"] == pytest.approx(accuracy)
    assert (summary["annotated"], summary["without"]) == (n_annotated, 3)
    assert (corpus.n_gold, corpus.n_errors) == (n_annotated, n_wrong)
    assert ("unheard of",) in [error.gold for error in corpus.errors]
    assert uniform.accuracy.mean == pytest.approx(accuracy)
    assert uniform.accuracy.n == n_annotated


def test_a_class_that_the_component_does_not_have_costs_every_score():
    predicted = {"a": 0.9, "b": 0.1}
    known = [scored({"a": 1.0}, predicted), scored({"b": 1.0}, {"a": 0.2, "b": 0.8})]
    assert textcat_score(known, labels=["a", "b"])["cats_macro_f"] == 1.0
    new = [*known, *[scored({"a": 0.0, "b": 0.0, "new": 1.0}, predicted)] * 2]
    scores = textcat_score(new, labels=["a", "b"])
    assert scores["cats_acc"] == pytest.approx(1 / 2)
    # Confidence and share of right ones, by bin: 0.8 and 1; 3 times 0.9, and 1 of 3.
    assert scores["cats_ece"] == pytest.approx((0.2 + abs(3 * 0.9 - 1)) / 4)
    assert scores["cats_f_per_type"]["new"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert scores["cats_micro_f"] == pytest.approx(1 / 2)
    # F of a is 1/2, of b 1, of new 0; new is ranked by chance.
    assert scores["cats_macro_f"] == pytest.approx(1 / 2)
    assert scores["cats_macro_auc"] == pytest.approx((2 / 3 + 1 + 1 / 2) / 3, abs=0.01)
    positive = textcat_score(new, labels=["a", "b"], positive_label="a")
    assert positive["cats_score"] == positive["cats_f_per_type"]["a"]["f"]
    assert positive["cats_score_desc"] == "F (a)"


def test_an_independent_label_that_the_component_does_not_have_costs_every_score():
    known = [scored({"a": 1.0}, {"a": 0.75}), scored({"a": 0.0}, {"a": 0.25})]
    scores = textcat_multilabel_score(
        [*known, scored({"a": 0.0, "new": 1.0, "neither": 0.0}, {"a": 0.0})], labels=["a"]
    )
    assert scores["cats_acc"] == pytest.approx(2 / 3)
    # The component gives 0 to what is true of the document.
    assert scores["cats_ece"] == pytest.approx((0.25 + abs(0.25) + abs(0.0 - 1)) / 4)
    assert set(scores["cats_f_per_type"]) == {"a", "new"}
    assert scores["cats_micro_r"] == pytest.approx(1 / 2)
    assert scores["cats_macro_f"] == pytest.approx(1 / 2)
    assert scores["cats_macro_auc"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("score", "multi_label"), [(textcat_score, False), (textcat_multilabel_score, True)]
)
def test_where_all_labels_are_known_and_hard_the_scores_are_those_of_spacy(score, multi_label):
    rng = numpy.random.default_rng(0)
    labels = ["a", "b", "c"]
    examples = []
    for probabilities in rng.dirichlet(numpy.ones(3), size=40):
        gold = numpy.eye(3)[rng.integers(3)] if not multi_label else rng.integers(0, 2, 3)
        cats = dict(zip(labels, gold.astype(float).tolist(), strict=True))
        if multi_label:
            del cats[labels[rng.integers(3)]]
        examples.append(scored(cats, dict(zip(labels, probabilities.tolist(), strict=True))))
    examples.append(scored({}, examples[0].predicted.cats))
    found = score(examples, labels=labels, threshold=0.4)
    expected = Scorer.score_cats(
        examples, "cats", labels=labels, multi_label=multi_label, threshold=0.4
    )
    assert {name: found[name] for name in expected} == expected


def test_labels_of_another_component_are_no_errors_of_this_one():
    nlp = make_nlp()
    train(nlp)
    config = {"model": SMALL_MODEL, "attention_attr": "other"}
    other = nlp.add_pipe("attn_textcat", name="topic", config=config)
    examples = make_examples(nlp, {"great fun": "film"}, ("film", "book"))
    other.initialize(lambda: examples, nlp=nlp)
    with nlp.select_pipes(disable="topic"):
        assert nlp.evaluate(examples)["cats_acc"] == 0.0
    scores = nlp.evaluate(examples, per_component=True)
    assert scores["attn_textcat"]["cats_acc"] is None
    assert scores["topic"]["cats_acc"] is not None
    by = Classifier(nlp, "attn_textcat").decisions
    assert by.labels == LABELS
    assert by.judge(SCORES[:2], {"film": 1.0}).correct is None
    assert by.judge(SCORES[:2], {"elsewhere": 1.0}).correct is False


@pytest.mark.parametrize(
    ("cats", "gold", "correct"),
    [
        ({"a": 0.4, "b": 0.35, "c": 0.25}, [0], True),
        ({"a": 0.3, "b": 0.35, "c": 0.35}, [1], False),
        ({"a": 0.0}, None, None),
        ({"new": 1.0, "a": 1.0}, [0], True),
    ],
)
def test_of_probabilities_of_exclusive_labels_the_highest_is_the_label(cats, gold, correct):
    outcome = Decisions(("a", "b", "c"), exclusive=True).judge(SCORES, cats)
    assert (outcome.gold, outcome.correct) == (gold, correct)


def test_scores_are_defined_for_probabilities_as_annotations():
    soft = [scored({"a": 0.9, "b": 0.1}, {"a": 0.8, "b": 0.2})]
    soft += [scored({"a": 0.3, "b": 0.7}, {"a": 0.4, "b": 0.6})]
    for score in (textcat_score, textcat_multilabel_score):
        scores = score(soft, labels=["a", "b"])
        for name in ("cats_acc", "cats_micro_f", "cats_macro_f", "cats_macro_auc"):
            assert scores[name] == pytest.approx(1.0), name
        assert scores["cats_ece"] == pytest.approx(0.3)


@pytest.mark.parametrize("score", [textcat_score, textcat_multilabel_score])
def test_a_document_that_the_component_has_not_seen_is_named(score):
    with pytest.raises(ValueError, match=r"'great fun and a joy' has no scores.*run the pipeline"):
        score([scored({"a": 1.0}, {"of another": 1.0})], labels=["a", "b"])


def test_a_threshold_that_single_precision_cannot_hold_decides_alike_everywhere():
    by = Decisions(("a",), exclusive=False, threshold=0.7)
    scores = numpy.array([[0.7]], dtype=numpy.float32)
    assert by.decide(scores).tolist() == [[bool(by.judge(scores[0], {}).predicted)]]
    example = scored({"a": 0.0}, {"a": float(scores[0, 0])})
    right = textcat_multilabel_score([example], labels=["a"], threshold=0.7)["cats_acc"] == 1.0
    assert right == (not by.decide(scores)[0, 0])
