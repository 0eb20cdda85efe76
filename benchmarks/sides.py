"""What is compared, and the passes that are timed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import spacy
import torch
from spacy import util
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch, registry
from thinc.api import Config, fix_random_seed
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from spacy_attn.models.arrays import runs
from spacy_attn.nn.batching import sub_batches
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.pipeline.prediction import MAX_CHUNK_TOKENS

from ..accuracy.configs import (
    BOW,
    ENSEMBLE,
    PARAMETRIC_ATTENTION,
    REDUCE,
    own_config,
    spacy_config,
)
from .corpus import ROOT, Corpus

# Makes a pass over a corpus, from the corpus, the batch size and the number of processes.
Pass = Callable[[], None]
MakePass = Callable[[Corpus, int, int], Pass]

OURS = "attn_textcat"
OURS_PLAIN = "attn_textcat, no perturbation"
TOKENIZER = "tokenizer alone"
BARE = "bare LSTM"
NAIVE = "packed LSTM, random order"
# What has no threads of torch.
SINGLE_THREADED = ("spacy BOW", "spacy reduce", "spacy parametric attention", "spacy ensemble")

_SPACY = {
    "spacy BOW": partial(spacy_config, BOW, None),
    "spacy reduce": partial(spacy_config, REDUCE, "efficiency"),
    "spacy parametric attention": partial(spacy_config, PARAMETRIC_ATTENTION, "efficiency"),
    "spacy ensemble": partial(spacy_config, ENSEMBLE, "efficiency"),
}
PIPELINES = (OURS, *_SPACY)
PREDICTING = (*PIPELINES, TOKENIZER, BARE, NAIVE)
TRAINING = (OURS, OURS_PLAIN, *_SPACY, BARE, NAIVE)


def make_prediction(side: str, training: Corpus) -> MakePass:
    """RETURNS: What makes a pass of prediction, of a pipeline initialised with some documents."""
    if side == TOKENIZER:
        return _tokenize
    if side in (BARE, NAIVE):
        return partial(_predict_lstm, side)
    nlp, _ = make_pipeline(side, training)
    return partial(_pipe, nlp)


def make_training(side: str, training: Corpus) -> MakePass:
    """RETURNS: What makes a pass of training."""
    if side in (BARE, NAIVE):
        return partial(_train_lstm, side)
    nlp, config = make_pipeline(side, training)
    return partial(_train, nlp, config)


def make_pipeline(side: str, corpus: Corpus) -> tuple[Language, Config]:
    """A pipeline as the config says, initialised with the words and labels of a corpus."""
    fix_random_seed(0)
    config = _config(side)
    config["training"].pop("before_to_disk", None)
    nlp = util.load_model_from_config(config, auto_fill=True)
    nlp.initialize(partial(make_examples, nlp, corpus))
    return nlp, nlp.config.interpolate()


def _config(side: str) -> Config:
    if side in _SPACY:
        return _SPACY[side]()
    config = own_config(ROOT / "configs" / "default.cfg")
    if side == OURS_PLAIN:
        config["components"]["attn_textcat"]["perturbation"] = 0.0
    return config


def make_examples(nlp: Language, corpus: Corpus) -> list[Example]:
    names = sorted(set(corpus.labels))
    return [
        Example.from_dict(
            nlp.make_doc(text), {"cats": {name: float(name == label) for name in names}}
        )
        for text, label in zip(corpus.texts, corpus.labels, strict=True)
    ]


def make_single(side: str, training: Corpus) -> MakePass:
    """RETURNS: What makes a pass over the documents one by one, with `nlp(text)`."""
    if side == TOKENIZER:
        return _tokenize
    if side == BARE:
        return lambda corpus, _, n_process: _predict_lstm(BARE, corpus, 1, n_process)
    nlp, _ = make_pipeline(side, training)

    def make(corpus: Corpus, batch_size: int, n_process: int) -> Pass:
        def run() -> None:
            for text in corpus.texts:
                nlp(text)

        return run

    return make


# Passes of prediction


def _pipe(nlp: Language, corpus: Corpus, batch_size: int, n_process: int) -> Pass:
    def run() -> None:
        for _ in nlp.pipe(corpus.texts, batch_size=batch_size, n_process=n_process):
            pass

    return run


def _tokenize(corpus: Corpus, batch_size: int, n_process: int) -> Pass:
    tokenizer = spacy.blank("en").tokenizer

    def run() -> None:
        for text in corpus.texts:
            tokenizer(text)

    return run


def _predict_lstm(side: str, corpus: Corpus, batch_size: int, n_process: int) -> Pass:
    batches = list(minibatch(count_tokens(corpus), batch_size))
    lstm: Any
    if side == NAIVE:
        lstm, inputs = _packed(batches)
    else:
        # In the runs that the component cuts a batch into.
        chunks = [chunk for batch in batches for chunk in runs(batch, MAX_CHUNK_TOKENS, int)]
        lstm, inputs = _bare(chunks)

    @torch.no_grad()
    def run() -> None:
        for x in inputs:
            for layer in lstm:
                layer(x)

    return run


# Passes of training


def _train(nlp: Language, config: Config, corpus: Corpus, batch_size: int, n_process: int) -> Pass:
    batches = list(minibatch(make_examples(nlp, corpus), batch_size))
    optimizer = registry.resolve({"optimizer": config["training"]["optimizer"]})["optimizer"]
    dropout = config["training"]["dropout"]

    def run() -> None:
        for batch in batches:
            nlp.update(batch, sgd=optimizer, drop=dropout)

    return run


def _train_lstm(side: str, corpus: Corpus, batch_size: int, n_process: int) -> Pass:
    batches = list(minibatch(count_tokens(corpus), batch_size))
    lstm, inputs = (_packed if side == NAIVE else _bare)(batches)

    def run() -> None:
        for x in inputs:
            for layer in lstm:
                outputs = layer(x)[0]
                outputs = outputs.data if side == NAIVE else outputs
                outputs.backward(torch.ones_like(outputs))

    return run


# The LSTM of our default width


def count_tokens(corpus: Corpus) -> list[int]:
    return [len(doc) for doc in spacy.blank("en").pipe(corpus.texts)]


def _widths() -> tuple[int, int]:
    """RETURNS: Those of the token vectors and of each direction, of the default config."""
    model = own_config(ROOT / "configs" / "default.cfg")["components"]["attn_textcat"]["model"]
    return model["tok2vec"]["width"], model["hidden_width"]


def _bare(batches: list[list[int]]) -> tuple[list[torch.nn.Module], list[torch.Tensor]]:
    """The one-directional LSTMs and random inputs, of the shapes that our component gives them."""
    width, hidden_width = _widths()
    bilstm = BiLSTM(width, hidden_width)
    inputs = [
        torch.randn(*group.forward.shape, width, requires_grad=True)
        for batch in batches
        for group in sub_batches(batch, torch.device("cpu"))
    ]
    return [bilstm.forwards[0], bilstm.backwards[0]], inputs


def _packed(batches: list[list[int]]) -> tuple[list[torch.nn.Module], list[Any]]:
    """What most tutorials do: a bidirectional LSTM over packed batches, in the order they come."""
    width, hidden_width = _widths()
    inputs = []
    for batch in batches:
        documents = [torch.randn(n, width, requires_grad=True) for n in batch if n]
        lengths = [len(document) for document in documents]
        inputs.append(pack_padded_sequence(pad_sequence(documents), lengths, enforce_sorted=False))
    detached = [packed._replace(data=packed.data.detach().requires_grad_()) for packed in inputs]
    return [torch.nn.LSTM(width, hidden_width, bidirectional=True)], detached
