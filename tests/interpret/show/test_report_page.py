"""The report page: what is counted and what is embedded."""

import json
import re

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Example

from spacy_attn.interpret.methods import METHODS
from spacy_attn.interpret.show import templating
from spacy_attn.interpret.show.report_page import first_view, report, summarize
from spacy_attn.pipeline.decisions import Decisions
from spacy_attn.pipeline.scorer import textcat_multilabel_score, textcat_score
from spacy_attn.results.explanation import method_name

from .pages import HOSTILE, Page, make_explanation

NLP = spacy.blank("en")
LABELS = ("a", "b", "c")
SCORES = st.lists(st.floats(0.0625, 1), min_size=3, max_size=3)


def data_of(html: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    return json.loads(text)


def example_of(scores, cats) -> Example:
    example = Example.from_dict(NLP.make_doc("fun"), {"cats": cats})
    example.predicted.cats = dict(zip(LABELS, scores, strict=True))
    return example


def assert_label_scores(summary, expected) -> None:
    """Precision, recall and F are those of spaCy, which has 0 where they are not defined."""
    for label, found in zip(LABELS, summary["scores"], strict=True):
        wanted = expected["cats_f_per_type"][label]
        scores = (found.precision or 0.0, found.recall or 0.0, found.f or 0.0)
        assert scores == pytest.approx((wanted["p"], wanted["r"], wanted["f"]))


@given(st.lists(st.tuples(SCORES, st.sampled_from(LABELS)), min_size=1, max_size=6))
def test_accuracy_is_that_of_the_scorer_with_exclusive_labels(rows):
    by = Decisions(LABELS, exclusive=True)
    scores = [numpy.array(row) / sum(row) for row, _ in rows]
    cats = [{label: float(label == gold) for label in LABELS} for _, gold in rows]
    outcomes = [by.judge(*pair) for pair in zip(scores, cats, strict=True)]
    examples = [example_of(row.tolist(), cats) for row, cats in zip(scores, cats, strict=True)]
    expected = textcat_score(examples, labels=LABELS)
    summary = summarize(outcomes, by)
    assert summary["accuracy"] == pytest.approx(expected["cats_acc"])
    confusion = numpy.array(summary["confusion"])
    assert confusion.trace() == summary["correct"]
    assert confusion.sum() == len(rows)
    assert_label_scores(summary, expected)


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0, 1), min_size=3, max_size=3),
            st.dictionaries(st.sampled_from(LABELS), st.sampled_from([0.0, 1.0])),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([0.3, 0.5]),
)
def test_accuracy_is_that_of_the_scorer_with_independent_labels(rows, threshold):
    by = Decisions(LABELS, exclusive=False, threshold=threshold)
    outcomes = [by.judge(numpy.array(scores), cats) for scores, cats in rows]
    expected = textcat_multilabel_score(
        [example_of(*row) for row in rows], labels=LABELS, threshold=threshold
    )
    summary = summarize(outcomes, by)
    assert summary["accuracy"] == (
        None if expected["cats_acc"] is None else pytest.approx(expected["cats_acc"])
    )
    assert numpy.sum(summary["confusion"]) == sum(len(cats) for _, cats in rows)
    assert_label_scores(summary, expected)


def test_where_a_label_has_no_document_its_scores_are_left_open():
    by = Decisions(LABELS, exclusive=True)
    outcomes = [by.judge(numpy.array([0.7, 0.2, 0.1]), {gold: 1.0}) for gold in ("b", "other")]
    a, b, c, other = summarize(outcomes, by)["scores"]
    assert (a.precision, a.recall, a.f, a.gold) == (0.0, None, 0.0, 0)
    assert (b.precision, b.recall, b.f, b.gold) == (None, 0.0, 0.0, 1)
    assert (c.precision, c.recall, c.f, c.gold) == (None, None, None, 0)
    assert (other.precision, other.recall, other.f, other.gold) == (None, 0.0, 0.0, 1)


