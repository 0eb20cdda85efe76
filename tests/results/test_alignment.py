import json

import numpy
import pytest

import spacy_attn
from spacy_attn import Alignment

WEIGHTS = numpy.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]], dtype=numpy.float32)


@pytest.fixture
def alignment() -> Alignment:
    return Alignment(("ein", "kleines", "Haus"), ("a", "house"), WEIGHTS, -0.25)


def test_it_is_public_and_keeps_what_it_is_given(alignment):
    assert spacy_attn.Alignment is Alignment
    assert alignment.source == ("ein", "kleines", "Haus")
    assert alignment.target == ("a", "house")
    numpy.testing.assert_array_equal(alignment.weights, WEIGHTS)
    assert alignment.log_probability == -0.25


def test_lists_and_numbers_of_any_kind_become_tuples_float32_and_float():
    given = Alignment(["a"], ["b"], [[1]], numpy.float32(-1.5))
    assert (given.source, given.target) == (("a",), ("b",))
    assert given.weights.dtype == numpy.float32
    assert type(given.log_probability) is float


@pytest.mark.parametrize("weights", [[], [[]], numpy.zeros((0, 2)), numpy.zeros((0, 0))])
def test_what_was_not_written_has_no_row(weights):
    nothing = Alignment(("a", "b"), (), weights)
    assert nothing.weights.shape == (0, 2)
    assert nothing.to_dict()["weights"] == []
    assert len(nothing.to_dataframe()) == 0
    assert "'ab' -> ''" in repr(nothing)


@pytest.mark.parametrize("weights", [WEIGHTS.T, WEIGHTS[:1], WEIGHTS[:, :2], WEIGHTS[0], []])
def test_weights_of_another_shape_are_refused(weights):
    with pytest.raises(ValueError, match="2 target symbols and a column for each of the 3 source"):
        Alignment(("a", "b", "c"), ("d", "e"), weights)


@pytest.mark.parametrize("row", [[0.5, 0.4, 0.2], [1.5, -0.5, 0], [0, 0, 0], [1, float("nan"), 0]])
def test_a_row_that_is_no_distribution_is_refused_and_named(row):
    with pytest.raises(ValueError, match="but row 1, of the target symbol 'house', has the sum"):
        Alignment(("a", "b", "c"), ("a", "house"), [[1, 0, 0], row])


def test_something_written_from_nothing_is_refused():
    with pytest.raises(ValueError, match="row 0, of the target symbol 'a', has the sum 0"):
        Alignment((), ("a",), numpy.zeros((1, 0)))


@pytest.mark.parametrize("name", ["source", "target"])
def test_one_string_does_not_silently_become_its_characters(name):
    with pytest.raises(TypeError, match=rf"The {name} of an alignment must be several strings"):
        Alignment(**{"source": ("a",), "target": ("b",), name: "x"}, weights=[[1.0]])


def test_json_takes_it_and_it_is_made_again_from_that(alignment):
    data = json.loads(json.dumps(alignment.to_dict()))
    again = Alignment(**data)
    assert again.to_dict() == alignment.to_dict()


def test_the_table_has_a_row_for_each_pair(alignment):
    table = alignment.to_dataframe()
    assert list(table) == ["target_index", "target", "source_index", "source", "weight"]
    assert len(table) == 6
    assert table.iloc[-1].tolist() == [1, "house", 2, "Haus", 0.5]


def test_it_prints_as_one_short_line(alignment):
    assert repr(alignment) == (
        "Alignment('ein kleines Haus' -> 'a house', 2 x 3 weights, log_probability=-0.250)"
    )
    letters = Alignment(tuple("evlerde"), tuple("ev"), numpy.full((2, 7), 1 / 7))
    assert repr(letters) == "Alignment('evlerde' -> 'ev', 2 x 7 weights)"
    many = Alignment(("word",) * 10_000, (), [])
    assert len(repr(many)) < 100
