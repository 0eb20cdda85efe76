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
from .beam import Beam, Hypothesis, Places
from .fast_ops import dropout as dropout_values
from .head import final_states
from .known import KnownSequences
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
# By how much a score may differ when it is computed again among others.
_ROUNDING = 1e-3

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

    def without_last(self) -> "Written":
        """Return it without its last symbol. Its log-probability stays that of all."""
        rows = None if self.alignment is None else self.alignment[:-1]
        return self._replace(symbols=self.symbols[:-1], alignment=rows)


class _Memory(NamedTuple):
    """What R targets remember from one step to the next, shape (R, ...)."""

    hidden: Tensor
    cell: Tensor
    attended: Tensor

    def rows(self, kept: Tensor) -> "_Memory":
        return _Memory(*(part.index_select(0, kept) for part in self))


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
        groups = source.groups(_lengths(targets))
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
        lengths = _lengths(targets)
        with torch.no_grad():
            for group in source.groups(lengths):
                _, weights = self._follow(source.padded(group), _cut(targets[group]))
                for i, n_source, of_source in zip(
                    group.tolist(), source.layout.lengths[group].tolist(), weights, strict=True
                ):
                    found[i] = of_source[: int(lengths[i]) - 1, :n_source]
        return found

    @torch.no_grad()
    def write(
        self,
        source: Source,
        longest: Sequence[int],
        beam_width: int = 1,
        alignment: bool = False,
        known: KnownSequences | None = None,
    ) -> list[list[Written]]:
        """Write what follows from each source, by beam search.

        Args:
            source: What was read.
            longest: The largest number of symbols that may be written for each source.
            beam_width: How many beginnings are kept at every step; 1 is greedy search.
            alignment: Whether to return the weights of attention of the first of each source.
            known: Sequences to be preferred. They have a bonus from their first symbol on. Greedy
                search comes first: beams are for sources where another sequence may have a higher
                score.

        Returns:
            For each source at most so many, those that are complete first. Of these, and of those
            that were cut off, the highest log-probability a symbol comes first. With known
            sequences, it is the highest score: the log-probability and the bonus.
        """
        bounds = torch.tensor(longest, dtype=torch.int64, device=source.states.device)
        if known is None:
            found, _ = self._search(source, bounds, beam_width)
        else:
            found = self._search_known(source, bounds, beam_width, known)
        written = [[Written(*each[:3], alignment=None) for each in own] for own in found]
        if alignment and written:
            first = [own[0].symbols.to(bounds.device) for own in written]
            for own, weights in zip(written, self.align(source, _padded(first)), strict=True):
                own[0] = own[0]._replace(alignment=weights.float())
        return written

    def _search_known(
        self, source: Source, longest: Tensor, beam_width: int, known: KnownSequences
    ) -> list[list[Hypothesis]]:
        """Search greedily, and with a beam where another sequence may have a higher score."""
        found, left = self._search(source, longest, 1, known)
        if beam_width == 1:
            return found
        least = [own[0].score if own[0].is_complete else -torch.inf for own in found]
        unsure = [i for i, other in enumerate(left.tolist()) if other > least[i]]
        picked = torch.tensor(unsure, dtype=torch.int64, device=longest.device)
        lowest = torch.tensor(least, device=longest.device)[picked] - _ROUNDING
        wider, _ = self._search(source.pick(picked), longest[picked], beam_width, known, lowest)
        for i, own in zip(unsure, wider, strict=True):
            # The greedy one may have been left for others that then fell behind.
            is_best = not own or found[i][0].order > own[0].order
            found[i] = [*found[i], *own][:beam_width] if is_best else own
        return found

    def _search(
        self,
        source: Source,
        longest: Tensor,
        beam_width: int,
        known: KnownSequences | None = None,
        least: Tensor | None = None,
    ) -> tuple[list[list[Hypothesis]], Tensor]:
        """Return what a search finds for each source, and `Beam.left`. Arguments are as there."""
        found: list[list[Hypothesis]] = [[] for _ in longest]
        left = torch.empty(len(longest))
        step = LstmStep(self.lstm)
        for group in source.groups_to_write(beam_width, self.sizes["n_symbols"]):
            lowest = None if least is None else least[group]
            beam = Beam(longest[group], beam_width, END, known, lowest)
            self._fill(beam, source.padded(group), step)
            for i, own in zip(group.tolist(), beam.hypotheses(), strict=True):
                found[i] = own
            left[group.cpu()] = beam.left.cpu()
        return found, left

    # Its operations take a sixth less time than without gradients alone.
    @torch.inference_mode()
    def _fill(self, beam: Beam, source: PaddedSource, step: LstmStep) -> None:
        """Search to the end."""
        output = self._padded_output(int(source.symbols.max()) + 1)
        memory = self._start(source, beam.places)
        while n_left := int((goes_on := beam.goes_on()).sum()):
            if n_left <= _FEW_LEFT * len(goes_on):
                kept = goes_on.nonzero().squeeze(1)
                beam.keep(kept)
                source = source.rows(kept)
            places = beam.places
            vectors = self._embed(beam.last.flatten()[places.flat])
            memory, weights = self._step(step, source, places, memory, vectors)
            found = self._probabilities(source, places, memory.attended, weights, output)
            memory = memory.rows(beam.extend(found))

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
        places = Places.all(len(targets), 1, targets.device)
        memory = self._start(source, places)
        if self.sizes["input_feeding"]:
            step, steps = LstmStep(self.lstm), []
            for vector in vectors.unbind(1):
                memory, weights = self._step(step, source, places, memory, vector, dropout)
                steps.append((memory.attended.unsqueeze(1), weights))
            attended, weights = (torch.cat(parts, dim=1) for parts in zip(*steps, strict=True))
            return attended, weights
        # One call for all steps, each of which is a query.
        inputs = torch.cat((vectors, _repeated(source.context, vectors)), dim=2)
        state = (memory.hidden.unsqueeze(0), memory.cell.unsqueeze(0))
        hidden, _ = self.lstm(inputs.transpose(0, 1), state)
        hidden = hidden.transpose(0, 1)
        contexts, weights = self._attend(source, hidden)
        return self._combine(hidden, contexts, _repeated(source.context, hidden), dropout), weights

    def _embed(self, symbols: Tensor) -> Tensor:
        """Return the vectors of symbols. One that only a source has is read as unknown."""
        return self.embedding(symbols.masked_fill(symbols >= self.sizes["n_symbols"], UNKNOWN))

    def _start(self, source: PaddedSource, places: Places) -> _Memory:
        """Return what is remembered before the first step."""
        first = source.first.index_select(0, places.sources)
        attended = first.new_zeros(len(first), self.combined.out_features)
        return _Memory(first, torch.zeros_like(first), attended)

    def _step(
        self,
        step: LstmStep,
        source: PaddedSource,
        places: Places,
        memory: _Memory,
        vectors: Tensor,
        dropout: float = 0.0,
    ) -> tuple[_Memory, Tensor]:
        """Read one symbol more in each target, given by its vector, shape (R, E).

        Returns:
            What is remembered of it, and the weights of attention, shape (B, K, T).
        """
        context = source.context.index_select(0, places.sources)
        inputs = [vectors, context]
        if self.sizes["input_feeding"]:
            inputs.append(memory.attended)
        hidden, cell = step(inputs, memory.hidden, memory.cell)
        contexts, weights = self._attend(source, places.spread(hidden))
        attended = self._combine(hidden, places.pick(contexts), context, dropout)
        return _Memory(hidden, cell, attended), weights

    def _attend(self, source: PaddedSource, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return c, shape (B, Q, D), and the weights of attention, shape (B, Q, T)."""
        return self.attention.padded(source.states, hidden, source.evidence, source.compared)

    def _combine(self, hidden: Tensor, contexts: Tensor, context: Tensor, dropout: float) -> Tensor:
        """Return o, shape (..., O)."""
        parts = torch.cat((hidden, contexts, context), dim=-1)
        return torch.tanh(self.combined(dropout_values(parts, dropout)))

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
        places: Places,
        attended: Tensor,
        weights: Tensor,
        output: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Return those of all symbols that an output is for, shape (R, n)."""
        written = F.linear(attended, *output).softmax(1)
        if self.gate is None:
            return written
        gate = torch.sigmoid(self.gate(attended))
        copied = source.symbols.index_select(0, places.sources)
        # In mixed precision, they may be of two precisions.
        shares = (places.pick(weights) * gate).to(written.dtype)
        return written.mul_(1.0 - gate).scatter_add_(1, copied, shares)

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


def _lengths(targets: Tensor) -> Tensor:
    """Return the number of symbols of each target, the end included."""
    return (targets != PADDING).sum(1)


def _cut(targets: Tensor) -> Tensor:
    """Leave out the padding that all targets have."""
    return targets[:, : int(_lengths(targets).max())]


def _repeated(context: Tensor, steps: Tensor) -> Tensor:
    """Return the context of each source for each of its steps, shape (B, Q, C)."""
    return context.unsqueeze(1).expand(-1, steps.shape[1], -1)


def _padded(symbols: Sequence[Tensor]) -> Tensor:
    """Return targets as `AttentionDecoder.forward` takes them, shape (n, L)."""
    ended = [F.pad(each, (0, 1), value=END) for each in symbols]
    return nn.utils.rnn.pad_sequence(ended, batch_first=True, padding_value=PADDING)
