"""One step of an LSTM, for whoever learns only after it what the next step reads."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class LstmStep:
    r"""Computes what a `torch.nn.LSTM` of one layer does for a sequence of length 1, to rounding.

    .. math::
        [i; f; o] &= \sigma(W x + U s + b), \quad g = \tanh(W_g x + U_g s + b_g) \\
        c' &= f c + i g, \quad s' = o \tanh(c')

    A call of the LSTM itself takes several times as long on a CPU, where there are few sequences:
    it prepares its weights anew each time.
    """

    def __init__(self, lstm: nn.LSTM) -> None:
        of_input, of_state, input_bias, state_bias = lstm.all_weights[0]
        # Transposed, since a product with few rows is faster so.
        self._weight = self._sorted(torch.cat((of_input, of_state), dim=1)).T.contiguous()
        self._bias = self._sorted(input_bias + state_bias)

    @staticmethod
    def _sorted(weight: Tensor) -> Tensor:
        """Put the part of g behind those of the three gates, which then are one block."""
        i, f, g, o = weight.chunk(4)
        return torch.cat((i, f, o, g))

    def __call__(
        self, inputs: Sequence[Tensor], hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the next hidden state and cell, shape (R, H), of the present ones.

        Args:
            inputs: What is read, in parts, shape (R, width) each.
            hidden: The present state.
            cell: The present cell.
        """
        read = torch.addmm(self._bias, torch.cat((*inputs, hidden), dim=1), self._weight)
        gates, new = read.split([3 * cell.shape[1], cell.shape[1]], dim=1)
        take, keep, show = torch.sigmoid(gates).chunk(3, dim=1)
        cell = keep * cell + take * torch.tanh(new)
        return show * torch.tanh(cell), cell
