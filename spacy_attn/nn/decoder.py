"""LSTM decoder that attends to an encoder's states at every step, and may copy what was read.

It learns from targets that are given to it, and writes them by greedy or beam search.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, Scoring
from .batching import Layout
from .beam import Beam
from .fast_ops import dropout as dropout_values
from .head import final_states
from .stored import StoredModule

# The first two symbols of every target vocabulary. What comes before the first symbol of a target
# is its end, too: nothing else is ever read there.
END, UNKNOWN = 0, 1
# Where a padded target has no symbol.
PADDING = -1

# Whatever is not copied has a probability of 0, of which there is no logarithm.
_TINY = 1e-30


class Source(NamedTuple):
    """What has been read, and what a decoder computes of it once, of B sources with N symbols.

    Attributes:
        states: Hidden states of the encoder, concatenated, shape (N, D).
        compared: What attention compares of them, see `Attention.compared`.
        layout: Which states belong to which source.
        symbols: The symbol of each state in the target vocabulary, shape (N,). A source's symbols
            that this lacks are counted on from its size.
        context: What else is known of each source, shape (B, C).
        first: The first hidden state of the decoder, shape (B, H).
    """

    states: Tensor
    compared: Tensor
    layout: Layout
    symbols: Tensor
    context: Tensor
    first: Tensor


class Written(NamedTuple):
    """A sequence that was written.

    Attributes:
        symbols: Its symbols, without the end, shape (n,).
        log_probability: Of the symbols, and of the end where it has one.
        is_complete: Whether it has an end. Otherwise it was cut off at its longest allowed length.
        alignment: The weights of the source's symbols where each symbol was written, shape
            (n, n_source); at least 0, the rows sum to 1.
    """

    symbols: Tensor
    log_probability: float
    is_complete: bool
    alignment: Tensor


class _Memory(NamedTuple):
    """What Q targets of each source remember from one step to the next, shape (B, Q, ...)."""

    hidden: Tensor
    cell: Tensor
    attended: Tensor


class AttentionDecoder(StoredModule):
    r"""Writes a sequence of symbols, one after another, from the hidden states of what was read.

    .. math::
        s_i &= \mathrm{LSTM}([E y_{i-1}; o_{i-1}; k], s_{i-1}), \quad
        s_0 = \tanh(W_0 [h; k]) \\
        a_i &= \mathrm{attention}(h_1 .. h_T, s_i), \quad c_i = \sum_t a_{it} h_t \\
        o_i &= \tanh(W_o [s_i; c_i; k]) \\
        P(y_i = y) &= (1 - g_i) \, \mathrm{softmax}(W_y o_i)_y + g_i \sum_t a_{it} [x_t = y], \quad
        g_i = \sigma(w_g \cdot o_i)

    The attention a is that of Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning
    to Align and Translate", asked with the present state as in Luong et al. 2015, from whom is o,
    and o as an input (`input_feeding`). The gate g between writing and copying is that of See et
    al. 2017, "Get To The Point". k is what is known of the source beside its symbols x.

    Args:
        n_symbols: Size of the target vocabulary, with `END` and `UNKNOWN`.
        states_width: Width D of the hidden states h, one half from each direction of the encoder.
        symbol_width: Width of the embedding E of target symbols.
        hidden_width: Width H of the decoder's states s.
        output_width: Width of o; None for `symbol_width`.
        attention: Name of the scoring function.
        attention_width: Width in which the additive scoring functions compare; None for D.
        context_width: Width of k; 0 without it.
        input_feeding: Whether a step reads what the one before has put out. In training, the LSTM
            then takes a call for each step and not one for all.
        copy: Whether to have the gate g; without it, g is 0.
        tied: Whether the output weights are the embedding, as in Press and Wolf 2017.
    """

    def __init__(
        self,
        n_symbols: int,
        states_width: int,
        symbol_width: int = 64,
        hidden_width: int = 200,
        output_width: int | None = None,
        attention: Scoring = "general",
        attention_width: int | None = None,
        context_width: int = 0,
        input_feeding: bool = False,
        copy: bool = True,
        tied: bool = False,
    ) -> None:
        super().__init__()
        self.sizes = {
            "n_symbols": n_symbols,
            "states_width": states_width,
            "symbol_width": symbol_width,
            "hidden_width": hidden_width,
            "output_width": output_width,
            "attention": attention,
            "attention_width": attention_width,
            "context_width": context_width,
            "input_feeding": input_feeding,
            "copy": copy,
            "tied": tied,
        }
        output_width = output_width or symbol_width
        # Whatever `torch.set_default_dtype` has been given.
        linear = partial(nn.Linear, dtype=torch.float32)
        self.embedding = nn.Embedding(n_symbols, symbol_width, dtype=torch.float32)
        self.first = linear(states_width + context_width, hidden_width)
        fed = output_width if input_feeding else 0
        self.lstm = nn.LSTM(symbol_width + fed + context_width, hidden_width, dtype=torch.float32)
        self.attention = Attention(states_width, attention, attention_width, hidden_width)
        self.combined = linear(hidden_width + states_width + context_width, output_width)
        self.output = None if tied else linear(output_width, n_symbols, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(n_symbols, dtype=torch.float32))
        self.gate = linear(output_width, 1) if copy else None

    def read(
        self,
        states: Tensor,
        lengths: Sequence[int],
        symbols: Tensor,
        context: Tensor | None = None,
    ) -> Source:
        """Compute once what every step needs.

        Args:
            states: Hidden states of B sources, concatenated, shape (N, D), N at least 1.
            lengths: Their numbers of symbols, at least 1.
            symbols: As `Source.symbols`.
            context: As `Source.context`; None where `context_width` is 0.
        """
        layout = Layout(lengths, states.device)
        if context is None:
            context = states.new_zeros(len(lengths), 0)
        first = torch.tanh(self.first(torch.cat((final_states(states, layout), context), dim=1)))
        compared = self.attention.compared(states)
        return Source(states, compared, layout, symbols, context, first)

    def forward(self, source: Source, targets: Tensor, dropout: float = 0.0) -> Tensor:
        """Return the log-probabilities of given targets, each symbol after those before it.

        Args:
            source: What was read.
            targets: The symbols of each target and `END`, then `PADDING`, shape (B, L).
            dropout: Rate for the embedding, and for s and c where o is made of them.

        Returns:
            Shape (B, L); 0 where there is padding.
        """
        ends = targets.new_full((len(targets), 1), END)
        fed = torch.cat((ends, targets[:, :-1]), dim=1)
        vectors = dropout_values(self._embed(fed), dropout)
        memory = self._start(source, 1)
        if self.sizes["input_feeding"]:
            steps = []
            for vector in vectors.unbind(1):
                memory, weights = self._step(source, memory, vector.unsqueeze(1), dropout)
                steps.append((memory.attended, weights))
            attended, weights = (torch.cat(parts, dim=1) for parts in zip(*steps, strict=True))
        else:
            # One call for all steps, each of which is a query.
            known = source.context.unsqueeze(1).expand(-1, vectors.shape[1], -1)
            hidden, *_ = self._run(torch.cat((vectors, known), dim=2).transpose(0, 1), memory)
            attended, weights = self._attend(source, hidden.transpose(0, 1), dropout)
        found = self._log_probabilities(source, attended, weights)
        padding = targets == PADDING
        of_targets = found.gather(2, targets.masked_fill(padding, END).unsqueeze(2)).squeeze(2)
        return of_targets.masked_fill(padding, 0.0)

    def write(
        self, source: Source, longest: Sequence[int], beam_width: int = 1
    ) -> list[list[Written]]:
        """Write what follows from each source, by beam search.

        Args:
            source: What was read.
            longest: The largest number of symbols that may be written for each source.
            beam_width: How many beginnings are kept at every step; 1 is greedy search.

        Returns:
            For each source at most so many, the highest log-probability a symbol first.
        """
        beam = Beam(torch.tensor(longest, device=source.states.device), beam_width, END)
        memory = self._start(source, beam_width)
        all_weights = []
        while not beam.is_done:
            memory, weights = self._step(source, memory, self._embed(beam.last))
            all_weights.append(weights)
            parents = beam.extend(self._log_probabilities(source, memory.attended, weights))
            memory = _Memory(*(_of_parents(part, parents) for part in memory))
        # Shape (steps, N, Q).
        weights = (
            torch.stack(all_weights)
            if all_weights
            else source.states.new_zeros(0, len(source.states), 1)
        )
        return [
            [
                Written(*found[:3], own_weights[torch.arange(len(found.beams)), :, found.beams])
                for found in of_source
            ]
            for of_source, own_weights in zip(
                beam.hypotheses(), weights.split(source.layout.lengths.tolist(), 1), strict=True
            )
        ]

    def _embed(self, symbols: Tensor) -> Tensor:
        """Return the vectors of symbols. One that only a source has is read as unknown."""
        known = symbols.masked_fill(symbols >= self.sizes["n_symbols"], UNKNOWN)
        return self.embedding(known.masked_fill(known == PADDING, END))

    def _start(self, source: Source, n_queries: int) -> _Memory:
        """Return what is remembered before the first step, in so many targets of each source."""
        first = source.first.unsqueeze(1).expand(-1, n_queries, -1)
        attended = first.new_zeros(*first.shape[:2], self.combined.out_features)
        return _Memory(first, torch.zeros_like(first), attended)

    def _step(
        self, source: Source, memory: _Memory, vectors: Tensor, dropout: float = 0.0
    ) -> tuple[_Memory, Tensor]:
        """Read one symbol more in each target, given by its vector, shape (B, Q, E).

        Returns:
            What is remembered of it, and the weights of attention, shape (N, Q).
        """
        parts = [vectors, source.context.unsqueeze(1).expand(-1, vectors.shape[1], -1)]
        if self.sizes["input_feeding"]:
            parts.append(memory.attended)
        _, hidden, cell = self._run(torch.cat(parts, dim=2).flatten(0, 1).unsqueeze(0), memory)
        attended, weights = self._attend(source, hidden, dropout)
        return _Memory(hidden, cell, attended), weights

    def _run(self, inputs: Tensor, memory: _Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Return the states of all steps, (L, B * Q, H), and the last and its cell, (B, Q, H)."""
        shape = memory.hidden.shape
        state = tuple(part.flatten(0, 1).unsqueeze(0) for part in memory[:2])
        hidden, (last, cell) = self.lstm(inputs, state)
        return hidden, last.view(shape), cell.view(shape)

    def _attend(self, source: Source, hidden: Tensor, dropout: float) -> tuple[Tensor, Tensor]:
        """Return o, shape (B, Q, O), and the weights of attention, shape (N, Q)."""
        contexts, weights = self.attention(
            source.states, hidden, source.layout, compared=source.compared
        )
        known = source.context.unsqueeze(1).expand(-1, hidden.shape[1], -1)
        parts = dropout_values(torch.cat((hidden, contexts, known), dim=2), dropout)
        return torch.tanh(self.combined(parts)), weights

    def _log_probabilities(self, source: Source, attended: Tensor, weights: Tensor) -> Tensor:
        """Return those of all symbols, and of those only a source has, shape (B, Q, n)."""
        weight = (self.output or self.embedding).weight
        written = F.log_softmax(F.linear(attended, weight, self.output_bias), dim=2)
        if self.gate is None:
            return written
        n_symbols, n_sources = written.shape[2], len(source.layout)
        n_known = max(n_symbols, int(source.symbols.max()) + 1)
        rows = source.layout.of_token * n_known + source.symbols
        copied = weights.new_zeros(n_sources * n_known, weights.shape[1])
        copied = copied.index_add(0, rows, weights).view(n_sources, n_known, -1).transpose(1, 2)
        gate = self.gate(attended)
        return torch.logaddexp(
            F.pad(written + F.logsigmoid(-gate), (0, n_known - n_symbols), value=-torch.inf),
            copied.clamp_min(_TINY).log() + F.logsigmoid(gate),
        )


def _of_parents(part: Tensor, parents: Tensor) -> Tensor:
    """Return what the beginnings remember that others go on from, shape (B, Q, ...)."""
    return part.gather(1, parents.unsqueeze(2).expand(-1, -1, part.shape[2]))
