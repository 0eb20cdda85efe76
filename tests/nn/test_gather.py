import torch

from spacy_attn.nn.gather import gather


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