def test_confidence_and_loss_of_exclusive_labels():
    by = Decisions(LABELS, exclusive=True)
    outcome = by.judge(numpy.array([0.2, 0.7, 0.1]), {"a": 1.0, "b": 0.0, "c": 0.0})
    assert (outcome.predicted, outcome.gold, outcome.correct) == ([1], [0], False)
    assert outcome.confidence == pytest.approx(0.7)
    assert outcome.loss == pytest.approx(-numpy.log(0.2))
    soft = by.judge(numpy.array([0.2, 0.7, 0.1]), {"a": 0.4, "b": 0.6})
    assert soft.correct
    assert soft.loss == pytest.approx(-0.4 * numpy.log(0.2) - 0.6 * numpy.log(0.7))
    assert numpy.isfinite(by.judge(numpy.array([0.0, 1.0, 0.0]), {"a": 1.0}).loss)


def test_confidence_and_loss_of_independent_labels():
    by = Decisions(LABELS, exclusive=False)
    outcome = by.judge(numpy.array([0.9, 0.4, 0.8]), {"a": 1.0, "b": 1.0})
    assert (outcome.predicted, outcome.gold, outcome.correct) == ([0, 2], [0, 1], False)
    assert outcome.confidence == pytest.approx(0.6)
    assert outcome.loss == pytest.approx(-(numpy.log(0.9) + numpy.log(0.4)) / 2)
    counts = summarize([outcome], by)["confusion"]
    # Rows: labels; columns: gold and predicted, gold alone, predicted alone, neither.
    assert counts == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("scores", "cats", "exclusive", "view"),
    [
        ([0.2, 0.7, 0.1], {"b": 1.0}, True, (1, None)),
        ([0.2, 0.7, 0.1], {"c": 1.0}, True, (2, 1)),
        ([0.2, 0.7, 0.1], {"new": 1.0}, True, (1, None)),
        ([0.2, 0.7, 0.1], {}, True, (1, None)),
        ([0.2, 0.7, 0.6], {"b": 1.0, "c": 1.0, "a": 0.0}, False, (1, None)),
        ([0.2, 0.7, 0.1], {"a": 1.0, "b": 0.0}, False, (0, 1)),
        # Nothing was given in place of what was missed, or missed for what was given.
        ([0.2, 0.7, 0.1], {"a": 1.0, "b": 1.0}, False, (0, None)),
        ([0.9, 0.7, 0.1], {"a": 1.0, "b": 0.0}, False, (1, None)),
        # The annotation does not speak of the label that was given.
        ([0.2, 0.7, 0.1], {"a": 1.0}, False, (0, None)),
        ([0.2, 0.7, 0.1], {"new": 1.0}, False, (1, None)),
    ],
)
def test_a_wrong_document_begins_with_what_was_missed_and_what_was_given(
    scores, cats, exclusive, view
):
    by = Decisions(LABELS, exclusive)
    values = numpy.array(scores)
    assert first_view(by.judge(values, cats), values, by) == view


def test_a_report_begins_with_the_contrast_that_is_asked_for():
    by = Decisions(LABELS, exclusive=True)
    explanation = make_explanation(labels=LABELS)
    html = report([explanation], [{"a": 1.0}], by, contrast=("b", "c"))
    assert re.findall(r'<option value="(\d)" selected>', html) == ["1", "2"]
    assert "selected" not in report([explanation], [{"a": 1.0}], by)
    with pytest.raises(ValueError, match="label 'b' with itself"):
        report([explanation], [{}], by, contrast=("b", "b"))


