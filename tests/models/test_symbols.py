"""The symbols of a model and their numbers: what is not known is copied or marked."""

from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.models.symbols import Symbols
from spacy_attn.nn.decoder import END, UNKNOWN

MARK = "�"
TEXTS = st.lists(st.sampled_from(["a", "b", "^capital", "é", "😀", MARK, "ch"]) | st.characters())


@given(TEXTS, TEXTS)
def test_a_source_is_spelled_as_it_was_whether_its_symbols_are_known_or_not(known, source):
    symbols = Symbols(known)
    numbers = symbols.source_numbers(source)
    assert symbols.spell(numbers, source) == source
    assert END not in numbers


@given(TEXTS, TEXTS, TEXTS)
def test_a_target_that_may_copy_loses_only_what_is_neither_known_nor_in_the_source(
    known, source, target
):
    symbols = Symbols(known)
    spelled = symbols.spell(symbols.target_numbers(target, source), source)
    expected = [each if each in {*known, *source} else MARK for each in target]
    assert spelled == expected


@given(TEXTS, TEXTS)
def test_without_copying_an_unknown_symbol_is_marked_and_never_dropped(known, target):
    symbols = Symbols(known)
    spelled = symbols.spell(symbols.numbers(target))
    assert spelled == [each if each in known else MARK for each in target]


@given(TEXTS)
def test_the_symbols_that_were_seen_make_the_same_again(known):
    symbols = Symbols(known)
    again = Symbols(symbols.to_list())
    assert (
        again.to_list() == symbols.to_list() == list(dict.fromkeys(k for k in known if k != MARK))
    )
    assert len(again) == len(symbols) == 2 + len(symbols.to_list())


def test_no_sequence_can_hold_the_end():
    symbols = Symbols(["", "a"])
    assert symbols.to_list() == ["a"]
    assert symbols.numbers(["", "a"]) == [UNKNOWN, 2]
    assert symbols.source_numbers([""]) == [UNKNOWN]


def test_a_symbol_that_comes_twice_in_a_source_has_one_number():
    symbols = Symbols(["a"])
    assert symbols.source_numbers("xaxy") == [3, 2, 3, 4]
    assert symbols.target_numbers("yx?", "xaxy") == [4, 3, UNKNOWN]
