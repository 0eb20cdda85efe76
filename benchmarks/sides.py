"""What the benchmark of speed compares, the passes of each side, and the documents they go over."""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import pandas as pd
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

from .child import peak_memory, reset_peak
from .models import DEFAULT_CONFIG, ENSEMBLE, MODELS, OURS, SPACY_DEFAULT, file_config
from .splits import EMBEDDED

Task = Literal["predict", "train", "single"]

PLAIN = "attn_textcat, no perturbation"
TOKENIZER = "tokenizer alone"
BARE = "bare LSTM"
NAIVE = "packed LSTM, random order"
SPACY = (SPACY_DEFAULT, "spacy BOW", "spacy reduce", "spacy parametric attention", ENSEMBLE)
PIPELINES = (OURS, *SPACY)

# How many snippets, of about 20 tokens each, make a document.
LENGTHS = {"short": 1, "middle": 4, "long": 12}
# Of which the vocabulary is made.
TRAINING_SNIPPETS = 6000


class Setting(NamedTuple):
    """What a pass goes over: so many snippets, joined to documents of a length, in batches."""

    length: str
    n_snippets: int
    batch_size: int


class Timing(NamedTuple):
    """Seconds of a pass, and resident memory at its highest, in bytes, where the system tells."""

    seconds: float
    peak: int | None


def make_texts(length: str, n_snippets: int) -> list[str]:
    """Join the snippets of the embedded data set to documents; each snippet comes once in a round.

    Args:
        length: A name of `LENGTHS`.
        n_snippets: How many to use, more than there are by going round again.
    """
    size = LENGTHS[length]
    snippets = pd.read_parquet(EMBEDDED / "train.parquet")["text"].tolist()
    shuffle = random.Random(0).shuffle
    pool: list[str] = []
    while len(pool) < n_snippets:
        shuffle(snippets)
        pool += snippets
    return [" ".join(pool[i : i + size]) for i in range(0, n_snippets - size + 1, size)]


def count_tokens(texts: Sequence[str]) -> list[int]:
    return [len(doc) for doc in spacy.blank("en").pipe(texts)]


def make_examples(nlp: Language, texts: Sequence[str]) -> list[Example]:
    """Make training examples, positive and negative by turns."""
    return [
        Example.from_dict(
            nlp.make_doc(text), {"cats": {"negative": float(i % 2), "positive": 1.0 - i % 2}}
        )
        for i, text in enumerate(texts)
    ]


def make_pipeline(side: str, texts: Sequence[str]) -> tuple[Language, Config]:
    """Make a pipeline as the config says, initialized with the words of some texts."""
    fix_random_seed(0)
    if side in SPACY:
        make = MODELS[side].config
        assert make is not None
        config = make()
    else:
        config = file_config(DEFAULT_CONFIG)
    if side == PLAIN:
        config["components"][OURS]["perturbation"] = 0.0
    config["training"].pop("before_to_disk", None)
    nlp = util.load_model_from_config(config, auto_fill=True)
    nlp.initialize(partial(make_examples, nlp, texts))
    return nlp, nlp.config.interpolate()


class Side:
    """One of the things compared.

    Args:
        name: A pipeline, or one of the names above.
        task: What a pass does: predict by `nlp.pipe`, predict by `nlp(text)`, or train.
        n_snippets: Of the texts that pipelines are initialized with.
    """

    def __init__(self, name: str, task: Task, n_snippets: int = TRAINING_SNIPPETS) -> None:
        self.name = name
        self.task = task
        if name in (*PIPELINES, PLAIN):
            self.nlp, self.config = make_pipeline(name, make_texts("short", n_snippets))

    def prepare(self, setting: Setting) -> None:
        """Make ready for passes over a setting, and run one to warm up."""
        texts = make_texts(setting.length, setting.n_snippets)
        size = 1 if self.task == "single" else setting.batch_size
        self._pass: Callable[[], object]
        if self.name == TOKENIZER:
            self._pass = partial(call_with_each, spacy.blank("en").tokenizer, texts)
        elif self.name in (BARE, NAIVE):
            self._pass = make_lstm_pass(self.name, self.task, texts, size)
        elif self.task == "single":
            self._pass = partial(call_with_each, self.nlp, texts)
        elif self.task == "predict":
            pipe = partial(self.nlp.pipe, batch_size=size)
            self._pass = lambda: deque(pipe(texts), maxlen=0)
        else:
            self._pass = make_training_pass(self.nlp, self.config["training"], texts, size)
        self._pass()

    def run(self) -> Timing:
        """Make one pass."""
        reset_peak()
        start = time.perf_counter()
        self._pass()
        return Timing(time.perf_counter() - start, peak_memory())


def call_with_each(function: Callable[[str], object], texts: Sequence[str]) -> None:
    for text in texts:
        function(text)


def make_training_pass(
    nlp: Language, settings: dict[str, Any], texts: Sequence[str], size: int
) -> Callable[[], None]:
    batches = list(minibatch(make_examples(nlp, texts), size))
    optimizer = registry.resolve({"optimizer": settings["optimizer"]})["optimizer"]

    def run() -> None:
        for batch in batches:
            nlp.update(batch, sgd=optimizer, drop=settings["dropout"])

    return run


def make_lstm_pass(side: str, task: Task, texts: Sequence[str], size: int) -> Callable[[], None]:
    """Make a pass of the LSTM of our default width alone, whose inputs lie ready."""
    batches: list[list[int]] = list(minibatch(count_tokens(texts), size))
    training = task == "train"
    model = file_config(DEFAULT_CONFIG)["components"][OURS]["model"]
    widths = model["tok2vec"]["width"], model["hidden_width"]
    if side == NAIVE:
        # What most tutorials do: a bidirectional LSTM over packed batches, in the order they come.
        layers: list[torch.nn.Module] = [torch.nn.LSTM(*widths, bidirectional=True)]
        inputs = [_pack([torch.randn(n, widths[0]) for n in batch if n]) for batch in batches]
    else:
        # The one-directional LSTMs and shapes of our component, in the runs that it cuts a batch
        # into at prediction.
        bilstm = BiLSTM(*widths)
        layers = [bilstm.forwards[0], bilstm.backwards[0]]
        chunks = [x for batch in batches for x in runs(batch, MAX_CHUNK_TOKENS, int)]
        inputs = [
            torch.randn(*group.forward.shape, widths[0], requires_grad=True)
            for chunk in (batches if training else chunks)
            for group in sub_batches(chunk, torch.device("cpu"))
        ]

    def run() -> None:
        with torch.set_grad_enabled(training):
            for x in inputs:
                for layer in layers:
                    outputs = layer(x)[0]
                    if training:
                        outputs = outputs.data if side == NAIVE else outputs
                        outputs.backward(torch.ones_like(outputs))

    return run


def _pack(documents: list[torch.Tensor]) -> Any:
    lengths = [len(document) for document in documents]
    packed = pack_padded_sequence(pad_sequence(documents), lengths, enforce_sorted=False)
    return packed._replace(data=packed.data.detach().requires_grad_())
