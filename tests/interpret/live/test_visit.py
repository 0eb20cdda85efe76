"""What is chosen on the page, and its address."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.interpret.live.visit import STYLES, Visit

LABELS = ("", "a&b=c", "positive", "négatif")
A_LABEL = st.none() | st.sampled_from(LABELS)
PLACES = st.lists(st.integers(0, 10**6), unique=True).map(sorted).map(tuple)


@given(st.builds(Visit, st.text(), st.sampled_from(STYLES), A_LABEL, A_LABEL, PLACES))
def test_what_was_chosen_comes_back_from_the_address(visit):
    query = dict(
        parse_qsl(visit.to_query(), keep_blank_values=True, strict_parsing=bool(visit.to_query()))
    )
    assert Visit.from_query(query, LABELS) == visit


@pytest.mark.parametrize("place", ["x", "-1", "1e9", "²", "1..2", "", "9" * 5000])
def test_an_address_with_what_there_is_not_is_read_as_far_as_it_can_be(place):
    query = {"style": "rainbow", "label": "none", "other": "1", "without": place, "more": "x"}
    left_out = (1, 2) if place == "1..2" else ()
    assert Visit.from_query(query, LABELS) == Visit(left_out=left_out)


def test_a_label_is_not_compared_with_itself():
    assert Visit().target("a") == "a"
    assert Visit(label="b").target("a") == "b"
    assert Visit(other="b").target("a") == ("a", "b")
    for visit in (Visit(label="b", other="b"), Visit(other="b")):
        with pytest.raises(ValueError, match="“b” cannot be compared with itself"):
            visit.target("b")
