import contextlib
import copy
import pickle

import numpy
import pytest
import torch
from thinc.api import Adam, ArgsKwargs

from spacy_attn.models.attention_classifier import attention_classifier, build_module
from spacy_attn.models.shim import TorchShim

SETTINGS = {
    "hidden_width": 4,
    "depth": 1,
    "dropout": None,
    "attention": "additive",
    "mixed_precision": False,
    "grad_scaler_config": None,
}


def make(n_labels=2, width=3):
    model = attention_classifier(**SETTINGS)
    model.set_dim("nI", width)
    model.set_dim("nO", n_labels)
    return model.initialize()


def documents(seed=0, width=3):
    generator = numpy.random.default_rng(seed)
    return [generator.normal(size=(n, width)).astype("f") for n in (3, 1, 5)]


def step(model, optimizer):
    (logits, _), backprop = model.begin_update(documents())
    backprop(logits - 1.0)
    model.finish_update(optimizer)


def weights(model) -> dict[str, numpy.ndarray]:
    return {
        name: value.numpy().copy() for name, value in model.shims[0].module.state_dict().items()
    }


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        numpy.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_averaged_weights_are_the_running_mean_and_are_put_back_afterwards():
    model, optimizer = make(), Adam(0.1, use_averages=True)
    seen = []
    for _ in range(4):
        step(model, optimizer)
        seen.append(weights(model))
    with model.use_params(optimizer.averages):
        averaged = weights(model)
    # Thinc's moving average: its decay grows from 2/11 towards 0.9999.
    expected, decay = {name: 0.0 * value for name, value in seen[0].items()}, 0.9999
    for t, snapshot in enumerate(seen, start=1):
        rate = min(decay, (1.0 + t) / (10.0 + t))
        for name, value in snapshot.items():
            expected[name] = rate * expected[name] + (1 - rate) * value
    for name, value in averaged.items():
        numpy.testing.assert_allclose(value, expected[name], atol=1e-5, err_msg=name)
        assert not numpy.allclose(value, seen[-1][name])
    assert_equal(weights(model), seen[-1])


def test_weights_are_put_back_after_an_error_under_averaged_ones():
    model, optimizer = make(), Adam(0.1, use_averages=True)
    step(model, optimizer)
    before = weights(model)
    with pytest.raises(RuntimeError), model.use_params(optimizer.averages):
        raise RuntimeError
    assert_equal(weights(model), before)


def test_resizing_within_training_starts_fresh_optimizer_state():
    from spacy_attn.models.attention_classifier import resize

    model, optimizer = make(), Adam(0.1, use_averages=True)
    step(model, optimizer)
    resize(model, 4, lambda bias: -1.0)
    step(model, optimizer)  # moments of the old shape would fail here
    with model.use_params(optimizer.averages):
        assert weights(model)["head.bias"].shape == (4,)


def test_weights_are_stored_as_safetensors_and_rebuilt_from_stored_sizes():
    model = make(n_labels=5, width=7)
    data = model.to_bytes()
    other = attention_classifier(**{**SETTINGS, "hidden_width": 99}).from_bytes(data)
    assert_equal(weights(model), weights(other))
    inputs = documents(width=7)
    for left, right in zip(model.predict(inputs)[0], other.predict(inputs)[0], strict=True):
        numpy.testing.assert_array_equal(left, right)
    assert other.to_bytes() == data


def test_loading_unpickles_nothing(monkeypatch):
    data = make().to_bytes()

    def refuse(*args, **kwargs):
        raise AssertionError("something was unpickled")

    monkeypatch.setattr(torch, "load", refuse)
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    attention_classifier(**SETTINGS).from_bytes(data)


def test_a_model_without_weights_round_trips_too():
    model = attention_classifier(**SETTINGS)
    other = attention_classifier(**SETTINGS).from_bytes(model.to_bytes())
    assert not other.shims[0].has_module


def test_a_copy_has_the_same_weights_under_another_id():
    model = make()
    for copied in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_equal(weights(model), weights(copied))
    assert model.copy().shims[0].id != model.shims[0].id


def test_initialising_again_makes_new_weights():
    model = make()
    before = weights(model)
    model.initialize()
    assert not numpy.allclose(before["head.weight"], weights(model)["head.weight"])


class StandInScaler:
    """What a gradient scaler does on a GPU, on a CPU."""

    found_inf = False

    def to_(self, device):
        pass

    def scale(self, tensors):
        return [tensor * 1024.0 for tensor in tensors]

    def unscale(self, tensors):
        for tensor in tensors:
            tensor.div_(1024.0)
        return False

    def update(self):
        pass


def accumulated_gradient(model):
    for _ in range(2):
        (logits, _), backprop = model.begin_update(documents())
        backprop(logits - 1.0)
    return {name: p.grad.numpy() for name, p in model.shims[0].module.named_parameters()}


def test_scaling_leaves_gradients_of_earlier_batches_as_they_are(monkeypatch):
    model = make()
    expected = accumulated_gradient(copy.deepcopy(model))
    shim = model.shims[0]
    shim._grad_scaler = StandInScaler()
    monkeypatch.setattr(TorchShim, "_scales", True)
    monkeypatch.setattr(TorchShim, "_autocast", contextlib.nullcontext())
    actual = accumulated_gradient(model)
    for name, gradient in expected.items():
        numpy.testing.assert_allclose(actual[name], gradient, atol=1e-5, err_msg=name)


def test_mixed_precision_is_left_out_on_a_cpu():
    model = attention_classifier(**{**SETTINGS, "mixed_precision": True})
    model.set_dim("nI", 3)
    model.set_dim("nO", 2)
    model.initialize()
    step(model, Adam(0.1))
    assert model.predict(documents())[0].dtype == numpy.float32


def test_a_shim_without_weights_says_so():
    shim = TorchShim(build_module)
    with pytest.raises(ValueError, match="no weights yet: initialize or load"):
        shim.predict(ArgsKwargs((), {}))


def test_gradient_with_respect_to_the_token_vectors_agrees_with_finite_differences():
    model, inputs = make(), documents()
    # Averaged over the logits, so that float32 differences are well above rounding.
    (logits, _), backprop = model.begin_update(inputs)
    gradients = backprop(numpy.ones_like(logits))
    for document, gradient in zip(inputs, gradients, strict=True):
        for index in numpy.ndindex(*document.shape):
            original = document[index]
            document[index] = original + 1e-2
            above = model.predict(inputs)[0].sum()
            document[index] = original - 1e-2
            below = model.predict(inputs)[0].sum()
            document[index] = original
            assert gradient[index] == pytest.approx((above - below) / 2e-2, abs=2e-3)


@pytest.mark.parametrize(
    ("own", "rate", "varies"),
    [(None, 0.5, True), (None, 0.0, False), (0.0, 0.5, False), (0.5, 0.0, True)],
)
def test_dropout_follows_the_rate_set_on_the_model_unless_it_has_one_of_its_own(own, rate, varies):
    from thinc.api import set_dropout_rate

    model = attention_classifier(**{**SETTINGS, "dropout": own})
    model.set_dim("nI", 3)
    model.set_dim("nO", 2)
    model.initialize()
    set_dropout_rate(model, rate)
    first, second = (model.begin_update(documents())[0][0] for _ in range(2))
    assert (not numpy.array_equal(first, second)) == varies
    # Prediction is never touched.
    numpy.testing.assert_array_equal(model.predict(documents())[0], model.predict(documents())[0])
