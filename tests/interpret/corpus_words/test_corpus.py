"""`summarize_corpus`: what explanations of many documents have in common."""

import json

import numpy
import pytest
from spacy.training import Example

import spacy_attn
from spacy_attn.interpret.corpus_words.corpus import summarize_corpus

from ...conftest import LABELS, TEXTS, make_examples
from ..conftest import make
from ..show.pages import Page


@pytest.fixture(scope="module")
def examples(words_nlp):
    return make_examples(words_nlp)


def flipped(nlp, texts=TEXTS):
    """Examples whose labels are the wrong ones."""
    return [
        Example.from_dict(nlp.make_doc(text), {"cats": {name: name != gold for name in LABELS}})
        for text, gold in texts.items()
    ]


def test_words_have_the_sum_mean_and_number_of_their_contributions(words_nlp, examples):
    summary = summarize_corpus(words_nlp, examples, min_count=2, batch_size=2)
    found = {label: {} for label in LABELS}
    for explanation in spacy_attn.explain(words_nlp, TEXTS):
        for label in LABELS:
            for token, value in zip(explanation.tokens, explanation.of_label(label), strict=True):
                found[label].setdefault(token.lower(), []).append(float(value))
    for label in LABELS:
        expected = {w: values for w, values in found[label].items() if len(values) >= 2}
        assert {word.word for word in summary.words[label]} == set(expected)
        for word in summary.words[label]:
            assert word.count == len(expected[word.word])
            assert word.total == pytest.approx(sum(expected[word.word]), abs=1e-5)
            assert word.mean == pytest.approx(word.total / word.count)
            assert word.label == label


@pytest.mark.parametrize("sort_by", ["mean", "total"])
def test_the_words_that_contributed_most_come_first(words_nlp, examples, sort_by):
    summary = summarize_corpus(words_nlp, examples, min_count=1, top=5, sort_by=sort_by)
    for words in summary.words.values():
        values = [getattr(word, sort_by) for word in words]
        assert len(values) == 5
        assert values == sorted(values, reverse=True)


def test_examples_are_stretches_of_the_text_around_a_word(words_nlp):
    text = "x" * 60 + " and fun to " + "y" * 60
    summary = summarize_corpus(words_nlp, [text, "fun", "Fun", "fun"], min_count=4, n_examples=2)
    (word,) = summary.words["positive"]
    assert word.word == "fun"
    assert word.examples == ("…" + text[25:65] + "fun" + text[68:108] + "…", "fun")


def test_shares_of_attention_are_means_over_documents(words_nlp):
    texts = ["great, fun!", "", "a joy"]
    summary = summarize_corpus(words_nlp, texts)
    first, _, last = spacy_attn.explain(words_nlp, texts)
    assert summary.n_docs == 3
    assert summary.n_with_tokens == 2
    assert summary.attention_on_punctuation == pytest.approx(
        (first.attention[1] + first.attention[3]) / 2, abs=1e-6
    )
    assert summary.punctuation == pytest.approx((2 / 4 + 0) / 2)
    assert summary.attention_on_stop_words == pytest.approx(last.attention[0] / 2, abs=1e-6)
    assert summary.stop_words == pytest.approx((0 + 1 / 2) / 2)


def test_errors_are_the_documents_with_other_labels_than_predicted(words_nlp, examples):
    assert summarize_corpus(words_nlp, examples).n_errors == 0
    summary = summarize_corpus(words_nlp, [*examples, *flipped(words_nlp)], max_errors=4)
    assert summary.n_gold == 2 * len(TEXTS)
    assert summary.n_errors == len(TEXTS)
    assert [error.explanation.text for error in summary.errors] == list(TEXTS)[:4]
    for error, gold in zip(summary.errors, TEXTS.values(), strict=False):
        assert error.predicted == (gold,)
        assert error.gold == tuple(label for label in LABELS if label != gold)


def test_words_that_mislead_are_those_of_the_given_and_not_of_the_missed_label(words_nlp):
    texts = {text: gold for text, gold in TEXTS.items() if gold == "positive"}
    summary = summarize_corpus(words_nlp, flipped(words_nlp, texts), top=100)
    assert list(summary.misleading) == ["positive"]
    found = {}
    for explanation in spacy_attn.explain(words_nlp, texts):
        values = explanation.of_label(("positive", "negative"))
        for token, value in zip(explanation.tokens, values, strict=True):
            found[token.lower()] = found.get(token.lower(), 0.0) + float(value)
    expected = sorted((word for word in found if found[word] > 0), key=lambda word: -found[word])
    words = summary.misleading["positive"]
    assert [word.word for word in words] == expected
    assert [word.total for word in words] == pytest.approx([found[x] for x in expected], abs=1e-5)
    table = summary.misleading_to_dataframe()
    assert table["word"].tolist() == expected
    assert summarize_corpus(words_nlp, make_examples(words_nlp)).misleading == {}


def test_of_independent_labels_a_missed_one_alone_has_words_against_it():
    nlp = make("words", "attn_textcat_multilabel")
    scores = nlp("great fun").cats
    cats = {label: float(score >= 0.5) for label, score in scores.items()}
    missed = min(scores, key=scores.get)
    assert not cats[missed]
    example = Example.from_dict(nlp.make_doc("great fun"), {"cats": {**cats, missed: 1.0}})
    summary = summarize_corpus(nlp, [example])
    assert list(summary.misleading) == [f"not {missed}"]
    (explanation,) = spacy_attn.explain(nlp, ["great fun"])
    for word in summary.misleading[f"not {missed}"]:
        place = explanation.tokens.index(word.word)
        assert word.total == pytest.approx(-explanation.of_label(missed)[place], abs=1e-6)


