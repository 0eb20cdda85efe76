import contextlib
import copy
import pickle

import numpy
import pytest
import srsly
import torch
from thinc.api import Adam, ArgsKwargs, set_dropout_rate

from spacy_attn.models.attention_layer import attention_head, resize
from spacy_attn.models.bilstm_layer import bilstm_encoder
from spacy_attn.models.shim import TorchShim
from spacy_attn.nn.bilstm import BiLSTM

PRECISION = {"mixed_precision": False, "grad_scaler_config": None}
WIDTH = 4


def encoder(width=WIDTH, **settings):
    settings = {"hidden_width": 2, "depth": 1, "dropout": None, **PRECISION, **settings}
    model = bilstm_encoder(**settings)
    model.set_dim("nI", width)
    return model


def head(n_labels=2, **settings):
    settings = {"width": WIDTH, "attention": "additive", "dropout": None, **PRECISION, **settings}
    model = attention_head(attention_width=None, evidence=1.0, **settings)
    model.set_dim("nO", n_labels)
    return model


@pytest.fixture(params=[encoder, head])
def build(request):
    """What makes either layer that holds a torch module, without weights yet."""
    return request.param


@pytest.fixture
def model(build):
    return build().initialize()


def documents(seed=0, width=WIDTH):
    generator = numpy.random.default_rng(seed)
    return [generator.normal(size=(n, width)).astype("f") for n in (3, 1, 5)]


def begin_update(model, inputs=None):
    """RETURNS: All outputs in one array, and the callback from a gradient of that shape."""
    output, backprop = model.begin_update(documents() if inputs is None else inputs)
    if isinstance(output, tuple):
        return output[0], backprop
    ends = numpy.cumsum([len(x) for x in output])[:-1]
    return numpy.concatenate(output), lambda d: backprop(numpy.split(d, ends))


def predict(model, inputs=None):
    output = model.predict(documents() if inputs is None else inputs)
    return output[0] if isinstance(output, tuple) else numpy.concatenate(output)


def step(model, optimizer):
    output, backprop = begin_update(model)
    backprop(output - 1.0)
    model.finish_update(optimizer)


def weights(model) -> dict[str, numpy.ndarray]:
    return {
        name: value.numpy().copy() for name, value in model.shims[0].module.state_dict().items()
    }


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        numpy.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_averaged_weights_are_the_running_mean_and_are_put_back_afterwards(model):
    optimizer = Adam(0.1, use_averages=True)
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


def test_weights_are_put_back_after_an_error_under_averaged_ones(model):
    optimizer = Adam(0.1, use_averages=True)
    step(model, optimizer)
    before = weights(model)
    with pytest.raises(RuntimeError), model.use_params(optimizer.averages):
        raise RuntimeError
    assert_equal(weights(model), before)


def test_resizing_within_training_starts_fresh_optimizer_state():
    model, optimizer = head().initialize(), Adam(0.1, use_averages=True)
    step(model, optimizer)
    resize(model, 4, lambda bias: -1.0)
    step(model, optimizer)  # moments of the old shape would fail here
    with model.use_params(optimizer.averages):
        assert weights(model)["output.bias"].shape == (4,)


@pytest.mark.parametrize(
    ("model", "other"),
    [(encoder(width=7), encoder(width=7)), (head(n_labels=3), head(n_labels=3))],
    ids=["encoder", "head"],
)
def test_weights_are_stored_as_safetensors_and_rebuilt_from_stored_sizes(model, other):
    data = model.initialize().to_bytes()
    other.from_bytes(data)
    assert_equal(weights(model), weights(other))
    inputs = documents(width=model.get_dim("nI"))
    numpy.testing.assert_array_equal(predict(model, inputs), predict(other, inputs))
    assert other.to_bytes() == data


def test_loading_unpickles_nothing(build, model, monkeypatch):
    data = model.to_bytes()

    def refuse(*args, **kwargs):
        raise AssertionError("something was unpickled")

    monkeypatch.setattr(torch, "load", refuse)
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    build().from_bytes(data)


def stored(shim, **sizes):
    """The message that a shim stores, with other sizes than its module has."""
    message = srsly.msgpack_loads(shim.to_bytes())
    return srsly.msgpack_dumps({**message, "sizes": {**message["sizes"], **sizes}})


@pytest.mark.parametrize(
    ("build", "sizes", "message"),
    [
        (encoder, {"hidden_width": 10**6}, r"'forwards.0.weight_ih_l0' of shape \(4000000, 4\)"),
        (encoder, {"input_width": 10**9}, "'forwards.0.weight_ih_l0' of shape"),
        (encoder, {"depth": 10**9}, "need a weight 'forwards.1.weight_ih_l0', but none is stored"),
        (encoder, {"depth": 0}, "no place for the weights .*backwards.0.bias_hh_l0"),
        (head, {"attention": "general", "width": 10**6}, "need a weight 'attention.query.weight'"),
        (head, {"n_labels": 10**9}, "'output.weight' of shape"),
        (head, {"attention_width": 10**9}, "'attention.key.weight' of shape"),
    ],
)
def test_sizes_without_the_weights_for_them_are_refused_before_memory_is_taken(
    build, sizes, message
):
    shim = build().initialize().shims[0]
    with pytest.raises(ValueError, match=message):
        build().shims[0].from_bytes(stored(shim, **sizes))


