import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab

from spacy_attn.models import vocabulary
from spacy_attn.models.vocabulary import WordVocabulary
from spacy_attn.models.word_embedding import set_vocabulary, word_layers

NLP = spacy.blank("en")
WORDS = st.text(st.characters(categories=["L"]), min_size=1, max_size=4)


def learn(texts, **settings):
    defaults = {"min_frequency": 1, "max_size": None, "max_pairs": 100}
    return WordVocabulary.learn(map(NLP.make_doc, texts), "LOWER", **{**defaults, **settings})


def keys_of(vocab, words):
    return numpy.array([vocab.strings.add(word) for word in words], dtype="uint64")


@given(st.lists(WORDS, unique=True), st.lists(st.tuples(WORDS, WORDS), unique=True), st.randoms())
def test_any_vocabulary_finds_its_words_and_pairs_and_nothing_else(words, pairs, random):
    entries = [*words, *pairs]
    random.shuffle(entries)
    vocab, table = Vocab(), WordVocabulary(entries)
    row = {entry: i for i, entry in enumerate(entries, start=1)}
    asked = [*words, "no such word"]
    assert table.rows(keys_of(vocab, asked)).tolist() == [row.get(word, 0) for word in asked]
    asked = [*pairs, *((b, a) for a, b in pairs), ("no such word", "a")]
    before, keys = (keys_of(vocab, [pair[i] for pair in asked]) for i in (0, 1))
    assert table.pair_rows(before, keys).tolist() == [row.get(pair, 0) for pair in asked]


def test_pairs_are_of_neighbours_in_a_document_or_its_start_ordered_by_frequency_then_alphabet():
    found = learn(["not so good", "not good", "Not good", "", "good"])
    assert found.words == ["good", "not", "so"]
    assert found.pairs == [
        ("", "not"),
        ("not", "good"),
        ("", "good"),
        ("not", "so"),
        ("so", "good"),
    ]
    assert found.entries == [*found.words, *found.pairs]


def test_minimum_frequency_and_maximum_number_of_pairs():
    texts = ["not so good", "not good", "Not good"]
    assert learn(texts, min_frequency=2).pairs == [("", "not"), ("not", "good")]
    assert learn(texts, max_pairs=1).pairs == [("", "not")]
    assert learn(texts, max_pairs=0).pairs == []
    assert learn(texts, max_size=0, max_pairs=1).entries == [("", "not")]


def test_many_different_pairs_are_counted_in_bounded_memory_and_the_frequent_ones_kept(monkeypatch):
    monkeypatch.setattr(vocabulary, "_MOST_PAIRS", 50)
    counted = []
    count = vocabulary._without_rarest
    monkeypatch.setattr(
        vocabulary, "_without_rarest", lambda *given: counted.append(len(given[0])) or count(*given)
    )
    texts = [f"not good rare{i} seldom{i}" for i in range(500)]
    assert learn(texts, max_pairs=2).pairs == [("", "not"), ("not", "good")]
    assert len(counted) > 5
    assert max(counted) < 60


@pytest.mark.parametrize("entry", [3, ["one"], ["a", "b", "c"], ["a", 2], None])
def test_an_entry_that_is_no_word_and_no_pair_is_named(entry):
    with pytest.raises(ValueError, match=r"pairs of words, as two strings each, but one entry is"):
        WordVocabulary(["fine", entry])


def test_pairs_for_an_embedding_without_are_refused():
    (embedding,) = word_layers(4, "NORM", 1, None, None)
    with pytest.raises(ValueError, match=r"has pairs of words, \('a', 'b'\) for one.*'max_pairs'"):
        set_vocabulary(embedding, ["a", ["a", "b"]])
