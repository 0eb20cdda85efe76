import pytest
import torch

from spacy_attn.nn.fast_ops import gather, largest, tanh


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


def test_gathering_has_the_gradient_of_index_select():
    rows = torch.randn(3, 2, requires_grad=True)
    other = rows.detach().clone().requires_grad_()
    index, weights = torch.tensor([2, 0, 1]), torch.randn(3, 2)
    result, expected = (
        gather([rows], [index], [torch.tensor([1, 2, 0])]),
        other.index_select(0, index),
    )
    assert torch.equal(result, expected)
    (result * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.equal(rows.grad, other.grad)


def test_rows_of_two_tensors_stand_side_by_side_with_rows_unread():
    pair = [torch.randn(5, 3, requires_grad=True) for _ in range(2)]
    other = [rows.detach().clone().requires_grad_() for rows in pair]
    indices, weights = (torch.tensor([4, 0, 2]), torch.tensor([2, 0, 4])), torch.randn(3, 6)
    # Rows 1 and 3 are not read: where their gradient is looked up must not matter.
    inverses = torch.tensor([1, 0, 2, 2, 0]), torch.tensor([1, 0, 0, 2, 2])
    result = gather(pair, indices, inverses, torch.tensor([1, 3]))
    selected = [rows.index_select(0, index) for rows, index in zip(other, indices, strict=True)]
    assert torch.equal(result, torch.cat(selected, dim=1))
    (result * weights).sum().backward()
    (torch.cat(selected, dim=1) * weights).sum().backward()
    for rows, expected in zip(pair, other, strict=True):
        assert torch.equal(rows.grad, expected.grad)


def test_a_row_read_twice_has_the_gradient_of_the_place_that_has_one():
    rows = torch.randn(2, 3, requires_grad=True)
    result = gather([rows], [torch.tensor([0, 1, 1])], [torch.tensor([0, 1])])
    (result * torch.tensor([[2.0], [3.0], [0.0]])).sum().backward()
    assert rows.grad.tolist() == [[2.0] * 3, [3.0] * 3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_largest_values_and_their_places_are_those_of_torch(dtype):
    values = torch.randn(4, 2, 50).to(dtype)
    found, places = largest(values)
    expected, expected_places = values.max(-1)
    assert torch.equal(found, expected)
    assert torch.equal(places, expected_places)
