"""The registered architecture of the encoder-decoder, and how components use such a model.

A component makes `Sources` of its documents. It learns from targets with `begin_decoding`, compares
targets with `score`, and writes with `write`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, cast, get_args

import numpy
import torch
from numpy.typing import NDArray
from spacy.ml.models.textcat import get_tok2vec_width
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats1d, Floats2d

from ..checks import check_choice, check_positive, check_rate
from ..nn.attention import SCORINGS, Scoring
from ..nn.decoder import END, PADDING, Written
from ..nn.encoder_decoder import EncoderDecoder
from ..nn.known import KnownSequences
from ..nn.runtime import with_gradients
from .shim import TorchShim
from .torch_layer import run_module, torch_layer

Reads = Literal["symbols", "vectors"]
_READS: tuple[str, ...] = get_args(Reads)

# Beside those of the sequences, which are dimensions.
_SIZES = (
    "context_width",
    "symbol_width",
    "hidden_width",
    "depth",
    "decoder_width",
    "output_width",
    "attention",
    "attention_width",
    "input_feeding",
    "copy",
    "tied",
)


class Sources(NamedTuple):
    """What is read of B sequences.

    Attributes:
        symbols: The symbols of each, at least one (see `Symbols.source_numbers`).
        given: What the model's `tok2vec` knows, an array. A model that reads symbols takes the
            context of each sequence, shape (B, width). One that reads vectors takes those of all
            symbols, concatenated, shape (N, width).
    """

    symbols: list[list[int]]
    given: Floats2d


Targets = list[list[int]]
Decoding = tuple[Floats2d, Floats2d]


def AttentionDecoder_v1(
    tok2vec: Model[list[Doc], list[Floats2d]] | None = None,
    reads: Reads = "symbols",
    symbol_width: int = 64,
    context_width: int = 64,
    hidden_width: int = 96,
    depth: int = 1,
    decoder_width: int = 192,
    output_width: int | None = 192,
    dropout: float | None = 0.3,
    attention: Scoring = "general",
    attention_width: int | None = None,
    input_feeding: bool = False,
    copy: bool = True,
    tied: bool = False,
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] | None = None,
) -> Model:
    """Read sequences with a bidirectional LSTM, and write others with one that attends to them.

    Components tell it what to read, so it does not take documents (see `Sources`). The equations
    are in `spacy_attn.nn.decoder.AttentionDecoder` and `spacy_attn.nn.encoder_decoder`.

    Args:
        tok2vec: A layer that makes token vectors, of any kind that spaCy has. If the model reads
            symbols, the vector of a token is the context of its symbols: null for no context.
        reads: "symbols" to read the characters of a token, as `attn_lemmatizer` and
            `attn_transducer` do. "vectors" to read the tokens of a document by their vectors, as
            `attn_seq2seq` does.
        symbol_width: The width of the embeddings of symbols.
        context_width: To how many dimensions the context is reduced.
        hidden_width: The width of each direction of the LSTM that reads.
        depth: The number of its layers.
        decoder_width: The width of the LSTM that writes.
        output_width: The width of what state and attention are combined to. Null is
            `symbol_width`, which `tied` needs.
        dropout: The dropout rate in training: of embeddings, hidden states, and what is combined.
            Null follows `[training] dropout`.
        attention: The scoring function, as in `spacy_attn.nn.attention.Attention`.
        attention_width: The width in which "additive" and "additive_query" compare. Null is twice
            `hidden_width`.
        input_feeding: Whether each step reads what the last one has combined. Training then takes
            longer.
        copy: Whether a symbol of the source can be copied. Set it where both sides share symbols.
        tied: Whether the output weights are the embeddings of target symbols.
        mixed_precision: Whether to run in mixed precision. Try it on a GPU.
        grad_scaler_config: The arguments of `thinc.api.PyTorchGradScaler`, which mixed precision
            needs: init_scale, backoff_factor, growth_factor, growth_interval.

    Raises:
        ValueError: If a setting is out of its range, or two contradict each other.
    """
    where = "spacy-attn.AttentionDecoder.v1"
    check_positive(
        where,
        symbol_width=symbol_width,
        context_width=context_width,
        hidden_width=hidden_width,
        depth=depth,
        decoder_width=decoder_width,
        output_width=output_width,
        attention_width=attention_width,
    )
    check_rate(where, dropout=dropout)
    check_choice(where, "attention", attention, SCORINGS)
    check_choice(where, "reads", reads, _READS)
    if reads == "vectors" and tok2vec is None:
        raise ValueError(f"{where}: a model that reads vectors needs a 'tok2vec', but it is null.")
    if tied and output_width not in (None, symbol_width):
        raise ValueError(
            f"{where}: 'tied' needs an 'output_width' that is the 'symbol_width', {symbol_width}, "
            f"or null, but it is {output_width}."
        )
    values = locals()
    decoder: Model = torch_layer(
        "encoder_decoder",
        forward_decoder,
        init_decoder,
        EncoderDecoder,
        dims={"nI": None if tok2vec else 0, "nO": None, "nT": None},
        settings={"reads": reads, **{name: values[name] for name in _SIZES}},
        dropout=dropout,
        mixed_precision=mixed_precision,
        grad_scaler_config=grad_scaler_config,
    )
    return Model(
        "attention_decoder",
        forward,
        init=init,
        dims={"nO": None, "nT": None},
        layers=[tok2vec, decoder] if tok2vec else [decoder],
        refs={"tok2vec": tok2vec, "decoder": decoder},
    )


def forward(model: Model, X: Any, is_train: bool) -> Any:
    return model.get_ref("decoder")(X, is_train)


def init(model: Model, X: list[Doc] | None = None, Y: Any = None) -> None:
    """Make new weights, for the numbers of symbols and of tags that the component has set."""
    decoder, tok2vec = model.get_ref("decoder"), model.maybe_get_ref("tok2vec")
    for name in ("nO", "nT"):
        if model.has_dim(name):
            decoder.set_dim(name, model.get_dim(name), force=True)
    if tok2vec is not None:
        tok2vec.initialize(X)
        width = get_tok2vec_width(model)
        if width is None and X:
            width = tok2vec.predict(X)[0].shape[1]
        if width is not None:
            decoder.set_dim("nI", width, force=True)
    if all(decoder.has_dim(name) for name in ("nI", "nO", "nT")):
        decoder.initialize()


def forward_decoder(
    model: Model, X: tuple[Sources, Targets, float], is_train: bool, *, own_dropout: float | None
) -> tuple[Decoding, Callable[[Decoding], Floats2d]]:
    """Return the log-probabilities of targets and the logits of tags; see `begin_decoding`."""
    sources, targets, label_smoothing = X
    (found, tags), backprop = run_module(
        model,
        sources.given,
        *_tensors(model, sources),
        _padded(targets).to(_shim(model).device),
        is_train=is_train,
        own_dropout=own_dropout,
        label_smoothing=label_smoothing,
    )
    return (found, tags), lambda d_outputs: backprop(*d_outputs)


def init_decoder(model: Model, X: Any = None, Y: Any = None) -> None:
    _shim(model).build_module(**_module_sizes(model))


def _module_sizes(decoder: Model) -> dict[str, Any]:
    width = decoder.get_dim("nI")
    by_vectors = decoder.attrs["reads"].value == "vectors"
    return {
        "n_symbols": decoder.get_dim("nO"),
        "vectors_width": width if by_vectors else None,
        "given_width": 0 if by_vectors else width,
        "n_tags": decoder.get_dim("nT"),
        **{name: decoder.attrs[name].value for name in _SIZES},
    }


# What components do with such a model


def check_decoder(where: str, model: Any, reads: Reads) -> None:
    """Check that a model is one of this architecture, and what it reads.

    Raises:
        ValueError: If it is another, or reads something else.
    """
    if not (isinstance(model, Model) and model.name == "attention_decoder"):
        name = model.name if isinstance(model, Model) else repr(model)
        raise ValueError(
            f"{where}: it cannot use the model '{name}'. Set '@architectures' of its model to "
            f"spacy-attn.AttentionDecoder.v1."
        )
    found = model.get_ref("decoder").attrs["reads"].value
    if found != reads:
        raise ValueError(
            f'{where}: it needs a model with reads = "{reads}", but this one has reads = "{found}".'
        )


def token_layer(model: Model) -> Model[list[Doc], list[Floats2d]] | None:
    """Return the layer that makes token vectors, if the model has one."""
    return model.maybe_get_ref("tok2vec")


def can_copy(model: Model) -> bool:
    """Return whether a model can copy symbols of a source that its vocabulary lacks."""
    return bool(model.get_ref("decoder").attrs["copy"].value)


def check_sizes(model: Model) -> None:
    """Check that the module of a model with weights has the sizes that the layers around it have.

    Raises:
        ValueError: If it has another one.
    """
    decoder = model.get_ref("decoder")
    found, expected = cast(Any, _shim(decoder).module).sizes, _module_sizes(decoder)
    for name, value in expected.items():
        if found[name] != value:
            raise ValueError(
                f"'{name}' of '{decoder.name}' must be {value!r}, as in the config and the layers "
                f"around it, but is {found[name]!r}"
            )


def begin_decoding(
    model: Model, sources: Sources, targets: Targets, label_smoothing: float = 0.0
) -> tuple[Decoding, Callable[[Decoding], Floats2d]]:
    """Find the log-probabilities of targets, for training.

    Args:
        sources: What is read.
        targets: The symbols of each, without the end.
        label_smoothing: The share of each log-probability that is spread evenly over all symbols.

    Returns:
        Log-probabilities of the targets' symbols and ends, shape (B, L), 0 where a target has none;
        the logits of the tags, shape (B, n_tags); and a callback from the gradients with respect to
        both to the one with respect to `sources.given`.
    """
    return model.get_ref("decoder").begin_update((sources, targets, label_smoothing))


def score(
    model: Model, sources: Sources, targets: Targets, of_target: Sequence[int] | None = None
) -> Floats1d:
    """Return the log-probability of each target, which its symbols and its end sum up to.

    Args:
        sources: What is read.
        targets: The symbols of each, without the end.
        of_target: The source that each target is of. None if there is one for each.

    Returns:
        Shape (n_targets,).
    """
    decoder = model.get_ref("decoder")
    device = _shim(decoder).device
    picked = range(len(targets)) if of_target is None else of_target
    with _shim(decoder).predicting() as module:
        found = module.score(
            *_inputs(decoder, sources),
            _padded(targets).to(device),
            torch.tensor(list(picked), dtype=torch.int64, device=device),
        )
        return cast(Floats1d, torch2xp(found))


def align(model: Model, sources: Sources, targets: Targets) -> list[NDArray[numpy.float32]]:
    """Return the weights of attention where given targets are written.

    Returns:
        For each source, shape (n_target, n_source); rows sum to 1.
    """
    decoder = model.get_ref("decoder")
    with _shim(decoder).predicting() as module:
        padded = _padded(targets).to(_shim(decoder).device)
        weights = module.align(*_inputs(decoder, sources), padded)
    return [each.cpu().numpy() for each in weights]


def write(
    model: Model,
    sources: Sources,
    longest: Sequence[int],
    beam_width: int = 1,
    alignment: bool = False,
    known: KnownSequences | None = None,
) -> list[list[Written]]:
    """Write what follows from each source (see `spacy_attn.nn.decoder.AttentionDecoder.write`)."""
    decoder = model.get_ref("decoder")
    with _shim(decoder).predicting() as module:
        inputs = _inputs(decoder, sources)
        found = module.write(*inputs, longest, beam_width, alignment, known)
    return cast(list[list[Written]], found)


def _inputs(decoder: Model, sources: Sources) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    given = xp2torch(sources.given, device=_shim(decoder).device)
    return given, *_tensors(decoder, sources)


def _shim(decoder: Model) -> TorchShim:
    return cast(TorchShim, decoder.shims[0])


def _tensors(decoder: Model, sources: Sources) -> tuple[torch.Tensor, list[int]]:
    """Return all symbols, concatenated, and the lengths."""
    flat = numpy.fromiter((i for each in sources.symbols for i in each), dtype=numpy.int64)
    return torch.from_numpy(flat).to(_shim(decoder).device), list(map(len, sources.symbols))


def _padded(targets: Targets) -> torch.Tensor:
    """Return targets with their ends, padded, shape (B, L)."""
    lengths = [len(target) for target in targets]
    padded = numpy.full((len(targets), 1 + max(lengths, default=0)), PADDING, dtype=numpy.int64)
    for row, target in zip(padded, targets, strict=True):
        row[: len(target)] = target
        row[len(target)] = END
    return torch.from_numpy(padded)


def forget_symbols(model: Model) -> None:
    """Let weights with another number of symbols be loaded."""
    for layer in (model, model.get_ref("decoder")):
        layer.set_dim("nO", cast(int, None), force=True)


@with_gradients()
def resize_symbols(model: Model, n_symbols: int) -> None:
    """Add symbols to a model that has weights, which stay as they are."""
    decoder = model.get_ref("decoder")
    before = _shim(decoder).module.state_dict()
    n_before = decoder.get_dim("nO")
    for layer in (model, decoder):
        layer.set_dim("nO", n_symbols, force=True)
    init_decoder(decoder)
    after = _shim(decoder).module.state_dict()
    for name, weights in before.items():
        if weights.shape == after[name].shape:
            after[name].copy_(weights)
        else:
            after[name][:n_before].copy_(weights)
