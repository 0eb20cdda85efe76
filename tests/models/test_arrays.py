import numpy
import pytest
from thinc.api import NumpyOps

from spacy_attn.models.arrays import TokenArrays, runs


@pytest.mark.parametrize("lengths", [[3, 0, 2], [0], []])
def test_the_arrays_of_documents_are_views_of_one_that_is_joined_without_a_copy(lengths):
    joined = numpy.arange(2 * sum(lengths), dtype="f").reshape(-1, 2)
    arrays = TokenArrays(joined, lengths)
    assert [len(array) for array in arrays] == lengths
    assert TokenArrays.join(NumpyOps(), arrays).joined is joined
    if sum(lengths):
        arrays[0][:] = 9.0
        assert (joined[: lengths[0]] == 9.0).all()


def test_arrays_of_other_layers_are_joined():
    parts = [numpy.ones((2, 3), dtype="f"), numpy.zeros((0, 3), dtype="f")]
    arrays = TokenArrays.join(NumpyOps(), parts)
    assert (arrays.joined.shape, arrays.lengths) == ((2, 3), [2, 0])


def test_runs_keep_the_order_and_the_bound_but_for_a_longer_item():
    assert list(runs([3, 3, 9, 1, 0, 5], 6, int)) == [[3, 3], [9], [1, 0, 5]]
