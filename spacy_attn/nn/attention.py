"""Attention of any number of queries over the keys of each document."""

import math
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .batching import Layout
from .fast_ops import tanh

Scoring = Literal["dot", "scaled_dot", "general", "additive", "additive_query", "uniform"]
SCORINGS: tuple[str, ...] = get_args(Scoring)


class Attention(nn.Module):
    r"""Softmax attention with the scoring functions of the literature.

    For a query q and keys h_1 .. h_T of the same document:

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
    `uniform`          0: the mean of the keys         a baseline, as in Wiegreffe and Pinter 2019
    ================== =============================== =============================================

    Args:
        width: Width D of the keys.
        scoring: Name of the scoring function.
        hidden_width: Length of v, the width in which the additive functions compare; None for D.
        query_width: Width of the queries, which "dot" and "scaled_dot" need to be D; None for D.
    """

    def __init__(
        self,
        width: int,
        scoring: Scoring = "dot",
        hidden_width: int | None = None,
        query_width: int | None = None,
    ) -> None:
        super().__init__()
        hidden_width = hidden_width or width
        query_width = query_width or width
        self.scoring = scoring
        self.scale = 1.0 / math.sqrt(width) if scoring == "scaled_dot" else 1.0
        # Whatever `torch.set_default_dtype` has been given.
        linear = partial(nn.Linear, dtype=torch.float32)
        if scoring == "general":
            self.query = linear(query_width, width, bias=False)
        elif scoring in ("additive", "additive_query"):
            self.key = linear(width, hidden_width)
            self.energy = linear(hidden_width, 1, bias=False)
        if scoring == "additive_query":
            self.query = linear(query_width, hidden_width, bias=False)

    def forward(
        self,
        keys: Tensor,
        queries: Tensor,
        documents: Layout,
        evidence: Tensor | None = None,
        compared: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Average the keys of each document by weights that follow its queries.

        Args:
            keys: Of the tokens of all documents, concatenated, shape (N, D).
            queries: Of each document, shape (B, Q, query_width).
            documents: Which keys belong to which of the B documents.
            evidence: What is added to the score of each key, whatever the query, shape (N,).
            compared: What `compared` returns of the keys, for whoever asks more than once.

        Returns:
            Contexts, shape (B, Q, D), 0 for a document without keys; and weights, shape (N, Q): at
            least 0, summing to 1 over the keys of a document.
        """
        scores = self.scores(keys, queries, documents, compared)
        if evidence is not None:
            scores = scores + evidence.unsqueeze(1)
        weights = _softmax(scores, documents)
        weights = weights.to(torch.promote_types(keys.dtype, torch.float32))
        return _weighted_sums(keys, weights.to(keys.dtype), documents), weights

    def padded(
        self, keys: Tensor, queries: Tensor, evidence: Tensor, compared: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Do the same where the keys of B documents are padded to the same number T.

        It is faster, for many queries above all, but takes memory for the padding.

        Args:
            keys: Shape (B, T, D).
            queries: Of each document, shape (B, Q, query_width).
            evidence: What is added to the score of each key, whatever the query, shape (B, T).
                Minus infinity marks padding, which no document is alone.
            compared: What `compared` returns of the keys, shape (B, T, width).

        Returns:
            Contexts, shape (B, Q, D), and weights, shape (B, Q, T), which are 0 at padding.
        """
        compared = self._compared_keys(keys, compared)
        scores = self._compare(compared, self._compared_queries(queries)) + evidence.unsqueeze(1)
        # Along rows, torch adds up so that single precision is enough.
        weights = torch.softmax(scores, dim=2, dtype=torch.promote_types(keys.dtype, torch.float32))
        return weights.to(keys.dtype) @ keys, weights

    def compared(self, keys: Tensor) -> Tensor:
        """Return what is compared of the keys, whatever the query, shape (..., width)."""
        return self.key(keys) if self.scoring in ("additive", "additive_query") else keys

    def scores(
        self, keys: Tensor, queries: Tensor, documents: Layout, compared: Tensor | None = None
    ) -> Tensor:
        """Return the scores s before the softmax, shape (N, Q)."""
        compared = self._compared_keys(keys, compared)
        queries = self._compared_queries(queries)
        # Of one document, the queries need no copies.
        if len(documents) == 1:
            return self._compare(compared.unsqueeze(0), queries).squeeze(0).T
        queries = queries.index_select(0, documents.of_token)
        return self._compare(compared.unsqueeze(1), queries).squeeze(2)

    def _compared_keys(self, keys: Tensor, compared: Tensor | None) -> Tensor:
        """Return what is compared of the keys; where only `tanh` reads it, it may overwrite it."""
        if compared is None:
            return self.compared(keys)
        return compared.clone() if self.scoring == "additive" else compared

    def _compared_queries(self, queries: Tensor) -> Tensor:
        """Return what is compared of the queries, shape (..., width)."""
        if self.scoring in ("general", "additive_query"):
            return self.query(queries)
        return queries * self.scale if self.scoring == "scaled_dot" else queries

    def _compare(self, compared: Tensor, queries: Tensor) -> Tensor:
        """Return the scores of keys, (B, T, width), for queries, (B, Q, width), as (B, Q, T)."""
        n_queries = queries.shape[1]
        if self.scoring == "uniform":
            return compared.new_zeros(1, 1, 1).expand(len(compared), n_queries, compared.shape[1])
        if self.scoring == "additive":
            return self.energy(tanh(compared)).transpose(1, 2).expand(-1, n_queries, -1)
        if self.scoring == "additive_query":
            return self.energy(tanh(compared.unsqueeze(1) + queries.unsqueeze(2))).squeeze(3)
        return torch.bmm(queries, compared.transpose(1, 2))


def _softmax(scores: Tensor, documents: Layout) -> Tensor:
    """Softmax over the keys of each document, shape (N, Q), in double precision.

    Over 100,000 keys, single precision is off by more than 1e-5.
    """
    scores = scores.double()
    if len(documents) == 1:
        return torch.softmax(scores, dim=0)
    shape = (len(documents), scores.shape[1])
    index = documents.of_token.unsqueeze(1).expand_as(scores)
    # Against overflow; constant, since the softmax is the same whatever is subtracted.
    largest = scores.new_zeros(shape).scatter_reduce(
        0, index, scores.detach(), "amax", include_self=False
    )
    exponentials = torch.exp(scores - largest.index_select(0, documents.of_token))
    sums = scores.new_zeros(shape).scatter_add(0, index, exponentials)
    return exponentials / sums.index_select(0, documents.of_token)


def _weighted_sums(keys: Tensor, weights: Tensor, documents: Layout) -> Tensor:
    """The sums of each document's keys under the weights of each query, shape (B, Q, D).

    A bag of embeddings is several times faster on a CPU than adding up weighted keys.
    """
    if len(documents) == 1:
        return (weights.T @ keys).unsqueeze(0)
    n_keys, n_queries = weights.shape
    rows = torch.arange(n_keys, device=keys.device).repeat(n_queries)
    first = torch.arange(n_queries, device=keys.device).unsqueeze(1) * n_keys + documents.starts
    sums = F.embedding_bag(
        rows, keys, first.flatten(), mode="sum", per_sample_weights=weights.T.flatten()
    )
    return sums.view(n_queries, len(documents), -1).transpose(0, 1)
