"""The encoder-decoder: a bidirectional LSTM reads a sequence, and the decoder writes another."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .attention import Scoring
from .bilstm import BiLSTM
from .decoder import UNKNOWN, AttentionDecoder, Written
from .fast_ops import dropout as dropout_values
from .known import KnownSequences
from .read_states import Source
from .stored import StoredModule


class EncoderDecoder(StoredModule):
    r"""Reads sequences of symbols, or of vectors, and writes sequences of symbols.

    .. math::
        h = \mathrm{BiLSTM}([x_1; k] .. [x_T; k]), \quad k = \tanh(W c)

    The decoder is `spacy_attn.nn.decoder.AttentionDecoder`. x is the embedding of a symbol, or a
    vector that is given. k is what is known of the sequence beside its symbols: its context c, in
    as few dimensions as help. From k, a linear layer can learn to tell tags of the sequence. It is
    there for its gradient alone.

    Args:
        n_symbols: Size of the target vocabulary, which embedded source symbols are in, too.
        vectors_width: Width of the vectors that are read; None to embed symbols.
        given_width: Width of the context c that is given; 0 for none.
        context_width: Width of k.
        n_tags: How many tags k is to tell; 0 for none.
        symbol_width: Width of the embeddings of symbols.
        hidden_width: Width of each direction of the encoder.
        depth: Number of layers of the encoder.
        decoder_width: Width of the decoder's hidden states.
        of_decoder: As in `AttentionDecoder`: output_width, attention, attention_width,
            input_feeding, copy, tied.
    """

    def __init__(
        self,
        n_symbols: int,
        vectors_width: int | None = None,
        given_width: int = 0,
        context_width: int = 64,
        n_tags: int = 0,
        symbol_width: int = 64,
        hidden_width: int = 100,
        depth: int = 1,
        decoder_width: int = 200,
        output_width: int | None = None,
        attention: Scoring = "general",
        attention_width: int | None = None,
        input_feeding: bool = False,
        copy: bool = True,
        tied: bool = False,
    ) -> None:
        super().__init__()
        of_decoder: dict[str, Any] = {
            "output_width": output_width,
            "attention": attention,
            "attention_width": attention_width,
            "input_feeding": input_feeding,
            "copy": copy,
            "tied": tied,
        }
        self.sizes = {
            "n_symbols": n_symbols,
            "vectors_width": vectors_width,
            "given_width": given_width,
            "context_width": context_width,
            "n_tags": n_tags,
            "symbol_width": symbol_width,
            "hidden_width": hidden_width,
            "depth": depth,
            "decoder_width": decoder_width,
            **of_decoder,
        }
        width = context_width if given_width else 0
        self.context = nn.Linear(given_width, width, dtype=torch.float32) if width else None
        self.tagger = nn.Linear(width, n_tags, dtype=torch.float32) if width and n_tags else None
        self.embedding = (
            nn.Embedding(n_symbols, symbol_width, dtype=torch.float32)
            if vectors_width is None
            else None
        )
        self.encoder = BiLSTM((vectors_width or symbol_width) + width, hidden_width, depth)
        self.decoder = AttentionDecoder(
            n_symbols,
            2 * hidden_width,
            symbol_width,
            decoder_width,
            context_width=width,
            **of_decoder,
        )

    def read(
        self, given: Tensor, symbols: Tensor, lengths: Sequence[int], dropout: float = 0.0
    ) -> Source:
        """Encode B sequences with N symbols.

        Args:
            given: Where symbols are embedded, the context of each sequence, shape (B, given_width).
                Otherwise the vectors that are read, concatenated, shape (N, vectors_width).
            symbols: The symbols of all sequences, concatenated, shape (N,), N at least 1. Those
                that the target vocabulary lacks are counted on from its size.
            lengths: Their numbers of symbols, at least 1.
            dropout: Rate for what is read, and for the hidden states.
        """
        vectors, context = given, None
        if self.embedding is not None:
            n_symbols = self.embedding.num_embeddings
            vectors = self.embedding(symbols.masked_fill(symbols >= n_symbols, UNKNOWN))
            # Given without any width, it has none here, too.
            context = given if self.context is None else torch.tanh(self.context(given))
        vectors = dropout_values(vectors, dropout)
        if context is not None:
            repeats = torch.tensor(lengths, device=context.device)
            vectors = torch.cat((vectors, context.repeat_interleave(repeats, dim=0)), dim=1)
        states = dropout_values(self.encoder(vectors, lengths, dropout), dropout)
        return self.decoder.read(states, lengths, symbols, context)

    def forward(
        self,
        given: Tensor,
        symbols: Tensor,
        lengths: Sequence[int],
        targets: Tensor,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities of given targets, and the logits of the tags.

        Args:
            given: As in `read`; so are `symbols`, `lengths` and `dropout`.
            targets: As in `AttentionDecoder.forward`, shape (B, L); so is `label_smoothing`.

        Returns:
            Log-probabilities, shape (B, L), and logits, shape (B, n_tags).
        """
        source = self.read(given, symbols, lengths, dropout)
        found = self.decoder(source, targets, dropout, label_smoothing)
        if self.tagger is None:
            return found, found.new_zeros(len(found), 0)
        return found, self.tagger(source.context)

    def score(
        self,
        given: Tensor,
        symbols: Tensor,
        lengths: Sequence[int],
        targets: Tensor,
        of_target: Tensor,
    ) -> Tensor:
        """Return the log-probabilities of targets, several of which may have one source.

        Args:
            given: As in `read`; so are `symbols` and `lengths`.
            targets: As in `AttentionDecoder.forward`, shape (n, L).
            of_target: The source of each target, shape (n,).

        Returns:
            Of its symbols and its end, shape (n,).
        """
        source = self.read(given, symbols, lengths).pick(of_target)
        return self.decoder(source, targets).sum(1)

    def align(
        self, given: Tensor, symbols: Tensor, lengths: Sequence[int], targets: Tensor
    ) -> list[Tensor]:
        """Align given targets with what is read, as `AttentionDecoder.align` does."""
        return self.decoder.align(self.read(given, symbols, lengths), targets)

    def write(
        self,
        given: Tensor,
        symbols: Tensor,
        lengths: Sequence[int],
        longest: Sequence[int],
        beam_width: int = 1,
        alignment: bool = False,
        known: KnownSequences | None = None,
    ) -> list[list[Written]]:
        """Write what follows from each sequence, as `AttentionDecoder.write` does."""
        source = self.read(given, symbols, lengths)
        return self.decoder.write(source, longest, beam_width, alignment, known)
