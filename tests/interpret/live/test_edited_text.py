"""Texts that tokens are left out of."""

from types import SimpleNamespace

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_attn.interpret.live.edited_text import EditedText
from spacy_attn.interpret.subject import Classifier
from spacy_attn.pipeline.decisions import Decisions

from ...conftest import LABELS
from ..show.pages import HOSTILE, Page, make_explanation

TEXT = "A gorgeous, witty, seductive movie."


@pytest.fixture(scope="module")
def classifier(trained_nlp) -> Classifier:
    return Classifier(trained_nlp)


@settings(max_examples=20, deadline=None)
@given(left_out=st.sets(st.integers(-2, 12)))
def test_the_rest_is_explained_as_the_shorter_document_that_it_is(classifier, left_out):
    edited = EditedText.explain(classifier, TEXT, left_out)
    docs = classifier.prepare([TEXT])
    kept = [i for i in range(len(docs[0])) if i not in left_out]
    assert edited.left_out == tuple(i for i in range(len(docs[0])) if i in left_out)
    assert (edited.rest is None) == (len(kept) == len(docs[0]))
    rest = edited.rest or edited.whole
    assert rest.tokens == tuple(docs[0][i].text for i in kept)
    (logits,) = classifier.logits_of_parts(docs, [[numpy.array(kept, dtype=int)]])
    numpy.testing.assert_allclose(rest.logits, logits[0], atol=1e-5)
    numpy.testing.assert_allclose(rest.contributions.sum(0) + rest.bias, logits[0], atol=1e-5)


def test_the_table_has_the_values_of_each_token_in_its_own_row(classifier):
    edited = EditedText.explain(classifier, TEXT, [1, 4])
    target = LABELS
    names, rows = edited.table(target)
    assert names == [
        *("no.", "token", "attention", "contribution to positive rather than negative"),
        *("attention, without", "contribution to positive rather than negative, without"),
    ]
    assert [row[1] for row in rows] == list(edited.whole.tokens)
    assert [row[0] for row in rows if row[4] is None] == [2, 5]
    remaining = [row for row in rows if row[4] is not None]
    for column, explanation, some in ((2, edited.whole, rows), (4, edited.rest, remaining)):
        found = numpy.array([row[column : column + 2] for row in some])
        numpy.testing.assert_allclose(found[:, 0], explanation.attention, atol=1e-4)
        numpy.testing.assert_allclose(found[:, 1], explanation.of_label(target), atol=1e-4)


def test_the_scores_say_what_changes_and_whether_the_decision_does(classifier):
    text = "dull but great fun"
    turned = {
        len(EditedText.explain(classifier, text, [i]).score_bars().split("is another one")) == 2
        for i in range(4)
    }
    assert turned == {True, False}, "the example has no token that turns the decision"
    for i in range(4):
        edited = EditedText.explain(classifier, text, [i])
        page = Page(edited.score_bars())
        assert ("is another one" in page.text) == (
            edited.whole.scores.argmax() != edited.rest.scores.argmax()
        )
        for label, score, then in zip(
            edited.whole.labels, edited.whole.scores, edited.rest.scores, strict=True
        ):
            bar = next(bar for bar in edited.scores if bar.label == label)
            assert (bar.score, bar.then) == (pytest.approx(score), pytest.approx(then))
            assert f"{then - score:+.3f}".replace("-", "−") in page.text


def test_of_many_labels_the_highest_are_shown_and_those_that_a_decision_turns_to(classifier):
    labels = tuple(f"label{i}" for i in range(12))
    scores = numpy.linspace(0.6, 0.05, 12).astype("f")
    whole = make_explanation(labels=labels, scores=scores)
    rest = make_explanation(("fun",), labels=labels, scores=scores[::-1].copy())
    many = SimpleNamespace(decisions=Decisions(labels, exclusive=True), exclusive=True)
    text = Page(EditedText(many, whole, (0,), rest).score_bars()).text
    shown = [label for label in labels if label + "0" in text.replace(" ", "")]
    assert shown == [*labels[:8], labels[-1]]
    assert "3 more, none above 0.200" in text


def test_hostile_texts_are_escaped_in_the_picture_and_in_the_scores(classifier):
    text = " ".join(HOSTILE)
    n_tokens = len(classifier.nlp.make_doc(text))
    edited = EditedText.explain(classifier, text, range(n_tokens))
    for html in (edited.picture("attention", None), edited.score_bars("<i>note</i>")):
        page = Page(html)
        assert not {"script", "img", "i"} & {
            tag for tag, attributes in page.elements if not attributes
        }
        assert "alert" in page.text
