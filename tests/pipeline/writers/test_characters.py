"""Texts as symbols and back: whatever the characters, nothing is lost."""

import unicodedata

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_attn.pipeline.writers.characters import (
    CAPITAL,
    CAPITALS,
    by_character,
    from_symbols,
    has_inner_sign,
    in_own_characters,
    is_in_title,
    lower_case,
    may_be_name,
    numbers,
    to_symbols,
)

DOTLESS = "\N{LATIN SMALL LETTER DOTLESS I}"
LANGUAGES = st.sampled_from(["en", "tr", "az", "xx"])
CASED = st.text(st.sampled_from(f"aAiIİ{DOTLESS}ßẞſǅΣςσéÉ\u0301Åμ😀_ "))


@given(CASED | st.text(), LANGUAGES)
def test_symbols_of_any_text_give_the_text_back(text, lang):
    assert from_symbols(to_symbols(text, lang), lang) == text


def test_a_capital_letter_is_a_mark_and_the_small_one():
    assert to_symbols("NaÏ", "en") == [CAPITAL, "n", "a", CAPITAL, "ï"]


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("GLACÉ-2", [CAPITALS, *"glacé-2"]),
        ("A", [CAPITAL, "a"]),
        ("A-4", [CAPITAL, "a", "-", "4"]),
        ("AaA", [CAPITAL, "a", "a", CAPITAL, "a"]),
        ("AßA", [CAPITAL, "a", "ß", CAPITAL, "a"]),  # it has no capital
    ],
)
def test_a_text_in_capitals_is_one_mark_and_the_text_in_lower_case(text, symbols):
    assert to_symbols(text, "de") == symbols


def test_the_letters_i_have_the_capitals_of_the_language():
    assert to_symbols("DIŞİ", "tr") == [CAPITALS, "d", DOTLESS, "ş", "i"]
    assert to_symbols(f"Ii{DOTLESS}İ", "tr") == [CAPITAL, DOTLESS, "i", DOTLESS, CAPITAL, "i"]
    # In others, the small letter of one has two code points, and of the other another capital.
    assert to_symbols(f"Iiİ{DOTLESS}", "en") == [CAPITAL, "i", "i", "İ", DOTLESS]
    assert lower_case("DIŞİ", "tr") == f"d{DOTLESS}şi"
    assert lower_case("DISI", "az") == f"d{DOTLESS}s{DOTLESS}"
    assert lower_case("DISI", "en") == "disi"


def test_emoji_and_combining_marks_are_symbols_as_they_are():
    text = "e\u0301😀👍🏽"
    assert to_symbols(text, "en") == list(text)


@pytest.mark.parametrize(
    ("symbols", "text"),
    [([CAPITAL], ""), (["a", CAPITAL], "a"), ([CAPITAL, CAPITAL, "a"], "A"), ([CAPITAL, "1"], "1")],
)
def test_a_mark_that_no_letter_follows_says_nothing(symbols, text):
    assert from_symbols(symbols, "en") == text


@given(st.data(), st.lists(CASED.filter(bool), min_size=2, max_size=2))
def test_weights_by_character_are_sums_of_columns_and_means_of_rows(data, texts):
    source, target = (to_symbols(text, "en") for text in texts)
    numbers = numpy.random.default_rng(data.draw(st.integers(0, 99)))
    weights = numbers.dirichlet(numpy.ones(len(source)), len(target)).astype("float32")
    merged = by_character(weights, source, target)
    assert merged.shape == (len(texts[1]), len(texts[0]))
    numpy.testing.assert_allclose(merged.sum(axis=1), 1.0, atol=1e-5)


def test_the_mark_of_a_text_in_capitals_belongs_to_its_first_letter():
    weights = numpy.array([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]], "float32")
    merged = by_character(weights, to_symbols("AB", "en"), ["c", "d"])
    numpy.testing.assert_allclose(merged, [[0.75, 0.25], [0.5, 0.5]])


def test_a_capital_has_the_weights_of_its_mark_and_its_letter():
    weights = numpy.array([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], "float32")
    merged = by_character(weights, [CAPITAL, "a", "b"], ["c", CAPITAL, "d"])
    numpy.testing.assert_allclose(merged, [[0.75, 0.25], [0.25, 0.75]])


