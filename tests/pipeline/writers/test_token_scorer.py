"""The scorer of strings of tokens: all tokens, those of unseen forms, and those that count."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab

from spacy_attn.pipeline.writers.token_scorer import make_lemma_scorer, score_token_strings

VOCAB = Vocab()
SEEN = {"mice", "."}


def is_seen(token):
    return token.text in SEEN


def pair(words, predicted, gold, predicted_words=None):
    one = Doc(VOCAB, words=predicted_words or words, lemmas=predicted)
    return Example(one, Doc(VOCAB, words=words, lemmas=gold))


def test_accuracy_is_that_of_all_tokens_and_of_forms_that_training_did_not_have():
    example = pair(["mice", "geese", "dogs", "."], ["mouse", "geese", "dog", ","], None)
    for token, lemma in zip(example.reference, ["mouse", "goose", "dog", "."], strict=True):
        token.lemma_ = lemma
    scores = make_lemma_scorer()([example], is_seen=is_seen)
    assert scores == {"lemma_acc": 0.5, "lemma_acc_unseen": 0.5}


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("ab"), st.sampled_from("ab"))))
def test_accuracy_is_that_of_spacys_own_scorer(tokens):
    example = pair(*([token[i] for token in tokens] for i in range(3)))
    scores = make_lemma_scorer()([example], is_seen=lambda token: token.text in "ab")
    assert scores["lemma_acc"] == Scorer.score_token_attr([example], "lemma")["lemma_acc"]
    unseen = [(one, two) for word, one, two in tokens if word in "cd"]
    right = sum(one == two for one, two in unseen)
    assert scores["lemma_acc_unseen"] == (pytest.approx(right / len(unseen)) if unseen else None)


def test_tokens_without_an_annotation_are_not_scored():
    example = pair(["a", "b", "c"], ["a", "b", "c"], ["a", "", "x"])
    assert make_lemma_scorer()([example])["lemma_acc"] == 0.5


@pytest.mark.parametrize(
    ("default", "empty", "accuracy"), [(None, "", 0.25), (None, [], 0.25), ("", "", 1.0)]
)
def test_an_empty_value_of_an_extension_is_scored_unless_it_is_the_default(
    default, empty, accuracy
):
    Token.set_extension("value", default=default, force=True)
    one, two = (Doc(VOCAB, words=["dog", "uh", "um", "er"]) for _ in range(2))
    for token, gold in zip(two, ["D", empty, empty, empty], strict=True):
        token._.value = gold
    for token, predicted in zip(one, ["D", "uh", "um", None], strict=True):
        token._.value = predicted
    assert score_token_strings([Example(one, two)], attribute="_.value") == {
        "value_acc": accuracy,
        "value_acc_unseen": None,
    }
    Token.remove_extension("value")


def test_what_the_component_takes_for_missing_is_not_scored_and_a_prediction_of_it_is_wrong():
    example = pair(["a", "b", "c"], ["_", "_", "_"], ["_", "b", "_"])
    score = make_lemma_scorer()
    assert score([example])["lemma_acc"] == pytest.approx(2 / 3)
    scores = score([example], is_missing=lambda token: token.lemma_ == "_")
    assert scores["lemma_acc"] == 0.0


def test_only_annotated_tokens_are_asked_about():
    example = pair(["a", "b"], ["a", "x"], ["a", "b"])

    def ask(token):
        assert token.doc is example.reference
        return False

    scores = make_lemma_scorer()([example], is_seen=ask, is_missing=ask)
    assert scores == {"lemma_acc": 0.5, "lemma_acc_unseen": 0.5}


def test_white_space_is_not_scored():
    example = pair(["a", " ", "\n"], ["a", "x", "y"], ["a", " ", "\n"])
    assert make_lemma_scorer()([example])["lemma_acc"] == 1.0


def test_other_tokens_than_the_annotated_ones_count_against_both():
    example = pair(
        ["don't", "go"], ["do", "not", "go"], ["do not", "go"], predicted_words=["do", "n't", "go"]
    )
    own = Scorer.score_token_attr([example], "lemma")
    assert make_lemma_scorer()([example])["lemma_acc"] == own["lemma_acc"] < 0.5


def test_scores_are_none_where_there_is_nothing_to_score():
    nothing = {"lemma_acc": None, "lemma_acc_unseen": None}
    score = make_lemma_scorer()
    assert score([], is_seen=is_seen) == nothing
    assert score([pair([], [], [])], is_seen=is_seen) == nothing
    assert score([pair(["a"], ["a"], [""])], is_seen=is_seen) == nothing
    known = score([pair(["mice"], ["mouse"], ["mouse"])], is_seen=is_seen)
    assert known == {"lemma_acc": 1.0, "lemma_acc_unseen": None}
    assert score([pair(["a"], ["a"], ["a"])])["lemma_acc_unseen"] is None


def test_any_attribute_can_be_scored_under_its_name():
    one, two = Doc(VOCAB, words=["u", "b4"]), Doc(VOCAB, words=["u", "b4"])
    for doc, norms in ((one, ["you", "b4"]), (two, ["you", "before"])):
        for token, norm in zip(doc, norms, strict=True):
            token.norm_ = norm
    scores = score_token_strings([Example(one, two)], attribute="norm_", is_seen=lambda _: False)
    assert scores == {"norm_acc": 0.5, "norm_acc_unseen": 0.5}


def test_an_extension_may_hold_lists_of_symbols_or_nothing():
    Token.set_extension("_test_phones", default=None)
    try:
        words = ["cat", "dog", "emu"]
        one, two = Doc(VOCAB, words=words), Doc(VOCAB, words=words)
        for doc, phones in ((one, [["K", "AE"], ["D"], ["IY"]]), (two, [["K", "AE"], ["G"], None])):
            for token, value in zip(doc, phones, strict=True):
                token._._test_phones = value
        scores = score_token_strings([Example(one, two)], attribute="_._test_phones")
        assert scores == {"_test_phones_acc": 0.5, "_test_phones_acc_unseen": None}
    finally:
        Token.remove_extension("_test_phones")


def test_scorers_are_registered_and_can_be_sent_to_processes():
    example = pair(["a"], ["a"], ["a"])
    for name, settings in (("lemma", {}), ("transducer", {"attribute": "lemma_"})):
        made = registry.get("scorers", f"spacy-attn.{name}_scorer.v1")()
        score = pickle.loads(pickle.dumps(made))
        assert score([example], overwrite=True, **settings)["lemma_acc"] == 1.0
