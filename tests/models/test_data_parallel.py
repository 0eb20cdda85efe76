"""Gradients and weights of a model in two processes."""

import numpy
import pytest
import torch
from thinc.api import Linear, Model

from spacy_attn.models.data_parallel import (
    add_up_gradients,
    have_same_weights,
    take_weights_from_first,
)
from spacy_attn.models.processes import add_up, all_have, own_rank, value_of_first, values_of_all
from spacy_attn.models.shim import TorchShim
from spacy_attn.nn.bilstm import BiLSTM

from ..in_processes import Failure, run_in_processes

ROWS = 5000


def make_model() -> Model:
    """A table with many rows, a layer of Thinc, and a torch module."""
    table = Model("table", lambda *_: None, params={"E": numpy.zeros((ROWS, 3), dtype="f")})
    linear = Linear(nO=2, nI=3).initialize()
    shim = TorchShim(BiLSTM)
    shim.build_module(input_width=2, hidden_width=2)
    lstm = Model("lstm", lambda *_: None, shims=[shim])
    return Model("all", lambda *_: None, layers=[table, linear, lstm])


def run(function):
    found = run_in_processes(function)
    for each in found:
        assert not isinstance(each, Failure), each
    return found


def test_gradients_become_the_sums_over_processes():
    def add_up_own():
        model = make_model()
        table, linear, lstm = model.layers
        gradient = numpy.zeros((ROWS, 3), dtype="f")
        gradient[own_rank()] = -1.0
        gradient[7] = [0.0, 1.0, -own_rank()]
        gradient[ROWS - 1 - own_rank(), 1] = 1e-30
        table.set_grad("E", gradient)
        linear.set_grad("W", numpy.full((2, 3), 1.0 + own_rank(), dtype="f"))
        for parameter in lstm.shims[0].module.parameters():
            parameter.grad = torch.full_like(parameter, 10.0 ** own_rank())
        assert add_up_gradients(model, True)
        own = next(lstm.shims[0].module.parameters()).grad.unique().tolist()
        return table.get_grad("E"), linear.get_grad("W"), own

    (table, linear, of_lstm), other = run(add_up_own)
    expected = numpy.zeros((ROWS, 3), dtype="f")
    expected[[0, 1]] = -1.0
    expected[7] = [0.0, 2.0, -1.0]
    expected[[ROWS - 1, ROWS - 2], 1] = 1e-30
    numpy.testing.assert_array_equal(table, expected)
    numpy.testing.assert_array_equal(linear, numpy.full((2, 3), 3.0))
    assert of_lstm == [11.0]
    for one, two in zip((table, linear, of_lstm), other, strict=True):
        numpy.testing.assert_array_equal(one, two)


def test_a_process_without_gradients_takes_part_and_no_other_parameter_gets_one():
    def add_up_of_first():
        model = make_model()
        table, linear, lstm = model.layers
        if own_rank() == 0:
            linear.set_grad("W", numpy.ones((2, 3), dtype="f"))
            table.set_grad("E", numpy.ones((ROWS, 3), dtype="f"))
            parameter = next(lstm.shims[0].module.parameters())
            parameter.grad = torch.ones_like(parameter)
        gathered = add_up_gradients(model, own_rank() == 0)
        gradients = [parameter.grad for parameter in lstm.shims[0].module.parameters()]
        assert gradients[0].eq(1.0).all()
        assert gradients[1:] == [None] * (len(gradients) - 1)
        assert not linear.has_grad("b")
        return gathered, float(linear.get_grad("W").sum()), float(table.get_grad("E").sum())

    assert run(add_up_of_first) == [(True, 6.0, 3.0 * ROWS)] * 2


def test_without_gradients_in_any_process_there_is_nothing_to_use():
    assert run(lambda: add_up_gradients(make_model(), False)) == [False, False]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_reaches_all_processes(value):
    def add_up_spoilt():
        model = make_model()
        gradient = numpy.zeros((ROWS, 3), dtype="f")
        gradient[3, own_rank()] = value * own_rank()
        model.layers[0].set_grad("E", gradient)
        add_up_gradients(model, True)
        return numpy.isfinite(model.layers[0].get_grad("E")).all()

    assert not any(run(add_up_spoilt))


def test_all_skip_the_step_if_mixed_precision_overflows_in_one():
    def overflow_in_one():
        shim = make_model().layers[2].shims[0]
        model = Model("lstm", lambda *_: None, shims=[shim])
        shim.has_overflown = own_rank() == 1
        parameter = next(shim.module.parameters())
        parameter.grad = torch.ones_like(parameter)
        add_up_gradients(model, True)
        return list(shim.learned_parameters())

    assert run(overflow_in_one) == [[], []]


def test_weights_are_taken_from_the_first_unless_their_shapes_differ():
    def take():
        model = Linear(nO=2, nI=3).initialize()
        model.set_param("W", numpy.full((2, 3), own_rank(), dtype="f"))
        before = have_same_weights([model])
        taken = take_weights_from_first(model)
        other = Linear(nO=2 + own_rank(), nI=3).initialize()
        refused = take_weights_from_first(other)
        return before, taken, have_same_weights([model]), refused, model.get_param("W").sum()

    assert run(take) == [(False, True, True, False, 0.0)] * 2


def test_a_difference_of_one_bit_is_seen():
    def change():
        model = Linear(nO=2, nI=3).initialize()
        model.set_param("W", numpy.ones((2, 3), dtype="f"))
        if own_rank() == 1:
            model.get_param("W")[1, 2] = numpy.nextafter(numpy.float32(1), numpy.float32(2))
        return have_same_weights([model])

    assert run(change) == [False, False]


def test_numbers_are_added_up_and_compared_and_values_exchanged():
    def exchange():
        rank = own_rank()
        numbers = add_up(rank, 0.5, 1e300)
        return numbers, all_have(7), all_have(rank), value_of_first(rank), values_of_all([rank])

    assert run(exchange) == [([1, 1.0, 2e300], True, False, 0, [[0], [1]])] * 2


def test_a_process_that_trains_alone_keeps_what_it_has():
    model = make_model()
    assert add_up(1.0, 2.0) == [1.0, 2.0]
    assert all_have(3)
    assert value_of_first("own") == "own"
    assert values_of_all("own") == ["own"]
    assert take_weights_from_first(model)
    assert have_same_weights([model])
    assert add_up_gradients(model, True)
    assert not add_up_gradients(model, False)
