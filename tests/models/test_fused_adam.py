"""The fused update of a model's weights, against Thinc's own."""

from pathlib import Path

import numpy
import pytest
import spacy
from spacy.util import load_config, registry
from thinc.api import SGD, Adam, Linear, Model, Optimizer, RAdam, Relu, chain, fix_random_seed

from spacy_attn.models.fused_adam import FusedAdam, FusedAdam_v1, finish_update

from ..conftest import make_examples, make_nlp

ROOT = Path(__file__).parents[2]


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
    "settings",
    [
        {},
        {"use_averages": False, "grad_clip": 0.0, "L2": 0.0},
        {"L2": 0.01, "L2_is_weight_decay": False},
        {"L2": 0.02},
    ],
)
def test_weights_and_averages_become_nearly_what_thincs_adam_makes_of_them(settings):
    one, other = Adam(0.01, **settings), FusedAdam_v1(0.01, **settings)
    expected = train(lambda model, optimizer: model.finish_update(optimizer), one)
    found = train(finish_update, other)
    for a, b in zip(arrays_of(expected, one), arrays_of(found, other), strict=True):
        numpy.testing.assert_allclose(b, a, atol=1e-3)
    assert abs(expected.layers[1].get_param("W")).max() > 0.1


def test_it_goes_on_from_the_state_that_thinc_left_and_back():
    optimizer, expected_optimizer = FusedAdam_v1(0.01), Adam(0.01)

    def alternate(model, optimizer):
        key = (model.layers[0].id, "W")
        update = finish_update if optimizer.nr_update[key] % 3 else type(model).finish_update
        update(model, optimizer)

    expected = train(lambda model, optimizer: model.finish_update(optimizer), expected_optimizer)
    found = train(alternate, optimizer)
    pairs = zip(arrays_of(expected, expected_optimizer), arrays_of(found, optimizer), strict=True)
    for a, b in pairs:
        numpy.testing.assert_allclose(b, a, atol=1e-3)


@pytest.mark.parametrize(
    "make", [Adam, SGD, RAdam, lambda rate: Adam(rate, L2=0.02, L2_is_weight_decay=False)]
)
def test_every_other_optimizer_makes_its_own_step_to_the_bit(make):
    one, other = make(0.01), make(0.01)
    expected = train(lambda model, optimizer: model.finish_update(optimizer), one)
    found = train(finish_update, other)
    for a, b in zip(arrays_of(expected, one), arrays_of(found, other), strict=True):
        numpy.testing.assert_array_equal(b, a)


def train_component(sgd):
    nlp = make_nlp()
    for _ in range(10):
        nlp.update(make_examples(nlp), sgd=sgd)
    with nlp.use_params(sgd.averages):
        return nlp("great fun and a joy").cats["positive"]


def test_a_component_trains_nearly_as_with_thincs_adam():
    assert train_component(FusedAdam_v1(0.01)) == pytest.approx(
        train_component(Adam(0.01)), abs=1e-4
    )


def test_the_adam_of_a_config_is_thincs_and_the_fused_one_is_found_by_its_name():
    nlp = spacy.blank("en")
    assert type(nlp.create_optimizer()) is Optimizer
    settings = nlp.config["training"]["optimizer"]
    fused = {**settings, "@optimizers": "spacy-attn.FusedAdam.v1"}
    found = registry.resolve({"optimizer": fused}, validate=True)["optimizer"]
    assert type(found) is FusedAdam
    assert (found.learn_rate, found.L2, found.averages) == (0.001, 0.01, None)


def test_other_components_make_thincs_step_with_the_fused_optimizer():
    one, other = Adam(0.01, L2=0.02), FusedAdam_v1(0.01, L2=0.02)
    step = Model.finish_update
    expected, found = train(step, one), train(step, other)
    for a, b in zip(arrays_of(expected, one), arrays_of(found, other), strict=True):
        numpy.testing.assert_array_equal(b, a)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.cfg")), ids=lambda p: p.stem)
def test_the_shipped_configs_name_the_step_that_they_are_measured_with(path):
    name = load_config(path)["training"]["optimizer"]["@optimizers"]
    assert name == ("Adam.v1" if path.stem == "baseline" else "spacy-attn.FusedAdam.v1")