def test_weights_of_another_type_are_refused(build, model):
    weight = next(model.shims[0].module.parameters())
    weight.data = weight.data.double()
    with pytest.raises(ValueError, match="must be of float32, but is of torch"):
        build().from_bytes(model.to_bytes())


def test_a_model_without_weights_round_trips_too(build):
    other = build().from_bytes(build().to_bytes())
    assert not other.shims[0].has_module


def test_a_copy_has_the_same_weights_under_another_id(model):
    for copied in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_equal(weights(model), weights(copied))
    assert model.copy().shims[0].id != model.shims[0].id


def test_initializing_again_makes_new_weights(model):
    before = weights(model)
    model.initialize()
    for name, value in weights(model).items():
        assert not numpy.allclose(before[name], value)


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
        output, backprop = begin_update(model)
        backprop(output - 1.0)
    return {name: p.grad.numpy() for name, p in model.shims[0].module.named_parameters()}


def test_scaling_leaves_gradients_of_earlier_batches_as_they_are(model, monkeypatch):
    expected = accumulated_gradient(copy.deepcopy(model))
    shim = model.shims[0]
    shim._grad_scaler = StandInScaler()
    monkeypatch.setattr(TorchShim, "_scales", True)
    monkeypatch.setattr(TorchShim, "_autocast", contextlib.nullcontext())
    actual = accumulated_gradient(model)
    for name, gradient in expected.items():
        numpy.testing.assert_allclose(actual[name], gradient, atol=1e-5, err_msg=name)


@pytest.fixture
def in_bfloat16():
    """Skips where the processor has no LSTM in bfloat16, as without AVX-512."""
    lstm = torch.nn.LSTM(WIDTH, 2)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            lstm(torch.zeros(1, 1, WIDTH))[0].sum().backward()
    except RuntimeError as error:
        pytest.skip(f"This processor cannot run torch's LSTM in bfloat16: {error}")


@pytest.mark.usefixtures("in_bfloat16")
def test_outputs_of_mixed_precision_and_their_gradients_are_in_single_precision(model, monkeypatch):
    monkeypatch.setattr(TorchShim, "_autocast", torch.autocast("cpu", dtype=torch.bfloat16))
    output, backprop = begin_update(model)
    assert output.dtype == numpy.float32
    for gradient in backprop(numpy.ones_like(output)):
        assert gradient.dtype == numpy.float32


def test_mixed_precision_is_left_out_on_a_cpu(build):
    model = build(mixed_precision=True).initialize()
    step(model, Adam(0.1))
    assert predict(model).dtype == numpy.float32


def test_a_shim_without_weights_says_so():
    shim = TorchShim(BiLSTM)
    with pytest.raises(ValueError, match="no weights yet: initialize or load"):
        shim.predict(ArgsKwargs((), {}))


def test_gradient_with_respect_to_the_input_agrees_with_finite_differences(model):
    inputs = documents()
    output, backprop = begin_update(model, inputs)
    gradients = backprop(numpy.ones_like(output))
    for document, gradient in zip(inputs, gradients, strict=True):
        for index in numpy.ndindex(*document.shape):
            original = document[index]
            document[index] = original + 1e-2
            above = predict(model, inputs).sum()
            document[index] = original - 1e-2
            below = predict(model, inputs).sum()
            document[index] = original
            assert gradient[index] == pytest.approx((above - below) / 2e-2, abs=2e-3)


@pytest.mark.parametrize("is_set", [False, True])
def test_gradients_take_subnormal_numbers_as_0_and_leave_the_setting_as_it_was(
    model, is_set, monkeypatch
):
    def takes_them_as_0():
        return bool(torch.tensor(1e-38) / 10 == 0)

    def backward(*arguments, **options):
        seen.append(takes_them_as_0())
        original(*arguments, **options)

    if not torch.set_flush_denormal(is_set):
        pytest.skip("this processor cannot")
    seen, original = [], torch.autograd.backward
    monkeypatch.setattr(torch.autograd, "backward", backward)
    try:
        output, backprop = begin_update(model)
        backprop(numpy.ones_like(output))
        assert seen == [True]
        assert takes_them_as_0() == is_set
    finally:
        torch.set_flush_denormal(False)


def test_documents_without_tokens_pass_through_forward_and_backward(model):
    for lengths in ([0, 0], [0, 2]):
        inputs = [numpy.ones((n, WIDTH), dtype="f") for n in lengths]
        output, backprop = begin_update(model, inputs)
        gradients = backprop(numpy.ones_like(output))
        assert [gradient.shape for gradient in gradients] == [(n, WIDTH) for n in lengths]


@pytest.mark.parametrize(
    ("own", "rate", "varies"),
    [(None, 0.5, True), (None, 0.0, False), (0.0, 0.5, False), (0.5, 0.0, True)],
)
def test_dropout_follows_the_rate_set_on_the_model_unless_it_has_one_of_its_own(
    build, own, rate, varies
):
    model = build(dropout=own).initialize()
    set_dropout_rate(model, rate)
    first, second = (begin_update(model)[0] for _ in range(2))
    assert (not numpy.array_equal(first, second)) == varies
    # Prediction is never touched.
    numpy.testing.assert_array_equal(predict(model), predict(model))


def test_gradients_are_scaled_alike_whatever_the_default_type_of_torch_is():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16)
    try:
        shim = TorchShim(BiLSTM, mixed_precision=True)
    finally:
        torch.set_default_dtype(before)
    assert shim._grad_scaler._scale.item() == 2.0**16  # which is infinite in half precision
