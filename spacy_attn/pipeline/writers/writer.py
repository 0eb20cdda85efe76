"""What all components share that write sequences with an encoder-decoder."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ...checks import check_positive
from ...models.arrays import TokenArrays
from ...models.attention_decoder import (
    KnownSequences,
    Reads,
    Sources,
    Written,
    begin_decoding,
    can_copy,
    check_decoder,
    check_sizes,
    forget_symbols,
    resize_symbols,
    token_layer,
    write,
)
from ...models.processes import add_up
from ...models.symbols import Symbols
from ...models.weights import is_initialized
from ..finite import check_finite
from ..losses import softmax_cross_entropy
from ..steps import StepsMixin
from ..storage import StorageMixin

# At most so many symbols of sources are read at once, so that memory does not grow with batches.
MAX_CHUNK_SYMBOLS = 32_768
# How many documents the model is initialized with.
_N_SAMPLE = 10
# How long a sequence may always become: so many times its source, and so much longer than that.
_LEAST_GROWTH, _EXTRA_LENGTH = 2.0, 10
# The share of the training targets that fit into what is allowed, rounded down: the longest of few
# does not. A single one that is very long would have all searches that find no end go on for long.
_SHARE_THAT_FITS = 0.999


class WriterMixin(StorageMixin, StepsMixin):
    """Learns to write sequences, and writes them, with a model as `AttentionDecoder.v1` makes it.

    A subclass makes sequences of documents, and annotations of what is written.
    """

    def _set_up(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        reads: Reads,
        beam_width: int,
        scorer: Callable | None,
    ) -> None:
        """Set what all have.

        Raises:
            ValueError: If a setting is out of its range, or the model reads something else.
        """
        where = f"Component '{name}'"
        check_decoder(where, model, reads)
        check_positive(where, beam_width=beam_width)
        self.vocab = vocab
        self.model = model
        self.name = name
        self.beam_width = beam_width
        self.scorer = scorer
        self.cfg: dict[str, Any] = {"symbols": [], "growth": 1.0}

    @property
    def symbols(self) -> Symbols:
        """The symbols that the model knows."""
        found = self.cfg["symbols"]
        if getattr(self, "_symbols_of", None) is not found:
            self._symbols, self._symbols_of = Symbols(found), found
        return self._symbols

    def _target_numbers(self, target: Sequence[str], source: Sequence[str]) -> list[int]:
        """Return the numbers of a target's symbols, which the source may have if it is copied."""
        if can_copy(self.model):
            return self.symbols.target_numbers(target, source)
        return self.symbols.numbers(target)

    def _learn_symbols(
        self,
        lengths: Iterable[tuple[int, int]],
        counts: Mapping[str, int],
        get_examples: Callable[[], Iterable[Example]],
        n_tags: int,
        extend: bool,
    ) -> None:
        """Give the model its symbols, and new weights for them.

        Args:
            lengths: Of each source and its target, from which the longest allowed targets follow.
            counts: How often each symbol was seen.
            get_examples: Returns examples, whose documents show the model what it will get.
            extend: Whether to keep the weights that there are, and add what is new.
        """
        extend = extend and is_initialized(self.model)
        growths = [(of_target - _EXTRA_LENGTH) / of_source for of_source, of_target in lengths]
        growth = float(numpy.quantile(growths or [0.0], _SHARE_THAT_FITS, method="lower"))
        self.cfg["growth"] = max(_LEAST_GROWTH, growth, self.cfg["growth"] if extend else 0.0)
        frequent = [symbol for symbol, _ in Counter(counts).most_common()]
        known = self.symbols.to_list() if extend else []
        self.cfg["symbols"] = Symbols([*known, *frequent]).to_list()
        n_symbols = len(self.symbols)
        if extend:
            resize_symbols(self.model, n_symbols)
            return
        self.model.set_dim("nO", n_symbols, force=True)
        self.model.set_dim("nT", n_tags, force=True)
        sample = islice(get_examples(), _N_SAMPLE)
        self.model.initialize(X=[example.predicted for example in sample])
        self._n_updates = 0

    def _teach(
        self,
        sources: Sources,
        targets: list[list[int]],
        tags: Sequence[int] | None = None,
        tag_weight: float = 0.0,
        label_smoothing: float = 0.0,
        by_symbol: bool = False,
    ) -> tuple[float, Floats2d]:
        """Add the gradients of some sequences to those of the model.

        The loss is the negative log-probability of a target, averaged over these, plus the
        cross-entropy of the tags that are known.

        Args:
            tags: The tag of each sequence, -1 where it is not known.
            label_smoothing: The share of each target that is spread evenly over all symbols.
            by_symbol: Whether to average over the symbols of all targets, so that the loss does not
                grow with their length.

        Returns:
            The loss, and the gradient with respect to `sources.given`.
        """
        ops = self.model.ops
        (found, tag_logits), backprop = begin_decoding(
            self.model, sources, targets, label_smoothing
        )
        check_finite(self._where, "the loss", found, tag_logits)
        # The end is a symbol, too.
        n_found = sum(1 + len(target) if by_symbol else 1 for target in targets)
        known = numpy.array([] if tags is None else tags) >= 0
        # Of the whole batch, whose other sequences other processes may have.
        total, n_known = add_up(float(n_found), float(known.sum()))
        d_found = ops.alloc2f(*found.shape) - ops.xp.float32(1.0 / total)
        loss = -float(ops.xp.sum(found, dtype="float64")) / total
        d_tags = ops.alloc2f(*tag_logits.shape)
        if tag_weight and tag_logits.shape[1] and known.any():
            of_tags, d_tags = self._tag_loss(tag_logits, numpy.array(tags), known, n_known)
            loss, d_tags = loss + tag_weight * of_tags, tag_weight * d_tags
        d_given = backprop((d_found, d_tags))
        check_finite(self._where, "the gradient of the token vectors", d_given)
        return loss, d_given

    def _teach_tokens(
        self,
        docs: list[Doc],
        rows: list[int],
        teach: Callable[[Floats2d], tuple[float, Floats2d]],
    ) -> float:
        """Teach with the vectors of some tokens; the layer that makes these learns, too.

        Args:
            docs: All documents of a batch.
            rows: Which of their tokens, counted through the documents, each of them once.
            teach: Adds the gradients of what these tokens teach. It takes their vectors, which have
                no width where there is no such layer, and returns the loss and their gradient.

        Returns:
            The loss.
        """
        ops, tok2vec = self.model.ops, token_layer(self.model)
        if not rows:
            self._teach_nothing()
        if tok2vec is None:
            return teach(ops.alloc2f(len(rows), 0))[0] if rows else 0.0
        found, backprop = tok2vec.begin_update(docs)
        vectors = TokenArrays.join(ops, found)
        d_vectors, loss = ops.alloc2f(*vectors.joined.shape), 0.0
        if rows:
            loss, d_vectors[rows] = teach(vectors.joined[rows])
        # Also if nothing was taught: a layer that others share waits for all of them.
        backprop(TokenArrays(d_vectors, vectors.lengths))
        return loss

    def _teach_nothing(self) -> None:
        add_up(0.0, 0.0)

    def _tag_loss(
        self,
        logits: Floats2d,
        tags: NDArray[numpy.int64],
        known: NDArray[numpy.bool_],
        n_known: float,
    ) -> tuple[float, Floats2d]:
        """Return the cross-entropy, averaged over all tags that are known, and its gradient."""
        ops = self.model.ops
        targets = numpy.zeros(logits.shape, dtype="float32")
        targets[known, tags[known]] = 1.0 / n_known
        ones = ops.alloc2f(*logits.shape) + 1.0
        return softmax_cross_entropy(logits, ops.xp.asarray(targets), ones, ones[0])

    def _write(
        self, sources: Sources, alignment: bool = False, known: KnownSequences | None = None
    ) -> list[Written]:
        """Write what is most probable after each source, within the longest allowed length."""
        # It may have been set since.
        check_positive(f"Component '{self.name}'", beam_width=self.beam_width)
        # An end after the last symbol makes a sequence complete. So the search has one more.
        longest = [self._longest(len(source)) + 1 for source in sources.symbols]
        found = write(self.model, sources, longest, self.beam_width, alignment, known)
        best = [each[0] for each in found]
        return [each if each.is_complete else each.without_last() for each in best]

    def _longest(self, n_symbols: int) -> int:
        """Return how long a sequence may become, so that no decoder runs on for ever."""
        return math.ceil(self.cfg["growth"] * n_symbols) + _EXTRA_LENGTH

    # Storage

    def _check_cfg(self, cfg: Mapping[str, Any]) -> None:
        symbols, growth = cfg["symbols"], cfg["growth"]
        if not isinstance(symbols, list) or not all(isinstance(each, str) for each in symbols):
            raise ValueError(f"'symbols' must be a list of texts, but is {symbols!r:.100}")
        if Symbols(symbols).to_list() != symbols:
            raise ValueError("'symbols' names one more than once")
        if not isinstance(growth, int | float) or not 0 <= growth < numpy.inf:
            raise ValueError(f"'growth' must be a number of at least 0, but is {growth!r:.50}")

    def _check_outputs(self, cfg: Mapping[str, Any], n_outputs: int | None) -> None:
        n_symbols = len(Symbols(cfg["symbols"]))
        if n_outputs not in (None, n_symbols):
            raise ValueError(
                f"it was trained with {n_outputs} symbols, but the 'cfg' beside it has {n_symbols}"
            )

    def _open_sizes(self) -> None:
        forget_symbols(self.model)

    def _check_widths(self) -> None:
        check_sizes(self.model)
