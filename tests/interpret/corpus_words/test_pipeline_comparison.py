"""`compare_pipelines`: what one pipeline gets right and another does not, and on which words."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from math import comb

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example

import spacy_attn
from spacy_attn.interpret.corpus_words.pipeline_comparison import PipelineComparison, _on_tokens

from ...conftest import LABELS, TEXTS, make_examples, make_nlp, train
from ..conftest import make
from ..show.pages import Page
from .test_corpus import flipped

OTHER = dict(zip(LABELS, reversed(LABELS), strict=True))


@pytest.fixture(scope="module")
def reversed_nlp():
    """A pipeline that has learned the wrong labels."""
    nlp = make_nlp(lang="en")
    train(nlp, examples=flipped)
    assert all(nlp(text).cats[gold] < 0.5 for text, gold in TEXTS.items())
    return nlp


@pytest.fixture(scope="module")
def examples(words_nlp):
    return make_examples(words_nlp)


def sums_of_differences(nlp, other):
    """For each label, what each word adds to it and not to the other one, less that of `other`."""
    sums = {label: {} for label in LABELS}
    pairs = zip(spacy_attn.explain(nlp, TEXTS), spacy_attn.explain(other, TEXTS), strict=True)
    for (ours, theirs), gold in zip(pairs, TEXTS.values(), strict=True):
        contrast = (gold, OTHER[gold])
        values = ours.of_label(contrast) - theirs.of_label(contrast)
        for token, value in zip(ours.tokens, values.tolist(), strict=True):
            word = token.lower()
            sums[gold][word] = sums[gold].get(word, 0.0) + value
    return sums


@pytest.mark.parametrize("swapped", [False, True])
def test_words_have_what_they_add_to_the_right_decision_beyond_the_other_pipeline(
    words_nlp, reversed_nlp, examples, swapped
):
    pair = (reversed_nlp, words_nlp) if swapped else (words_nlp, reversed_nlp)
    found = spacy_attn.compare_pipelines(
        *pair, examples, min_count=1, sort_by="total", top=100, batch_size=2
    )
    assert found.n_only == ((0, len(TEXTS)) if swapped else (len(TEXTS), 0))
    assert (found.n_docs, found.n_gold, found.n_both, found.n_neither) == (6, 6, 0, 0)
    assert found.words[not swapped] == {}
    expected = sums_of_differences(words_nlp, reversed_nlp)
    for label in LABELS:
        words = found.words[swapped][label]
        positive = {word: total for word, total in expected[label].items() if total > 0.0}
        assert {word.word: word.total for word in words} == pytest.approx(positive, abs=1e-4)
        totals = [word.total for word in words]
        assert totals == sorted(totals, reverse=True)


def test_documents_are_those_that_one_alone_gets_right_with_both_explanations(
    words_nlp, reversed_nlp, examples
):
    found = spacy_attn.compare_pipelines(words_nlp, reversed_nlp, examples, max_documents=4)
    assert [each.explanations[0].text for each in found.documents] == list(TEXTS)[:4]
    for each, gold in zip(found.documents, TEXTS.values(), strict=False):
        assert (each.gold, each.right) == ((gold,), 0)
        assert each.predicted == ((gold,), (OTHER[gold],))
        best = [x.labels[x.scores.argmax()] for x in each.explanations]
        assert best == [gold, OTHER[gold]]


def test_a_pipeline_compared_with_itself_differs_nowhere(words_nlp, examples):
    found = spacy_attn.compare_pipelines(words_nlp, words_nlp, examples)
    assert (found.n_both, found.n_only, found.n_neither) == (6, (0, 0), 0)
    assert found.words == ({}, {})
    assert not found.documents
    assert found.p_value == 1.0
    assert "none" in found.to_html()


def test_documents_without_labels_do_not_count(words_nlp, reversed_nlp, examples):
    unlabelled = Example.from_dict(words_nlp.make_doc("great fun"), {})
    found = spacy_attn.compare_pipelines(words_nlp, reversed_nlp, [*examples, unlabelled])
    assert (found.n_docs, found.n_gold) == (7, 6)


def test_of_independent_labels_one_that_was_given_wrongly_has_words_against_it():
    nlp = make("words", "attn_textcat_multilabel")
    other = make_nlp("attn_textcat_multilabel", lang="en")
    cats = {label: float(score >= 0.5) for label, score in nlp("great fun").cats.items()}
    wrong = next(label for label in LABELS if not cats[label])
    for _ in range(60):
        other.update(
            [Example.from_dict(other.make_doc("great fun"), {"cats": {**cats, wrong: 1.0}})]
        )
    example = Example.from_dict(nlp.make_doc("great fun"), {"cats": cats})
    found = spacy_attn.compare_pipelines(nlp, other, [example], min_count=1)
    assert found.n_only == (1, 0)
    assert list(found.words[0]) == [f"not {wrong}"]
    ours, theirs = (next(spacy_attn.explain(each, ["great fun"])) for each in (nlp, other))
    values = theirs.of_label(wrong) - ours.of_label(wrong)
    expected = {
        word: value for word, value in zip(ours.tokens, values.tolist(), strict=True) if value > 0.0
    }
    totals = {word.word: word.total for word in found.words[0][f"not {wrong}"]}
    assert totals == pytest.approx(expected, abs=1e-5)


def test_the_p_value_is_that_of_the_exact_test_of_mcnemar(words_nlp, reversed_nlp, examples):
    found = spacy_attn.compare_pipelines(words_nlp, reversed_nlp, examples)
    assert found.p_value == pytest.approx(2 * comb(6, 0) / 2**6)


def test_the_p_value_of_thousands_of_documents_is_that_of_the_exact_test():
    none = {"n_docs": 0, "n_gold": 0, "n_both": 0, "n_neither": 0, "documents": []}
    empty = PipelineComparison(("a", "b"), LABELS, "contributions", **none, n_only=(0, 0), words=())
    assert replace(empty, n_only=(50_000, 50_000)).p_value == 1.0
    assert replace(empty, n_only=(5_100, 4_900)).p_value == pytest.approx(0.0466, abs=1e-3)
    assert replace(empty, n_only=(9, 1)).p_value == pytest.approx(2 * 11 / 1024)


def test_labels_of_other_components_count_for_neither_pipeline(words_nlp, reversed_nlp):
    both = spacy.blank("en")
    both.add_pipe("attn_textcat", source=words_nlp)
    topics = both.add_pipe("attn_textcat", name="topics", config={"attention_attr": "seen"})
    topics.add_label("sport")
    topics.add_label("news")
    text, gold = next(iter(TEXTS.items()))
    cats = {label: float(label == gold) for label in LABELS}
    example = Example.from_dict(both.make_doc(text), {"cats": {"sport": 1.0, **cats}})
    for pair in ((both, reversed_nlp), (reversed_nlp, both)):
        chosen = {"component" if pair[0] is both else "other_component": "attn_textcat"}
        found = spacy_attn.compare_pipelines(*pair, [example], **chosen)
        assert sum(found.n_only) == 1
        assert found.documents[0].right == pair.index(both)


@given(data=st.data(), text=st.lists(st.sampled_from(["ab", "c", "abc", "bb"]), min_size=1))
def test_values_of_other_tokens_keep_their_sum(data, text):
    vocab = spacy.blank("xx").vocab
    joined = "".join(text)
    cuts = data.draw(st.sets(st.integers(1, max(1, len(joined) - 1))))
    places = [0, *sorted(cut for cut in cuts if cut < len(joined)), len(joined)]
    others = [joined[a:b] for a, b in pairwise(places)]
    doc, other = (Doc(vocab, words=words, spaces=[False] * len(words)) for words in (text, others))
    values = numpy.arange(1.0, len(doc) + 1)
    moved = _on_tokens(values, doc, other)
    assert moved.shape == (len(other),)
    assert moved.sum() == pytest.approx(values.sum())
    if text == others:
        assert (moved == values).all()


def test_another_tokenization_is_compared_on_the_tokens_of_the_first(words_nlp, examples):
    other = make_nlp(lang="en")
    train(other, steps=1)
    between_letters = re.compile("(?<=[a-z])(?=[a-z])").finditer
    other.tokenizer = Tokenizer(other.vocab, infix_finditer=between_letters)
    assert len(other.make_doc("great fun")) > 2
    found = spacy_attn.compare_pipelines(words_nlp, other, examples, min_count=1, top=100)
    tokens = {token.lower_ for text in TEXTS for token in words_nlp.make_doc(text)}
    words = [word.word for each in found.words for words in each.values() for word in words]
    assert set(words) <= tokens


def test_as_a_dictionary_it_goes_through_json_unchanged(words_nlp, reversed_nlp, examples):
    found = spacy_attn.compare_pipelines(words_nlp, reversed_nlp, examples)
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_the_page_names_both_and_escapes_every_text(words_nlp, reversed_nlp):
    examples = make_examples(words_nlp)
    text = "great <script>alert(1)</script> fun"
    cats = {label: float(label == "positive") for label in LABELS}
    examples.append(Example.from_dict(words_nlp.make_doc(text), {"cats": cats}))
    found = spacy_attn.compare_pipelines(
        words_nlp, reversed_nlp, examples, names=("<i>ours</i>", "theirs"), min_count=1
    )
    html = found.to_html("Two")
    page = Page(html)
    assert "Right by “<i>ours</i>” alone" in page.text
    assert "<i>ours" not in html
    assert "<script" not in html
    count = sum(len(words) for each in found.words for words in each.values())
    assert len(page.with_class("row")) == count
    assert "7 of 7 documents have labels." in page.text
    assert repr(found).startswith("PipelineComparison(7 of 7 documents have labels. Both get 0 ")
    assert "<table" in found._repr_html_()


def test_what_cannot_be_compared_is_refused(words_nlp, examples):
    with pytest.raises(TypeError, match="pass Examples, as a corpus reader makes them"):
        spacy_attn.compare_pipelines(words_nlp, words_nlp, ["great fun"])
    unlabelled = [Example.from_dict(words_nlp.make_doc("great fun"), {})]
    with pytest.raises(ValueError, match="None of the 1 documents has a label"):
        spacy_attn.compare_pipelines(words_nlp, words_nlp, unlabelled)
    with pytest.raises(ValueError, match=r"'sort_by' must be one of mean, total"):
        spacy_attn.compare_pipelines(words_nlp, words_nlp, examples, sort_by="count")
    for names in (("a",), "ab", ("a", "a")):
        with pytest.raises(ValueError, match="'names' must be two different names"):
            spacy_attn.compare_pipelines(words_nlp, words_nlp, examples, names=names)
    with pytest.raises(ValueError, match="'examples' must be several"):
        spacy_attn.compare_pipelines(words_nlp, words_nlp, examples[0])
    with pytest.raises(ValueError, match="'top' must be 1 or more, but is 0"):
        spacy_attn.compare_pipelines(words_nlp, words_nlp, examples, top=0)


def test_pipelines_of_other_labels_are_refused_and_the_labels_named(words_nlp, examples):
    other = spacy.blank("en")
    component = other.add_pipe("attn_textcat")
    component.add_label("positive")
    component.add_label("neutral")
    with pytest.raises(ValueError, match="'negative' only 'a' and 'neutral' only 'b' has"):
        spacy_attn.compare_pipelines(words_nlp, other, examples, names=("a", "b"))
