import torch

from spacy_attn.nn.fast_ops import gather, tanh


def test_tanh_gives_what_torch_gives():
    values = torch.linspace(-20, 20, 10_001).view(-1, 1, 1)
    expected = torch.tanh(values)
    with torch.no_grad():
        torch.testing.assert_close(tanh(values), expected)


def test_gradients_of_tanh_are_torchs_own():
    inputs = torch.randn(400, 16, requires_grad=True)
    expected = torch.autograd.grad(torch.tanh(inputs).sum(), inputs)[0]
    assert torch.equal(torch.autograd.grad(tanh(inputs).sum(), inputs)[0], expected)


def test_other_precisions_are_left_to_torch():
    values = torch.randn(400, 16, dtype=torch.bfloat16)
    with torch.no_grad():
        assert torch.equal(tanh(values), torch.tanh(values))


def test_gathering_back_has_the_gradient_of_index_select_with_rows_unread():
    rows = torch.randn(5, 3, requires_grad=True)
    other = rows.detach().clone().requires_grad_()
    index, weights = torch.tensor([4, 0, 2]), torch.randn(3, 3)
    # Rows 1 and 3 are not read: where their gradient is looked up must not matter.
    inverse, unread = torch.tensor([1, 0, 2, 2, 0]), torch.tensor([1, 3])
    result, expected = gather(rows, index, inverse, unread), other.index_select(0, index)
    assert torch.equal(result, expected)
    (result * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.equal(rows.grad, other.grad)


def test_a_row_read_twice_has_the_gradient_of_the_place_that_has_one():
    rows = torch.randn(2, 3, requires_grad=True)
    result = gather(rows, torch.tensor([0, 1, 1]), torch.tensor([0, 1]))
    (result * torch.tensor([[2.0], [3.0], [0.0]])).sum().backward()
    assert rows.grad.tolist() == [[2.0] * 3, [3.0] * 3]
