"""The dictionary: what training had of a form, by its part of speech and without it."""

import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.parts_of_speech import NOUN, VERB, X
from spacy.strings import get_string_id

from spacy_attn.pipeline.writers.dictionary import Dictionary, most_frequent, without_rare

ENTRIES = st.lists(
    st.tuples(
        st.text(min_size=1),
        st.sampled_from(["", "NOUN", "VERB", "SPACE"]),
        st.text() | st.lists(st.text(min_size=1)).map(tuple),
        st.integers(1, 2**40),
    )
)


def make(entries):
    dictionary = Dictionary()
    for entry in entries:
        dictionary.add(*entry)
    return dictionary


@given(ENTRIES)
def test_stored_and_loaded_it_finds_the_same_in_the_same_order(entries):
    dictionary = make(entries)
    again = Dictionary.from_bytes(dictionary.to_bytes())
    assert list(again) == list(dictionary)
    assert len(again) == len(dictionary)
    assert again.to_bytes() == dictionary.to_bytes()
    for form, pos, target, _ in entries:
        form_id = get_string_id(form)
        for part in (None, NOUN, X):
            one, other = again.find(form_id, part), dictionary.find(form_id, part)
            assert list(one.items()) == list(other.items()), pos
        assert again.count(form, target) == dictionary.count(form, target)
        assert target in set(again.targets)
    assert len(set(again.targets)) == again.n_targets


def test_a_form_is_found_with_its_part_of_speech_and_otherwise_without():
    dictionary = make([("saw", "VERB", "see", 2), ("saw", "NOUN", "saw", 1)])
    saw = get_string_id("saw")
    assert dictionary.find(saw) == {"see": 2, "saw": 1}
    assert dictionary.find(saw, NOUN) == {"saw": 1}
    assert dictionary.find(saw, VERB) == {"see": 2}
    assert dictionary.find(saw, X) == {"see": 2, "saw": 1}
    assert dictionary.find(saw, X, or_form=False) is None
    assert dictionary.find(saw, NOUN, or_form=False) == {"saw": 1}
    assert dictionary.find(saw, None, or_form=False) == {"see": 2, "saw": 1}
    assert dictionary.find(get_string_id("Saw"), NOUN) is None
    assert dictionary.count("saw", "see") == 2
    assert dictionary.count("saw", "sees") == dictionary.count("Saw", "see") == 0


def test_of_several_that_are_equally_frequent_the_first_one_is_taken():
    dictionary = make([("a", "X", "one", 1), ("a", "NOUN", "two", 2), ("a", "VERB", "one", 1)])
    assert most_frequent(dictionary.find(get_string_id("a"))) == "one"
    assert most_frequent({"a": 1, "b": 2}) == "b"


@pytest.mark.parametrize(
    "stored",
    [
        [["a", "NOUN", "b"]],
        [["a", "NOUN", "b", 1, 2]],
        [["a", "NO SUCH", "b", 1]],
        [[1, "NOUN", "b", 1]],
        [["a", "NOUN", 3, 1]],
        [["a", "NOUN", ["b", 4], 1]],
        [["a", "NOUN", "b", 0]],
        [["a", "NOUN", "b", 1.5]],
        [["a", "NOUN", "b", "1"]],
        [["a", "NOUN", None, 1]],
        [["a", ["NOUN"], "b", 1]],
        ["abcd"],
        [4],
        {"a": 1},
        7,
        None,
    ],
)
def test_bytes_of_something_else_are_refused(stored):
    with pytest.raises((ValueError, TypeError)):
        Dictionary.from_bytes(srsly.msgpack_dumps(stored))


def test_a_target_rarer_than_one_in_five_hundred_is_taken_for_an_error():
    assert without_rare({"be": 998, "bee": 1, "is": 3}) == {"be": 998, "is": 3}
    assert without_rare({"be": 997, "bee": 2}) == {"be": 997, "bee": 2}
    assert without_rare({"be": 1}) == {"be": 1}


def test_where_all_targets_of_a_form_are_rare_the_most_frequent_stay():
    counts = {str(i): 1 for i in range(600)}
    assert without_rare(counts) == counts
    assert without_rare({**counts, "be": 2}) == {"be": 2}


def words(length, n, change=False):
    """So many words of a length, each of which is its own target or another."""
    forms = [f"{i:0{length}d}" for i in range(n)]
    return [(form, "NOUN", form + "x" if change else form, 1) for form in forms]


@pytest.mark.parametrize(
    ("long", "longest"),
    [
        (words(30, 20), 9),
        (words(30, 19), 40),  # too few to say so: much longer than any
        (words(30, 27) + words(31, 3, change=True), 41),  # the longest ones change
        ([], 19),
    ],
)
def test_forms_longer_than_those_that_change_are_kept_if_training_had_enough(long, longest):
    dictionary = make([*words(9, 50, change=True), *words(5, 50), *long])
    assert [dictionary.keeps("x" * n) for n in (longest, longest + 1)] == [False, True]


