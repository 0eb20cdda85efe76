"""Attention of any number of queries over the keys of a document."""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Scoring = Literal["dot", "scaled_dot", "general", "additive", "additive_query"]
SCORINGS: tuple[str, ...] = get_args(Scoring)


class Attention(nn.Module):
    r"""Softmax attention with the scoring functions of the literature.

    For a query q and keys h_1 .. h_T, all of width D:

    .. math::
        a = \mathrm{softmax}(s_1 .. s_T), \quad c = \sum_t a_t h_t

    ================== =============================== =============================================
    `scoring`          s_t                             source
    ================== =============================== =============================================
    `dot`              h·q                             Luong et al. 2015
    `scaled_dot`       h·q / sqrt(D)                   Vaswani et al. 2017
    `general`          h·(W q)                         Luong et al. 2015
    `additive`         v·tanh(W h), without the query  Yang et al. 2016, Lin et al. 2017
    `additive_query`   v·tanh(W h + U q)               Bahdanau et al. 2015
    ================== =============================== =============================================

    width: Width D of the keys and queries.
    scoring: Name of the scoring function.
    """

    def __init__(self, width: int, scoring: Scoring = "dot") -> None:
        super().__init__()
        self.scoring = scoring
        self.scale = 1.0 / math.sqrt(width) if scoring == "scaled_dot" else 1.0
        if scoring == "general":
            self.query = nn.Linear(width, width, bias=False)
        elif scoring in ("additive", "additive_query"):
            self.key = nn.Linear(width, width)
            self.energy = nn.Linear(width, 1, bias=False)
        if scoring == "additive_query":
            self.query = nn.Linear(width, width, bias=False)

    def forward(self, keys: Tensor, queries: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Attend.

        keys: Shape (B, T, D).
        queries: Shape (B, Q, D).
        mask: Which keys there are, shape (B, T); at least one in every row.
        RETURNS: Contexts, shape (B, Q, D), and weights, shape (B, Q, T): at least 0, summing to 1
            over T, exactly 0 where the mask is False.
        """
        scores = self.scores(keys, queries)
        scores = scores.masked_fill(~mask.unsqueeze(1), -math.inf)
        # In double precision: over 100,000 keys, single precision is off by more than 1e-5.
        weights = torch.softmax(scores, dim=-1, dtype=torch.float64).to(
            torch.promote_types(scores.dtype, torch.float32)
        )
        return torch.bmm(weights.to(keys.dtype), keys), weights

    def scores(self, keys: Tensor, queries: Tensor) -> Tensor:
        """The scores s before the softmax, shape (B, Q, T), arbitrary where keys are padding."""
        if self.scoring == "additive":
            energies = self.energy(torch.tanh(self.key(keys))).transpose(1, 2)
            return energies.expand(-1, queries.shape[1], -1)
        if self.scoring == "additive_query":
            combined = self.key(keys).unsqueeze(1) + self.query(queries).unsqueeze(2)
            return self.energy(torch.tanh(combined)).squeeze(-1)
        if self.scoring == "general":
            queries = self.query(queries)
        return torch.bmm(queries, keys.transpose(1, 2)) * self.scale
