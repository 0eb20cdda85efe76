import torch

from spacy_attn.nn.tanh import tanh


def test_it_gives_what_torch_gives():
    values = torch.linspace(-20, 20, 10_001).view(-1, 1, 1)
    expected = torch.tanh(values)
    with torch.no_grad():
        torch.testing.assert_close(tanh(values), expected)


def test_gradients_are_torchs_own():
    inputs = torch.randn(400, 16, requires_grad=True)
    expected = torch.autograd.grad(torch.tanh(inputs).sum(), inputs)[0]
    assert torch.equal(torch.autograd.grad(tanh(inputs).sum(), inputs)[0], expected)


def test_other_precisions_are_left_to_torch():
    values = torch.randn(400, 16, dtype=torch.bfloat16)
    with torch.no_grad():
        assert torch.equal(tanh(values), torch.tanh(values))