def test_a_rare_long_form_that_changes_is_taken_for_an_error():
    entries = [*words(9, 2_000, change=True), *words(30, 30), *words(40, 2, change=True)]
    assert make(entries).keeps("x" * 10)


def test_what_is_added_counts_for_which_forms_are_kept():
    dictionary = make([*words(9, 50, change=True), *words(30, 20)])
    assert dictionary.keeps("x" * 10)
    for form, *_ in words(50, 9):
        dictionary.add(form, "NOUN", "8")
    assert [dictionary.keeps("x" * n) for n in (60, 61)] == [False, True]


def test_where_lists_are_written_no_form_is_kept():
    entries = [(form, "X", tuple(form), 1) for form, *_ in words(30, 50)]
    assert not make(entries).keeps("x" * 1_000)


@pytest.mark.parametrize(
    ("entries", "keeps"),
    [
        ([], False),
        ([("no", "X", "number", 1)], False),
        ([(f"{i}th", "X", f"{i}", 1) for i in range(8)] + [("9ths", "X", "nine", 1)] * 2, True),
        ([("1st", "X", "first", 1), ("2nd", "X", "2", 1)], False),
    ],
)
def test_digits_are_kept_if_training_has_kept_them_as_a_rule(entries, keeps):
    dictionary = make(entries)
    assert dictionary.breaks_rule("12th", "13") == keeps
    assert not dictionary.breaks_rule("12th", "12")


@pytest.mark.parametrize(
    ("entries", "keeps"),
    [
        ([], False),
        ([("no", "X", "number", 1)], False),
        (
            [(f"{x}.pdf", "X", f"{x.lower()}.pdf", 1) for x in "ABCD"] + [("w/o", "X", "out", 1)],
            True,
        ),
        ([("a@b", "X", "a@b", 1), ("w/o", "X", "without", 1)], False),
    ],
)
def test_forms_with_a_sign_inside_are_kept_if_training_has_kept_them_as_a_rule(entries, keeps):
    dictionary = make(entries)
    assert dictionary.breaks_rule("me@home.org", "me@homer.org") == keeps
    assert not dictionary.breaks_rule("Me@home.org", "me@home.org")
    assert not dictionary.breaks_rule("homes", "home")


@pytest.mark.parametrize(
    ("entries", "keeps"),
    [
        ([], False),
        ([("--", "PUNCT", "--", 1), ("...", "PUNCT", "...", 1), ("&", "CCONJ", "&", 1)], True),
        ([("--", "PUNCT", "-", 1), ("&", "CCONJ", "and", 1)], False),
    ],
)
def test_forms_of_signs_alone_are_kept_if_training_has_kept_them_as_a_rule(entries, keeps):
    assert make(entries).breaks_rule("-----", "---") == keeps
    assert not make(entries).breaks_rule("a--", "a-")


@pytest.mark.parametrize(
    ("entries", "keeps"),
    [
        ([], False),
        ([("re-does", "VERB", "re-do", 1), ("Bourg-la-Reine", "PROPN", "Bourg-la-Reine", 1)], True),
        ([("re-does", "VERB", "redo", 1)], False),
    ],
)
def test_inner_dashes_are_kept_if_training_has_kept_them_as_a_rule(entries, keeps):
    assert make(entries).breaks_rule("Ville-la-Garenne", "Ville-la-Garenne-enne") == keeps
    assert not make(entries).breaks_rule("Villes-la-Garenne", "Ville-la-Garenne")
    assert not make(entries).breaks_rule("word", "wo-rd")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], False),
        ([("Gurgaon", "PROPN", "Gurgaon", 1), ("Dogs", "NOUN", "dog", 1)], False),
        (
            [
                ("Gurgaon", "PROPN", "Gurgaon", 1),
                *[(x, "NOUN", "dog", 1) for x in ("Dogs", "dogs")],
            ],
            True,
        ),
        ([("Gurgaon", "PROPN", "gurgaon", 1)], False),
    ],
)
def test_names_have_capitals_if_those_of_training_do(entries, expected):
    assert make(entries).is_name("venza") is expected
    assert not make([*entries, ("venza", "NOUN", "venza", 1)]).is_name("venza")


def test_a_form_that_was_part_of_another_word_alone_is_seen_but_says_nothing():
    dictionary = make([("pose", "X", "_", 2), ("ex", "X", "_", 1), ("ex", "NOUN", "ex", 1)])
    assert dictionary.find(get_string_id("pose")) == {}
    assert dictionary.find(get_string_id("pose"), X) == {"_": 2}
    assert dictionary.find(get_string_id("ex")) == {"ex": 1}
    # An underscore of another part of speech is a lemma as others.
    assert make([("pose", "ADP", "_", 2)]).find(get_string_id("pose")) == {"_": 2}
