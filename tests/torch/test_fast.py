import pytest
import torch

from spacy_attn.torch.fast import _FEW_ROWS, linear, tanh


@pytest.mark.parametrize("rows", [0, 1, _FEW_ROWS, 3 * _FEW_ROWS])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_gives_what_the_layer_gives(rows, bias):
    torch.manual_seed(0)
    layer, inputs = torch.nn.Linear(16, 8, bias=bias), torch.randn(rows, 16)
    with torch.no_grad():
        found = linear(layer, inputs)
    assert found.layout == torch.strided
    torch.testing.assert_close(found, layer(inputs))


def test_tanh_gives_what_torch_gives():
    values = torch.linspace(-20, 20, 10_001).view(-1, 1, 1)
    expected = torch.tanh(values)
    with torch.no_grad():
        torch.testing.assert_close(tanh(values), expected)


def test_gradients_and_values_are_torchs_own_where_gradients_are_kept():
    torch.manual_seed(0)
    layer, inputs = torch.nn.Linear(16, 8), torch.randn(2 * _FEW_ROWS, 16, requires_grad=True)
    expected = torch.autograd.grad(torch.tanh(layer(inputs)).sum(), inputs)[0]
    found = torch.autograd.grad(tanh(linear(layer, inputs)).sum(), inputs)[0]
    assert torch.equal(found, expected)


def test_other_precisions_are_left_to_torch():
    values = torch.randn(2 * _FEW_ROWS, 16, dtype=torch.bfloat16)
    layer = torch.nn.Linear(16, 8, dtype=torch.bfloat16)
    with torch.no_grad():
        assert torch.equal(tanh(linear(layer, values)), torch.tanh(layer(values)))