def test_rows_of_what_are_no_characters_are_not_merged():
    weights = numpy.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], "float32")
    merged = by_character(weights, [CAPITAL, "a", "b"], None)
    numpy.testing.assert_allclose(merged, [[1.0, 0.0], [0.5, 0.5]])


VOCAB = spacy.blank("en").vocab


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Dogs"], False),
        (["\n", "Dogs"], False),
        (["He", ".", "\n\n", "Dogs"], False),
        (["(", "Dogs"], False),
        (["He", ".", '"', "(", "Dogs"], False),
        (["He", "Dogs"], True),
        (["He", "(", "Dogs"], True),
        (["He", "\n", "Dogs"], True),
        (["He", "dogs"], False),
        (["He", "DOGS"], False),
        (["Menu", "\n\n", "Dogs"], False),
        (["So", "...", "Dogs"], False),
        (["So", "?!", "Dogs"], False),
        (["So", "-", "Dogs"], True),
    ],
)
def test_a_capital_inside_a_sentence_may_be_that_of_a_name(words, expected):
    doc = Doc(VOCAB, words=words)
    assert may_be_name(doc[-1], words[-1]) is expected


@pytest.mark.parametrize(
    ("words", "starts", "expected"),
    [
        (["Dr", ".", "Dogs"], [True, False, False], True),
        (["He", ".", "Dogs"], [True, False, True], False),
        (["He", "Dogs"], [True, True], False),
        (["He", '"', "Dogs"], [True, True, False], False),
        (["He", ".", "\n", "Dogs"], [True, False, False, True], False),
        (["He", ".", "\n", "Dogs"], [True, False, False, False], True),
        (["He", "\n\n", "Dogs"], [True, False, False], True),
    ],
)
def test_where_sentences_are_set_they_say_where_one_begins(words, starts, expected):
    doc = Doc(VOCAB, words=words, sent_starts=starts)
    assert may_be_name(doc[-1], "Dogs") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me@home.org", True),
        ("a.b", True),
        ("snake_case", True),
        ("!!!", True),
        ("---", False),
        ("word.", False),
        ("(word)", False),
        ("it's", False),
        ("it\u2019s", False),
        ("re-do", False),
        ("1,200", False),
        ("1,200km", True),
        ("ab", False),
        ("", False),
        ("हिन्दी", False),
        ("e\u0301te\u0301", False),
    ],
)
def test_a_sign_inside_is_none_that_words_or_numbers_have(text, expected):
    assert has_inner_sign(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They Said That Dogs Bark", True),
        ("They said that Dogs Bark", False),
        ("So Dogs Bark", False),
        ("THEY SAID that Dogs BARK", False),
        ("They Said " + "so " * 5 + "Dogs", False),
    ],
)
def test_a_word_is_in_a_title_if_most_longer_words_near_it_are_capitalised(text, expected):
    doc = Doc(VOCAB, words=text.split())
    (token,) = (token for token in doc if token.text == "Dogs")
    assert is_in_title(token) is expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,234,567.50", ["1234567", "50"]),
        ("12,5", ["12", "5"]),
        ("1,2345", ["1", "2345"]),
        ("10:30", ["10", "30"]),
        ("\u0967\u0968th", ["\u0967\u0968"]),
        ("none", []),
    ],
)
def test_signs_between_thousands_are_no_part_of_a_number(text, found):
    assert numbers(text) == found


COMPOSABLE = st.text(st.sampled_from("aeé\u0301\u0327ñÅ\u212b한\u1112\u1161\u11ab'"), max_size=8)


@given(text=COMPOSABLE)
def test_weights_of_composed_letters_are_shared_by_the_characters_of_a_text(text):
    read = unicodedata.normalize("NFC", text)
    weights = numpy.random.default_rng(0).dirichlet(numpy.ones(len(read) or 1), size=3)
    weights = weights[:, : len(read)].astype("float32")
    found = in_own_characters(weights, text)
    assert found.shape == (3, len(text))
    numpy.testing.assert_allclose(found.sum(axis=1), weights.sum(axis=1), atol=1e-6)
    if read == text:
        numpy.testing.assert_array_equal(found, weights)


def test_a_letter_of_two_characters_halves_its_weight():
    weights = numpy.array([[0.5, 0.3, 0.2]], dtype="float32")
    expected = [[0.25, 0.25, 0.3, 0.1, 0.1]]
    numpy.testing.assert_allclose(in_own_characters(weights, "e\u0301te\u0301"), expected)
