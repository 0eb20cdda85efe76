"""Texts as tokens with the space before them, and back."""

import pytest
import spacy
from hypothesis import example, given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_attn.pipeline.writers.target_texts import (
    blank_tokenizer,
    check_language,
    copied_token,
    join_tokens,
    plain_tokens,
    put_spaces,
    read_tokens,
    spaced_tokens,
)

# Letters, marks that the tokenizer cuts off, white space, an emoji and a combining mark.
TEXTS = st.text(st.sampled_from("aB'.,-() \n\t\N{GRINNING FACE}\u0301"), max_size=20)


@given(text=TEXTS)
@example(text="  two spaces, first and  between. ")
@example(text="can't (well-known) \n lines")
def test_tokens_make_the_text_again_but_for_a_space_at_its_end(text):
    doc = blank_tokenizer("xx")(text)
    assert join_tokens(spaced_tokens(doc)) == text.removesuffix(
        " " if doc and doc[-1].whitespace_ else ""
    )


def test_a_word_is_the_same_symbol_at_the_beginning_of_a_text_and_within_it():
    assert spaced_tokens(blank_tokenizer("en")("dog, dog.")) == [" dog", ",", " dog", "."]
    assert spaced_tokens(blank_tokenizer("en")("Dog"), lower=True) == [" dog"]


def test_plain_tokens_are_those_of_the_tokenizer():
    doc = blank_tokenizer("en")("I can't  wait")
    assert plain_tokens(spaced_tokens(doc)) == [token.text for token in doc]


def test_each_language_has_its_own_tokenizer_which_is_made_once():
    assert blank_tokenizer("de") is blank_tokenizer("de")
    assert [token.text for token in blank_tokenizer("en")("don't")] == ["do", "n't"]
    assert blank_tokenizer("xx").vocab is not spacy.blank("xx").vocab


def test_an_unknown_language_is_named():
    with pytest.raises(
        ValueError, match=r"Component 'x': 'target_lang' must be a language .* 'qq'"
    ):
        check_language("Component 'x'", "qq")


def test_white_space_is_not_read_and_is_a_space_before_what_follows():
    doc = blank_tokenizer("en")("\n One\n\ntwo (three) ")
    assert read_tokens(doc) == [" One", " two", " (", "three", ")"]
    assert read_tokens(doc, lower=True)[0] == " one"
    assert read_tokens(Doc(doc.vocab)) == []


@pytest.mark.parametrize(
    ("before", "source", "expected"),
    [
        # The document has the same token before it.
        ("(", [" (", "Zwuckel"], "Zwuckel"),
        (" (", [" (", "Zwuckel"], "Zwuckel"),
        (" Firma", [" Firma", "(", "Zwuckel"], " Zwuckel"),
        (" Rex", [" Rex", "-Zwuckel"], "-Zwuckel"),
        # A word has a space after another one, and after what ends a phrase.
        (" a", [" in", "Zwuckel"], " Zwuckel"),
        (".", [" Zwuckel"], " Zwuckel"),
        (",", [" in", "5"], " 5"),
        (")", [" in", "Zwuckel"], " Zwuckel"),
        ('"', [" in", "Zwuckel"], " Zwuckel"),
        (" -", [" in", "Zwuckel"], " Zwuckel"),
        # Not after what opens, within a word, and after white space.
        (" (", [" Zwuckel"], "Zwuckel"),
        (' "', [" Zwuckel"], "Zwuckel"),
        ("-", [" Zwuckel"], "Zwuckel"),
        ("/", [" Zwuckel"], "Zwuckel"),
        (" l'", [" Zwuckel"], "Zwuckel"),
        ("\n", [" Zwuckel"], "Zwuckel"),
        # Other marks keep what they have.
        (" dog", [" Hund", "!"], "!"),
        (" dog", [" Hund", " !"], " !"),
        (" firm", [" Firma", "("], " ("),
        ("", ["Zwuckel"], " Zwuckel"),
    ],
)
def test_the_space_before_a_copied_token_is_that_of_where_it_is_written(before, source, expected):
    assert copied_token(source, len(source) - 1, before, spaces=True) == expected


def test_no_space_is_added_in_a_language_that_is_written_without_any():
    assert copied_token([" in", "Zwuckel"], 1, "我", spaces=False) == "Zwuckel"
    assert not put_spaces([" 我", "我", "们", "在", "."])
    assert put_spaces([" dog", "dog", " a", ".", ","])
    assert put_spaces([])
