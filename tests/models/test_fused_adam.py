"""The fused update of a model's weights, against Thinc's own."""

import numpy
import pytest
from thinc.api import SGD, Adam, Linear, RAdam, Relu, chain, fix_random_seed

from spacy_attn.models import fused_adam
from spacy_attn.models.fused_adam import finish_update

from ..conftest import make_examples, make_nlp


def train(update, optimizer, steps=100):
    fix_random_seed(0)
    model = chain(Relu(8, 5), Linear(3, 8))
    model.initialize()
    for step in range(steps):
        X, d_Y = numpy.random.normal(size=(6, 5)), numpy.random.normal(size=(6, 3))
        # Some gradients above the threshold of clipping and some below.
        _, backprop = model.begin_update(X.astype("f"))
        backprop((d_Y * (3.0 if step % 2 else 0.1)).astype("f"))
        update(model, optimizer)
    return model


def arrays_of(model, optimizer):
    for node in model.walk():
        for name in node.param_names:
            key = (node.id, name)
            yield node.get_param(name)
            if optimizer.averages is not None:
                yield optimizer.averages[key]
            assert optimizer.nr_update[key] == 100
            assert not node.get_grad(name).any()


@pytest.mark.parametrize(
    "make",
    [
        Adam,
        lambda rate: Adam(rate, use_averages=False, grad_clip=0.0, L2=0.0),
        lambda rate: Adam(rate, L2=0.01, L2_is_weight_decay=False),
        lambda rate: Adam(rate, L2=0.02),
        SGD,
        RAdam,
    ],
)
def test_weights_and_averages_become_what_thinc_makes_of_them(make):
    one, other = make(0.01), make(0.01)
    expected = train(lambda model, optimizer: model.finish_update(optimizer), one)
    found = train(finish_update, other)
    for a, b in zip(arrays_of(expected, one), arrays_of(found, other), strict=True):
        numpy.testing.assert_allclose(b, a, atol=1e-3)
    assert abs(expected.layers[1].get_param("W")).max() > 0.1


def test_it_goes_on_from_the_state_that_thinc_left_and_back():
    optimizer, expected_optimizer = Adam(0.01), Adam(0.01)

    def alternate(model, optimizer):
        key = (model.layers[0].id, "W")
        update = finish_update if optimizer.nr_update[key] % 3 else type(model).finish_update
        update(model, optimizer)

    expected = train(lambda model, optimizer: model.finish_update(optimizer), expected_optimizer)
    found = train(alternate, optimizer)
    pairs = zip(arrays_of(expected, expected_optimizer), arrays_of(found, optimizer), strict=True)
    for a, b in pairs:
        numpy.testing.assert_allclose(b, a, atol=1e-3)


def test_a_component_trains_as_with_thincs_update(monkeypatch):
    def train_component():
        nlp = make_nlp()
        sgd = nlp.create_optimizer()
        sgd.L2 = 0.0
        for _ in range(10):
            nlp.update(make_examples(nlp), sgd=sgd)
        with nlp.use_params(sgd.averages):
            return nlp("great fun and a joy").cats["positive"]

    fused = train_component()
    monkeypatch.setattr(fused_adam, "_is_adam", lambda optimizer: False)
    assert train_component() == pytest.approx(fused, abs=1e-4)
