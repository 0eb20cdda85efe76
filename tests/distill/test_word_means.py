"""Words and the means of their vectors, and which pieces of tokenizers are words."""

from types import SimpleNamespace

import numpy
import pytest
import spacy

from spacy_attn.distill.word_means import WordMeans, whole_words

tokenizers = pytest.importorskip("tokenizers")


class Numbers:
    """Gives the tokens of a document the numbers 0, 1 and so on; '?' has none."""

    def token_vectors(self, docs):
        for doc in docs:
            known = numpy.array([token.text != "?" for token in doc])
            yield numpy.arange(len(doc), dtype="f")[:, None] * known[:, None], known


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.mark.parametrize(
    ("attr", "expected"),
    [
        ("LOWER", {"a": (3, 4 / 3), "b": (1, 1.0), "c": (1, 0.0)}),
        ("ORTH", {"a": (2, 0.0), "b": (1, 1.0), "A": (1, 4.0), "c": (1, 0.0)}),
    ],
)
def test_a_word_has_the_mean_over_all_places_where_it_occurs(nlp, attr, expected, monkeypatch):
    monkeypatch.setattr("spacy_attn.distill.word_means._BATCH_TOKENS", 2)
    means = WordMeans(Numbers(), attr)
    means.add([nlp.make_doc(text) for text in ("a b ? ? A", "", "a", "c")])
    found = means.vectors(list(means.counts))[:, 0].tolist()
    assert {
        word: (count, mean) for (word, count), mean in zip(means.counts.items(), found, strict=True)
    } == {word: (count, pytest.approx(mean)) for word, (count, mean) in expected.items()}


def test_only_words_that_are_in_no_text_are_added_alone(nlp):
    means = WordMeans(Numbers(), "LOWER")
    means.add([nlp.make_doc("x Word")])
    means.add_alone(["word", "other", "?"], nlp)
    assert dict(means.counts) == {"x": 1, "word": 1, "other": 1}


def word_pieces():
    vocabulary = {"[UNK]": 0, "##s": 1, "dogs": 2, "the": 3, "don't": 4, "a b": 5, "[unused1]": 6}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    return tokenizer


def byte_pairs():
    alphabet = ["\u0120", *"dogsthe"]
    merges = [("d", "o"), ("do", "g"), ("t", "h"), ("\u0120", "th"), ("\u0120th", "e")]
    pieces = [*dict.fromkeys([*alphabet, *("".join(pair) for pair in merges)])]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE({piece: i for i, piece in enumerate(pieces)}, merges)
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return tokenizer


def sentence_pieces():
    pieces = [("<unk>", 0.0), ("\u2581the", -1.0), ("\u2581dog", -1.0), ("s", -2.0), ("ing", -2.0)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.decoder = tokenizers.decoders.Metaspace()
    return tokenizer


@pytest.mark.parametrize(
    ("make", "expected", "others"),
    [
        (word_pieces, {"dogs", "the"}, {"##s", "s", "[unused1]", "[UNK]", "don't", "a b"}),
        (byte_pairs, {"dog", "the"}, {"\u0120the", "\u0120th"}),
        (sentence_pieces, {"the", "dog"}, {"s", "ing", "\u2581the", "<unk>"}),
    ],
)
def test_the_words_of_a_vocabulary_are_the_pieces_that_are_whole_tokens(
    make, expected, others, nlp
):
    tokenizer = make()
    # As tokenizers are saved.
    tokenizer.enable_padding(length=4)
    tokenizer.enable_truncation(3)
    found = set(whole_words(SimpleNamespace(tokenizer=tokenizer), nlp))
    assert expected <= found
    assert not found & others