def test_documents_without_annotation_are_shown_and_not_counted():
    by = Decisions(("negative", "positive"), exclusive=True)
    html = report([make_explanation()] * 2, [{}, {"positive": 1.0}], by)
    one, two = data_of(html)["documents"]
    assert (one["gold"], one["correct"], one["loss"]) == (None, None, None)
    assert two["correct"]
    assert "1 of 1" in html
    without = report([make_explanation()], [{}], by)
    assert "Accuracy" not in without
    assert 'name="gold"' not in without


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_page_shows_and_counts_as_wrong_the_labels_that_the_component_does_not_have(exclusive):
    by = Decisions(("negative", "positive"), exclusive)
    html = report([make_explanation()] * 2, [{"positive": 1.0}, {"<new>": 1.0}], by)
    data = data_of(html)
    assert data["labels"] == ["negative", "positive", "<new>"]
    one, two = data["documents"]
    assert (one["gold"], one["correct"]) == ([1], True)
    assert (two["gold"], two["correct"]) == ([2], False)
    assert "1 of 2 annotated documents have labels that the component does not have" in html
    assert "&lt;new&gt;" in html
    outcomes = [by.judge(make_explanation().scores, cats) for cats in ({"<new>": 1.0}, {})]
    summary = summarize(outcomes, by)
    assert summary["accuracy"] == 0.0
    assert summary["labels"] == ("negative", "positive", "<new>")
    # By predicted label; or gold and predicted, gold alone, predicted alone, neither.
    assert summary["confusion"][2] == ([0, 1] if exclusive else [0, 1, 0, 0])


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.sampled_from(HOSTILE)))
def test_embedded_texts_cannot_leave_their_element(texts):
    template = templating._environment().from_string("{{ texts|tojson }}")
    embedded = template.render(texts=texts)
    assert not set(embedded) & set("<>&")
    assert json.loads(embedded) == texts


def test_hostile_texts_labels_and_titles_stay_data():
    hostile = make_explanation(HOSTILE, labels=HOSTILE[:4])
    html = report(
        [hostile], [{HOSTILE[0]: 1.0}], Decisions(tuple(HOSTILE[:4]), True), title=HOSTILE[0]
    )
    page = Page(html)
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert not [found for tag, found in page.elements if tag == "img" or "onerror" in found]
    (document,) = data_of(html)["documents"]
    assert document["tokens"][0] == HOSTILE[0]


def test_the_page_fetches_nothing_from_elsewhere():
    html = report([make_explanation()], [{}], Decisions(("negative", "positive"), True))
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|url\(|@import|src=|<link", html)


def test_values_are_embedded_with_three_digits():
    explanation = make_explanation(
        attention=numpy.array([0.123456, 0.876544]),
        attributions=numpy.array([[1e-7, -2.34567], [0, 0]]),
    )
    html = report([explanation], [{}], Decisions(explanation.labels, True))
    (document,) = data_of(html)["documents"]
    assert document["attention"] == [0.123, 0.877]
    assert document["attributions"] == [[1e-7, 0], [-2.35, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_the_page_names_the_method_of_its_attributions_and_no_other(method):
    explanation = make_explanation(method=method)
    html = report([explanation] * 2, [{}] * 2, Decisions(explanation.labels, True))
    name = method_name(method)
    assert data_of(html)["method"] == name
    page = html[: html.index("<script")]
    assert f'value="contributions" checked><span>{name.capitalize()}</span>' in page
    contributed = method == "contributions"
    assert ("What a token contributes to the chosen label, in logits" in page) == contributed
    assert (f"attribution for the chosen label by {name}, in logits" in page) != contributed
    visible_text = re.sub(r"<[^>]*>", " ", page[page.index("<body") :]).lower()
    others = {method_name(other) for other in METHODS} - {name}
    assert not any(other in visible_text for other in others)


def test_attributions_of_several_methods_are_refused():
    explanations = [make_explanation(method=method) for method in METHODS]
    with pytest.raises(
        ValueError, match=r"of one method, but these are of .*make a report of each"
    ):
        report(explanations, [{}] * len(METHODS), Decisions(explanations[0].labels, True))


def test_numbers_that_are_not_finite_are_refused():
    explanation = make_explanation(attention=numpy.array([numpy.nan, 1.0]))
    with pytest.raises(ValueError, match="not JSON compliant"):
        report([explanation], [{}], Decisions(explanation.labels, True))