def test_as_a_page_it_has_all_words_and_examples_escaped(words_nlp):
    texts = {"great <script>alert(1)</script> fun": "positive", "so & dull": "negative"}
    summary = summarize_corpus(words_nlp, flipped(words_nlp, texts), min_count=1)
    html = summary.to_html("<Words>")
    page = Page(html)
    found = [*summary.words.values(), *summary.misleading.values()]
    words = [word.word for words in found for word in words]
    assert len(page.with_class("row")) == len(words)
    assert all(word in page.text for word in words)
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "Words that misled" in html
    assert "Words that misled" not in summarize_corpus(words_nlp, ["fun"]).to_html()


def test_independent_labels_are_compared_one_by_one_where_they_are_known():
    nlp = make("words", "attn_textcat_multilabel")
    right = {label: float(score >= 0.5) for label, score in nlp("great fun").cats.items()}
    known, wrong = {"positive": right["positive"]}, {**right, "negative": 1.0 - right["negative"]}
    examples = [
        Example.from_dict(nlp.make_doc("great fun"), {"cats": cats})
        for cats in (right, known, wrong, {})
    ]
    summary = summarize_corpus(nlp, examples)
    assert (summary.n_docs, summary.n_gold, summary.n_errors) == (4, 3, 1)
    assert summary.errors[0].gold != summary.errors[0].predicted


def test_nothing_grows_with_the_number_of_documents(words_nlp):
    from spacy_attn.interpret.corpus_words import corpus

    kept = []
    texts = (kept.append(None) or "great fun" for _ in range(300))
    summary = corpus._Summary(corpus.Classifier(words_nlp), "contributions", 3, 10)
    for batch in corpus.minibatch(texts, 50):
        summary.add(batch)
    assert len(kept) == 300
    assert len(summary.words) == 2
    assert all(len(word.examples) == 3 for word in summary.words.words.values())
    assert not summary.errors


def test_as_a_dictionary_it_goes_through_json_unchanged(words_nlp):
    summary = summarize_corpus(words_nlp, flipped(words_nlp), min_count=1)
    data = json.loads(json.dumps(summary.to_dict()))
    assert data == summary.to_dict()
    assert data["errors"][0]["explanation"]["text"] == next(iter(TEXTS))


def test_as_tables_there_is_a_row_for_each_word_and_for_each_token_of_an_error(words_nlp):
    summary = summarize_corpus(words_nlp, flipped(words_nlp), min_count=1, top=7)
    words = summary.words_to_dataframe()
    assert len(words) == 14
    assert words["word"].tolist()[:7] == [word.word for word in summary.words["positive"]]
    errors = summary.errors_to_dataframe()
    sizes = [error.explanation.attributions.size for error in summary.errors]
    assert errors.groupby("error").size().tolist() == sizes
    assert errors["gold"].iloc[0] == "negative"
    numpy.testing.assert_array_equal(
        errors["attribution"].to_numpy()[: sizes[0]],
        summary.errors[0].explanation.attributions.reshape(-1),
    )


def test_printed_it_is_a_few_lines(words_nlp, examples):
    summary = summarize_corpus(words_nlp, examples, min_count=1)
    assert repr(summary).startswith("CorpusSummary(6 documents. 0 of 6 were given wrong labels. ")
    best = ", ".join(word.word for word in summary.words["positive"][:3])
    assert f" Words: 'positive': {best}; " in repr(summary)
    assert len(repr(summary)) < 400
    assert "great fun" not in repr(summary.words["positive"])
    assert repr(summarize_corpus(words_nlp, [])).startswith("CorpusSummary(0 documents.")


def test_in_a_notebook_it_is_a_table_of_words_in_which_everything_is_escaped(words_nlp):
    texts = ["great <script>alert(1)</script> $x$ &amp; \u202e"] * 3
    summary = summarize_corpus(words_nlp, texts, min_count=1, method="leave_one_out")
    html = summary._repr_html_()
    assert "<p>3 documents by leave one out. Punctuation has " in html
    assert html.count("<tr") == 1 + sum(map(len, summary.words.values()))
    assert "<script" not in html
    assert "\u202e" not in html
    assert "mathjax_ignore" in html
    assert "<table" in summarize_corpus(words_nlp, [])._repr_html_()


def test_an_empty_corpus_has_an_empty_summary(words_nlp):
    summary = summarize_corpus(words_nlp, [])
    assert summary.n_docs == 0
    assert summary.words == {"positive": [], "negative": []}
    assert summary.errors_to_dataframe().empty


def test_settings_out_of_range_are_refused(words_nlp):
    with pytest.raises(ValueError, match=r"'sort_by' must be one of mean, total, but is 'count'"):
        summarize_corpus(words_nlp, [], sort_by="count")
    with pytest.raises(ValueError, match="'top' must be 1 or more, but is 0"):
        summarize_corpus(words_nlp, [], top=0)
    with pytest.raises(ValueError, match="put it into a list"):
        summarize_corpus(words_nlp, "great fun")


def test_a_document_that_has_none_of_the_exclusive_labels_is_no_error(words_nlp):
    examples = [
        Example.from_dict(words_nlp.make_doc("great fun"), {"cats": dict.fromkeys(LABELS, 0.0)})
    ]
    summary = spacy_attn.summarize_corpus(words_nlp, examples)
    assert (summary.n_gold, summary.n_errors) == (0, 0)
