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
from .beam import Beam, Hypothesis
from .fast_ops import dropout as dropout_values
from .head import final_states
from .lstm_step import LstmStep
from .read_states import PaddedSource, Source
from .stored import StoredModule

# The first two symbols of every target vocabulary. What comes before the first symbol of a target
# is its end, too: nothing else is ever read there.
END, UNKNOWN = 0, 1
# Where a padded target has no symbol.
PADDING = -1

# What has ended leaves a batch when no more than this part of it is left: copying has a cost, too.
_FEW_LEFT = 0.75

# Whatever is not copied has a probability of 0, of which there is no logarithm.
_TINY = 1e-30
# The standard deviation of the initial values of embeddings that are output weights, too.
_TIED_SCALE = 0.1


class Written(NamedTuple):
    """A sequence that was written.

    Attributes:
        symbols: Its symbols, without the end, shape (n,).
        log_probability: Of the symbols, and of the end where it has one.
        is_complete: Whether it has an end. Otherwise it was cut off at its longest allowed length.
        alignment: The weights of the source's symbols where each symbol was written, shape
            (n, n_source); at least 0, the rows sum to 1. Only the first sequence of a source has
            it, and only where it was asked for.
    """

    symbols: Tensor
    log_probability: float
    is_complete: bool
    alignment: Tensor | None


