import torch

from spacy_attn.nn.lstm_step import LstmStep


def test_steps_are_those_of_torchs_lstm_and_so_are_the_gradients():
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(3, 4)
    inputs, hidden, cell = torch.randn(5, 6, 3), torch.randn(1, 6, 4), torch.randn(1, 6, 4)
    expected, (_, last_cell) = lstm(inputs, (hidden, cell))
    step, found = LstmStep(lstm), []
    state = hidden[0], cell[0]
    for each in inputs:
        state = step(each.split([2, 1], dim=1), *state)
        found.append(state[0])
    torch.testing.assert_close(torch.stack(found), expected)
    torch.testing.assert_close(state[1], last_cell[0])
    parameters = list(lstm.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(torch.stack(found).square().sum(), parameters),
        torch.autograd.grad(expected.square().sum(), parameters),
    )
