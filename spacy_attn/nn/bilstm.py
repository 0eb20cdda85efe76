"""Bidirectional LSTM over padded documents, exact without packed sequences."""

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from .batching import SubBatch, sub_batches
from .fast_ops import dropout as dropout_values
from .fast_ops import gather
from .stored import Shapes, StoredModule


class BiLSTM(StoredModule):
    r"""Bidirectional LSTM in which no document sees padding or another document.

    Each direction is a one-directional LSTM over a right-padded batch. The backward direction reads
    every document reversed within its own length, and its outputs are put back in order:

    .. math::
        h_t = [\overrightarrow{\mathrm{LSTM}}(x)_t ; \overleftarrow{\mathrm{LSTM}}(x)_t]

    Padding thus always comes after the last token and cannot reach it. The result equals that of a
    packed bidirectional `torch.nn.LSTM` (whose equations hold here) to rounding, at the speed of a
    padded one.

    Args:
        input_width: Width of the token vectors.
        hidden_width: Width H of each direction's hidden states.
        depth: Number of layers; each reads the concatenated outputs of the one below.
    """

    def __init__(self, input_width: int, hidden_width: int, depth: int = 1) -> None:
        super().__init__()
        self.sizes = {"input_width": input_width, "hidden_width": hidden_width, "depth": depth}
        widths = [input_width] + [2 * hidden_width] * (depth - 1)
        # Whatever `torch.set_default_dtype` has been given.
        lstm = partial(nn.LSTM, hidden_size=hidden_width, dtype=torch.float32)
        self.forwards = nn.ModuleList(lstm(width) for width in widths)
        self.backwards = nn.ModuleList(lstm(width) for width in widths)

    @classmethod
    def weight_shapes(cls, input_width: int, hidden_width: int, depth: int = 1) -> Shapes:  # type: ignore[override]
        # Layer by layer, so that a depth without the weights for it ends with the first of them.
        for layer in range(depth):
            with torch.device("meta"):
                lstm = nn.LSTM(2 * hidden_width if layer else input_width, hidden_width)
            for direction in ("forwards", "backwards"):
                for name, weight in lstm.state_dict().items():
                    yield f"{direction}.{layer}.{name}", weight.shape

    def forward(self, tokens: Tensor, lengths: Sequence[int], dropout: float = 0.0) -> Tensor:
        """Encode documents of any length. A document's states depend on that document alone.

        Args:
            tokens: Vectors of the tokens of all documents, concatenated, shape (N, input_width), N
                at least 1.
            lengths: Number of tokens of each document, adding up to N; 0 is allowed.
            dropout: Rate for the token vectors and between layers; 0 in prediction.

        Returns:
            Hidden states h of the top layer, shape (N, 2H).
        """
        groups = sub_batches(lengths, tokens.device)
        # From the order of the batch to that of the sub-batches, and back.
        order = torch.cat([group.tokens for group in groups])
        place = order.argsort()
        parts = gather([tokens], [order], [place]).split([len(group.tokens) for group in groups])
        hidden = [
            self.encode(part, group, dropout) for part, group in zip(parts, groups, strict=True)
        ]
        return gather([torch.cat(hidden)], [place], [order])

    def encode(
        self, tokens: Tensor, group: SubBatch, dropout: float = 0.0, rows: Tensor | None = None
    ) -> Tensor:
        """Encode the documents of one sub-batch.

        Args:
            tokens: Vectors of its tokens, in its own order, shape (N, input_width).
            rows: Which of the vectors each of its tokens has, shape (N,), where these do not lie in
                that order: for prediction, which then makes no copy of them before it pads.

        Returns:
            Their hidden states, shape (N, 2H).
        """
        steps = [group.forward, group.backward]
        after = [group.after_forward, group.after_backward]
        read = steps if rows is None else [rows[step] for step in steps]
        hidden = tokens
        for lstms in zip(self.forwards, self.backwards, strict=True):
            hidden = dropout_values(hidden, dropout)
            padded = [
                gather([hidden], [step.flatten()], [place]).view(*step.shape, -1)
                for step, place in zip(read, after, strict=True)
            ]
            states = [
                hidden_states(inputs, [lstm]).flatten(0, 1)
                for inputs, lstm in zip(padded, lstms, strict=True)
            ]
            # The padding is taken out again.
            hidden = gather(states, after, [step.flatten() for step in steps], group.padding)
            read = steps
        # In mixed precision, back to the precision that gradients are scaled in.
        return hidden.to(tokens.dtype)


def hidden_states(padded: Tensor, lstms: Sequence[nn.Module]) -> Tensor:
    """Return the hidden states of one LSTM, or of pairs of directions, shape (T, B, H or 2H).

    Args:
        padded: Shape (T, B, width).
    """
    weights: list[Tensor] = [
        weight for lstm in lstms for weight in cast(nn.LSTM, lstm).all_weights[0]
    ]
    zeros = padded.new_zeros(len(lstms), padded.shape[1], weights[1].shape[1])
    hidden, *_ = torch.lstm(
        padded,
        (zeros, zeros),
        params=weights,
        has_biases=True,
        num_layers=max(1, len(lstms) // 2),
        dropout=0.0,
        # What the gradient needs, cuDNN keeps in training only. A module's own mode would be one
        # for all threads that use the model.
        train=torch.is_grad_enabled(),
        bidirectional=len(lstms) > 1,
        batch_first=False,
    )
    return hidden