class _Memory(NamedTuple):
    """What Q targets of each source remember from one step to the next, shape (B, Q, ...)."""

    hidden: Tensor
    cell: Tensor
    attended: Tensor

    def rows(self, kept: Tensor) -> "_Memory":
        return _Memory(*(part[kept] for part in self))


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
        if tied:
            # Torch's initial values, N(0, 1), are far too large for output weights.
            nn.init.normal_(self.embedding.weight, std=_TIED_SCALE)
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

    def forward(
        self,
        source: Source,
        targets: Tensor,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """Return the log-probabilities of given targets, each symbol after those before it.

        Args:
            source: What was read.
            targets: The symbols of each target and `END`, then `PADDING`, shape (B, L).
            dropout: Rate for the embedding, and for s and c where o is made of them.
            label_smoothing: The share of each log-probability that is spread evenly over the
                vocabulary, for a loss (Szegedy et al. 2016). What is copied has none.

        Returns:
            Shape (B, L); 0 where there is padding.
        """
        groups = source.groups()
        if not groups:
            # Connected to the source, so that it has a gradient, too.
            return source.first.sum(1, keepdim=True).expand_as(targets)
        found = torch.cat(
            [
                self._score(source.padded(group), targets[group], dropout, label_smoothing)
                for group in groups
            ]
        )
        return found.index_select(0, torch.cat(groups).argsort())

    def align(self, source: Source, targets: Tensor) -> list[Tensor]:
        """Return the weights of attention where given targets are written.

        Args:
            source: What was read.
            targets: As in `forward`, shape (B, L).

        Returns:
            For each source, of its symbols, at each symbol of its target but the end, shape
            (n_target, n_source).
        """
        found: list[Tensor] = [targets] * len(targets)
        lengths = (targets != PADDING).sum(1) - 1
        with torch.no_grad():
            for group in source.groups():
                _, weights = self._follow(source.padded(group), _cut(targets[group]))
                for i, n_source, of_source in zip(
                    group.tolist(), source.layout.lengths[group].tolist(), weights, strict=True
                ):
                    found[i] = of_source[: int(lengths[i]), :n_source]
        return found

    def write(
        self,
        source: Source,
        longest: Sequence[int],
        beam_width: int = 1,
        alignment: bool = False,
    ) -> list[list[Written]]:
        """Write what follows from each source, by beam search.

        Args:
            source: What was read.
            longest: The largest number of symbols that may be written for each source.
            beam_width: How many beginnings are kept at every step; 1 is greedy search.
            alignment: Whether to return the weights of attention of the first of each source.

        Returns:
            For each source at most so many, those that are complete first. Of these, and of those
            that were cut off, the highest log-probability a symbol comes first.
        """
        written: list[list[Written]] = [[] for _ in longest]
        with torch.no_grad():
            bounds = torch.tensor(longest, dtype=torch.int64, device=source.states.device)
            step = LstmStep(self.lstm)
            for group in source.groups_to_write(beam_width, self.sizes["n_symbols"]):
                beam = Beam(bounds[group], beam_width, END)
                weights = self._search(source.padded(group), beam, step, alignment)
                found = beam.hypotheses()
                for i, of_source in zip(group.tolist(), found, strict=True):
                    written[i] = [Written(*each[:3], alignment=None) for each in of_source]
                if alignment:
                    lengths = source.layout.lengths[group]
                    alignments = _alignments([each[0] for each in found], weights, lengths)
                    for i, own in zip(group.tolist(), alignments, strict=True):
                        written[i][0] = written[i][0]._replace(alignment=own)
        return written

    # Its operations take a sixth less time than without gradients alone.
    @torch.inference_mode()
    def _search(
        self, source: PaddedSource, beam: Beam, step: LstmStep, alignment: bool
    ) -> list[tuple[Tensor, Tensor]]:
        """Search to the end; for an alignment, return what `_alignments` makes it of."""
        output = self._padded_output(int(source.symbols.max()) + 1)
        memory = self._start(source, beam.width)
        all_weights = []
        while n_left := int((goes_on := beam.goes_on()).sum()):
            if n_left <= _FEW_LEFT * len(goes_on):
                kept = goes_on.nonzero().squeeze(1)
                beam.keep(kept)
                source, memory = source.rows(kept), memory.rows(kept)
            memory, weights = self._step(step, source, memory, self._embed(beam.last))
            if alignment:
                all_weights.append((beam.active, weights))
            parents = beam.extend(self._probabilities(source, memory.attended, weights, output))
            if beam.width > 1:
                memory = _Memory(*(_of_parents(part, parents) for part in memory))
        return all_weights

    def _score(
        self, source: PaddedSource, targets: Tensor, dropout: float, label_smoothing: float
    ) -> Tensor:
        """Return what `forward` does, of sources of like length."""
        n_steps = targets.shape[1]
        targets = _cut(targets)
        attended, weights = self._follow(source, targets, dropout)
        copied = (weights * (source.symbols.unsqueeze(1) == targets.unsqueeze(2))).sum(2)
        # Padding has no output.
        rows = (targets != PADDING).flatten().nonzero().squeeze(1)
        found = self._log_probabilities(
            F.embedding(rows, attended.flatten(0, 1)),
            copied.flatten().index_select(0, rows),
            targets.flatten().index_select(0, rows),
            label_smoothing,
        )
        found = found.new_zeros(targets.numel()).scatter(0, rows, found).view(targets.shape)
        return F.pad(found, (0, n_steps - found.shape[1]))

    def _follow(
        self, source: PaddedSource, targets: Tensor, dropout: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return o and the weights of attention where each symbol of given targets is written.

        Returns:
            Shapes (B, L, O) and (B, L, T).
        """
        ends = targets.new_full((len(targets), 1), END)
        known = targets.masked_fill(targets == PADDING, END)
        vectors = dropout_values(self._embed(torch.cat((ends, known[:, :-1]), dim=1)), dropout)
        memory = self._start(source, 1)
        if self.sizes["input_feeding"]:
            step, steps = LstmStep(self.lstm), []
            for vector in vectors.split(1, dim=1):
                memory, weights = self._step(step, source, memory, vector, dropout)
                steps.append((memory.attended, weights))
            attended, weights = (torch.cat(parts, dim=1) for parts in zip(*steps, strict=True))
            return attended, weights
        # One call for all steps, each of which is a query.
        inputs = torch.cat((vectors, _repeated(source.context, vectors)), dim=2)
        state = (memory.hidden.transpose(0, 1), memory.cell.transpose(0, 1))
        hidden, _ = self.lstm(inputs.transpose(0, 1), state)
        return self._attend(source, hidden.transpose(0, 1), dropout)

    def _embed(self, symbols: Tensor) -> Tensor:
        """Return the vectors of symbols. One that only a source has is read as unknown."""
        return self.embedding(symbols.masked_fill(symbols >= self.sizes["n_symbols"], UNKNOWN))

    def _start(self, source: PaddedSource, n_queries: int) -> _Memory:
        """Return what is remembered before the first step, in so many targets of each source."""
        first = source.first.unsqueeze(1).expand(-1, n_queries, -1)
        attended = first.new_zeros(*first.shape[:2], self.combined.out_features)
        return _Memory(first, torch.zeros_like(first), attended)

    def _step(
        self,
        step: LstmStep,
        source: PaddedSource,
        memory: _Memory,
        vectors: Tensor,
        dropout: float = 0.0,
    ) -> tuple[_Memory, Tensor]:
        """Read one symbol more in each target, given by its vector, shape (B, Q, E).

        Returns:
            What is remembered of it, and the weights of attention, shape (B, Q, T).
        """
        inputs = [vectors, _repeated(source.context, vectors)]
        if self.sizes["input_feeding"]:
            inputs.append(memory.attended)
        hidden, cell = step(inputs, memory.hidden, memory.cell)
        attended, weights = self._attend(source, hidden, dropout)
        return _Memory(hidden, cell, attended), weights

    def _attend(
        self, source: PaddedSource, hidden: Tensor, dropout: float
    ) -> tuple[Tensor, Tensor]:
        """Return o, shape (B, Q, O), and the weights of attention, shape (B, Q, T)."""
        contexts, weights = self.attention.padded(
            source.states, hidden, source.evidence, source.compared
        )
        parts = torch.cat((hidden, contexts, _repeated(source.context, hidden)), dim=2)
        return torch.tanh(self.combined(dropout_values(parts, dropout))), weights

    def _output(self) -> tuple[Tensor, Tensor]:
        """Return the weight and the bias that make logits of o."""
        return (self.output or self.embedding).weight, self.output_bias

    def _padded_output(self, n_known: int) -> tuple[Tensor, Tensor]:
        """Return the same for so many symbols, of which those only a source has are not written."""
        weight, bias = self._output()
        n_new = n_known - len(bias)
        if self.gate is None or n_new <= 0:
            return weight, bias
        return F.pad(weight, (0, 0, 0, n_new)), F.pad(bias, (0, n_new), value=-torch.inf)

    def _probabilities(
        self,
        source: PaddedSource,
        attended: Tensor,
        weights: Tensor,
        output: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Return those of all symbols that an output is for, shape (B, Q, n)."""
        written = F.linear(attended, *output).softmax(2)
        if self.gate is None:
            return written
        gate = torch.sigmoid(self.gate(attended))
        copied = source.symbols.unsqueeze(1).expand_as(weights)
        # In mixed precision, they may be of two precisions.
        shares = (weights * gate).to(written.dtype)
        return written.mul_(1.0 - gate).scatter_add_(2, copied, shares)

    def _log_probabilities(
        self, attended: Tensor, copied: Tensor, targets: Tensor, label_smoothing: float
    ) -> Tensor:
        """Return those of one target each, shape (n,), that the source has by `copied`, (n,)."""
        is_known = targets < self.sizes["n_symbols"]
        written = -F.cross_entropy(
            F.linear(attended, *self._output()),
            targets.masked_fill(~is_known, UNKNOWN),
            reduction="none",
            label_smoothing=label_smoothing,
        )
        if self.gate is None:
            return written
        gate = self.gate(attended).squeeze(1)
        return torch.logaddexp(
            written.masked_fill(~is_known, -torch.inf) + F.logsigmoid(-gate),
            copied.clamp_min(_TINY).log() + F.logsigmoid(gate),
        )


def _cut(targets: Tensor) -> Tensor:
    """Leave out the padding that all targets have."""
    return targets[:, : int((targets != PADDING).sum(1).max())]


def _repeated(context: Tensor, steps: Tensor) -> Tensor:
    """Return the context of each source for each of its steps, shape (B, Q, C)."""
    return context.unsqueeze(1).expand(-1, steps.shape[1], -1)


def _of_parents(part: Tensor, parents: Tensor) -> Tensor:
    """Return what the beginnings remember that others go on from, shape (B, Q, ...)."""
    return part.gather(1, parents.unsqueeze(2).expand(-1, -1, part.shape[2]))


def _alignments(
    found: Sequence[Hypothesis], all_weights: list[tuple[Tensor, Tensor]], lengths: Tensor
) -> list[Tensor]:
    """Return the weights of attention of one sequence of each source, shape (n, n_source) each.

    Args:
        found: The sequences.
        all_weights: The active sources of each step, and their weights, shape (A, K, T).
        lengths: Of the sources, shape (B,).
    """
    n_sources = lengths.tolist()
    n_steps, device = len(all_weights), lengths.device
    beams = [F.pad(each.beams, (0, n_steps - len(each.beams))) for each in found]
    of_beams = torch.stack(beams, dim=1).to(device)
    weights = torch.zeros(n_steps, len(found), max(n_sources), dtype=torch.float32, device=device)
    for of_all, beam, (active, of_active) in zip(weights, of_beams, all_weights, strict=True):
        places = torch.arange(len(active), device=device)
        of_all[active] = of_active[places, beam[active]].float()
    return [weights[: len(each.symbols), i, : n_sources[i]].clone() for i, each in enumerate(found)]
