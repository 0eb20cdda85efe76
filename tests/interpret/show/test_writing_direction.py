"""The order of tokens on a line, as a browser has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.interpret.show.writing_direction import (
    direction_of,
    direction_of_texts,
    visual_order,
)

# As in Unicode's Standard Annex 9, capitals stand for letters that are read from right to left.
HEBREW = {"A": "\u05d0", "B": "\u05d1", "C": "\u05d2"}


def shown(tokens: str, direction: str) -> str:
    letters = [HEBREW.get(token, token) for token in tokens]
    return "".join(tokens[i] for i in visual_order(letters, direction))


@pytest.mark.parametrize(
    ("tokens", "left_to_right", "right_to_left"),
    [
        ("abc", "abc", "abc"),
        ("ABC", "CBA", "CBA"),
        ("aBCd", "aCBd", "dCBa"),
        ("ab.", "ab.", ".ab"),
        ("AB.", "BA.", ".BA"),
        ("A.B", "B.A", "B.A"),
        ("a.b", "a.b", "a.b"),
        ("A.b", "A.b", "b.A"),
        ("AbcB", "AbcB", "BbcA"),
        ("..", "..", ".."),
        ("", "", ""),
    ],
)
def test_runs_of_a_direction_are_turned_as_a_browser_does(tokens, left_to_right, right_to_left):
    assert shown(tokens, "ltr") == left_to_right
    assert shown(tokens, "rtl") == right_to_left


@given(st.lists(st.sampled_from("ab1.AB")), st.sampled_from(["ltr", "rtl"]))
def test_every_token_is_shown_once(tokens, direction):
    letters = [HEBREW.get(token, token) for token in tokens]
    assert sorted(visual_order(letters, direction)) == list(range(len(tokens)))


def test_a_document_has_the_direction_of_its_first_letter():
    assert direction_of("1. \u05d0 a") == "rtl"
    assert direction_of("...") is None
    assert direction_of_texts(["...", "a", HEBREW["A"]]) == "ltr"
    assert direction_of_texts([]) == "ltr"
