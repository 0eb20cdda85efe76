"""The scorer of generated texts: sacrebleu's figures from 0 to 1, on texts or on tokens."""

import builtins
import pickle

import numpy
import pytest
from sacrebleu.metrics import BLEU, CHRF
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab

from spacy_attn.pipeline.writers.generation_scorer import make_seq2seq_scorer
from spacy_attn.results.written_data import store_generated, store_target

VOCAB = Vocab()
TEXTS = [
    ("A man is riding a horse.", "A man rides on a horse."),
    ("Two dogs play in the snow.", "Two dogs are playing in the snow."),
]


def pair(written, gold, name="generated"):
    words = ["Ein", "Mann"]
    one, two = Doc(VOCAB, words=words), Doc(VOCAB, words=words)
    if written is not None:
        tokens = written.split()
        store_generated(one, written, tokens, numpy.full((len(tokens), 2), 0.5), name)
    if gold is not None:
        store_target(two, gold, name)
    return Example(one, two)


EXAMPLES = [pair(written, gold) for written, gold in TEXTS]


def test_scores_of_texts_are_those_of_sacrebleu_by_default_from_0_to_1():
    written, gold = map(list, zip(*TEXTS, strict=True))
    scores = make_seq2seq_scorer()(EXAMPLES)
    assert scores == {
        "bleu": pytest.approx(BLEU().corpus_score(written, [gold]).score / 100),
        "chrf": pytest.approx(CHRF().corpus_score(written, [gold]).score / 100),
    }
    assert 0.0 < scores["bleu"] < scores["chrf"] < 1.0


def test_scores_of_tokens_are_of_those_that_the_component_writes_and_makes():
    scores = make_seq2seq_scorer("tokens")(EXAMPLES, tokenize=lambda text: text.lower().split())
    written, gold = [text for text, _ in TEXTS], [text.lower() for _, text in TEXTS]
    expected = BLEU(tokenize="none", force=True).corpus_score(written, [gold]).score / 100
    assert scores["bleu"] == pytest.approx(expected)
    assert scores["bleu"] != make_seq2seq_scorer()(EXAMPLES)["bleu"]


def test_sacrebleu_does_not_complain_of_tokens(caplog):
    examples = [pair("a b c d .", "a b c d .")] * 101
    assert make_seq2seq_scorer("tokens")(examples, tokenize=str.split)["bleu"] == 1.0
    assert caplog.messages == []


def test_a_scorer_of_tokens_needs_a_tokenizer():
    with pytest.raises(ValueError, match='gives it no tokenizer: set compare = "texts"'):
        make_seq2seq_scorer("tokens")(EXAMPLES)


def test_case_counts_unless_it_is_said_not_to():
    examples = [pair("two dogs play in the snow", "Two Dogs Play In The Snow")]
    assert make_seq2seq_scorer()(examples)["bleu"] < 0.1
    scores = make_seq2seq_scorer(lowercase=True)(examples)
    assert scores == {"bleu": 1.0, "chrf": 1.0}


def test_the_right_text_scores_1_and_an_empty_one_0():
    assert make_seq2seq_scorer()([pair("a b c d e", "a b c d e")]) == {"bleu": 1.0, "chrf": 1.0}
    assert make_seq2seq_scorer()([pair("", "a b c d e")]) == {"bleu": 0.0, "chrf": 0.0}
    assert make_seq2seq_scorer()([pair("a b", "")]) == {"bleu": 0.0, "chrf": 0.0}


def test_documents_without_an_annotated_text_are_not_scored():
    assert make_seq2seq_scorer()([]) == {"bleu": None, "chrf": None}
    assert make_seq2seq_scorer()([pair("a", None)]) == {"bleu": None, "chrf": None}
    assert make_seq2seq_scorer()([*EXAMPLES, pair("x", None)]) == make_seq2seq_scorer()(EXAMPLES)


def test_documents_that_no_component_has_seen_are_refused():
    with pytest.raises(ValueError, match=r"'Ein Mann ' has no text in 'doc\._\.generated': run"):
        make_seq2seq_scorer()([pair(None, "a")])


def test_the_attribute_may_have_another_name():
    examples = [pair("a b c d", "a b c d", "translated")]
    assert make_seq2seq_scorer()(examples)["bleu"] is None
    named = make_seq2seq_scorer()(examples, generated_attr="translated")
    assert named == {"translated_bleu": pytest.approx(1.0), "translated_chrf": pytest.approx(1.0)}
    none = make_seq2seq_scorer()(EXAMPLES, generated_attr="translated")
    assert none == {"translated_bleu": None, "translated_chrf": None}


def test_sacrebleu_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    load = builtins.__import__

    def refuse(name, *rest):
        if name.startswith("sacrebleu"):
            raise ImportError("No module named 'sacrebleu'")
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"need sacrebleu .*: pip install sacrebleu\."):
        make_seq2seq_scorer()(EXAMPLES)
    # Nothing is to be scored.
    assert make_seq2seq_scorer()([]) == {"bleu": None, "chrf": None}


def test_a_comparison_that_there_is_none_of_is_refused():
    with pytest.raises(ValueError, match="'compare' must be one of texts, tokens, but is 'words'"):
        make_seq2seq_scorer("words")


def test_scorer_is_registered_and_can_be_sent_to_processes():
    made = registry.get("scorers", "spacy-attn.seq2seq_scorer.v1")(lowercase=True)
    score = pickle.loads(pickle.dumps(made))
    assert score(EXAMPLES, beam_width=1) == made(EXAMPLES)
