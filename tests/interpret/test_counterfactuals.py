"""`spacy_attn.counterfactual`: what it claims is what the pipeline predicts."""

from itertools import combinations

import numpy
import pytest

import spacy_attn
from spacy_attn.interpret.subject import Classifier, keep_tokens

from ..conftest import TEXTS
from .conftest import make

MANY = [*TEXTS, "a dull and boring waste", "great fun and a witty joy, but long", "fun"]


@pytest.fixture(scope="module")
def multilabel_nlp():
    return make("words", "attn_textcat_multilabel")


def decide(nlp, doc):
    """The labels that a whole pipeline gives a document."""
    classifier = Classifier(nlp)
    cats = nlp(doc).cats
    scores = numpy.array([[cats[label] for label in classifier.labels]])
    given = classifier.decisions.decide(scores)[0]
    return tuple(x for x, yes in zip(classifier.labels, given, strict=True) if yes)


def without(doc, removed):
    return keep_tokens(doc, numpy.array([i for i in range(len(doc)) if i not in removed], int))


def turned(nlp, text):
    """Sizes of the smallest set of tokens without which the decision changes, by trying all."""
    doc = nlp.make_doc(text)
    before = decide(nlp, nlp.make_doc(text))
    for size in range(1, len(doc) + 1):
        for removed in combinations(range(len(doc)), size):
            if decide(nlp, without(doc, removed)) != before:
                return size
    return None


def test_the_decision_without_the_tokens_is_what_the_pipeline_predicts(nlp):
    n_found = 0
    for text in MANY:
        found = spacy_attn.counterfactual(nlp, text)
        if found is None:
            continue
        n_found += 1
        doc = nlp.make_doc(text)
        shortened = without(doc, found.removed)
        assert found.text == shortened.text
        assert found.tokens == tuple(doc[i].text for i in found.removed)
        assert found.before == decide(nlp, nlp.make_doc(text))
        assert found.after == decide(nlp, shortened) != found.before
        scores = dict(zip(found.explanation.labels, found.scores.tolist(), strict=True))
        assert scores == pytest.approx(nlp(without(doc, found.removed)).cats, abs=1e-5)
    assert n_found > 3


@pytest.mark.parametrize("text", ["great fun and a joy", "dull, long and boring", "fun"])
def test_the_smallest_set_is_found(words_nlp, text):
    found = spacy_attn.counterfactual(words_nlp, text)
    size = turned(words_nlp, text)
    assert (found and len(found.removed)) == size
    assert found is None or found.smallest


def test_independent_labels_change_where_one_does_or_the_one_that_is_named(multilabel_nlp):
    for text in TEXTS:
        for label in (None, "positive"):
            found = spacy_attn.counterfactual(multilabel_nlp, text, label=label)
            if found is None:
                continue
            doc = multilabel_nlp.make_doc(text)
            assert found.after == decide(multilabel_nlp, without(doc, found.removed))
            changed = {*found.before} ^ {*found.after}
            assert changed if label is None else label in changed


def test_predictions_are_counted_and_end_where_they_are_to(words_nlp, monkeypatch):
    made = []
    logits_of_parts = Classifier.logits_of_parts

    def count(self, docs, parts):
        parts = [list(part) for part in parts]
        made.append(sum(map(len, parts)))
        return logits_of_parts(self, docs, parts)

    monkeypatch.setattr(Classifier, "logits_of_parts", count)
    for limit in (1, 5, 1000):
        made.clear()
        text = "I hated this tedious film so much that I left"
        found = spacy_attn.counterfactual(words_nlp, text, max_predictions=limit)
        assert sum(made) <= limit
        assert found is None or found.n_predictions == sum(made)


def test_what_cannot_be_tried_is_not_claimed_to_be_smallest(words_nlp):
    text = "I hated this tedious film so much that I left"
    claimed = []
    for limit in range(1, 60):
        found = spacy_attn.counterfactual(words_nlp, text, max_predictions=limit)
        if found is not None and found.smallest:
            claimed.append(len(found.removed))
    (found,) = {*claimed} or {None}
    assert found == turned(words_nlp, text)


def test_a_set_is_the_smallest_where_all_of_fewer_tokens_were_tried(words_nlp):
    text = "dull loved witty tedious boring and time"
    found = spacy_attn.counterfactual(words_nlp, text, max_predictions=24)
    assert len(found.removed) == turned(words_nlp, text) == 2
    assert found.smallest  # though not all of the 21 pairs were


def test_a_document_without_tokens_hangs_on_none(nlp):
    assert spacy_attn.counterfactual(nlp, "") is None


def test_it_reads_well_and_goes_into_json(words_nlp):
    found = spacy_attn.counterfactual(words_nlp, "great fun and a joy")
    assert f"without {list(found.tokens)}" in repr(found)
    assert f"; {found.n_predictions} predictions)" in repr(found)
    data = found.to_dict()
    assert (data["removed"], data["after"]) == (list(found.removed), list(found.after))
    assert data["scores"].keys() == {*found.explanation.labels}


def test_wrong_arguments_are_refused(words_nlp):
    with pytest.raises(ValueError, match="no label 'good'; 'attn_textcat' has"):
        spacy_attn.counterfactual(words_nlp, "fun", label="good")
    with pytest.raises(ValueError, match="'max_predictions' must be 1 or more, but is 0"):
        spacy_attn.counterfactual(words_nlp, "fun", max_predictions=0)
    with pytest.raises(TypeError, match="but not int"):
        spacy_attn.counterfactual(words_nlp, 3)
