"""How much of a training pass is the LSTM itself.

Trains `attn_textcat` with its default settings for one pass over documents of 300 tokens, as `spacy
train` does (`nlp.update`, dropout, optimizer, averages), and runs the bare one-directional LSTMs of
the same widths, forward and backward, over the same sub-batches in plain torch. The two take turns.
With `--perturbation 3` the component trains as in the project's configs, on each batch twice.

    python benchmarks/training_speed.py
"""

import random
import statistics
import time

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import fix_random_seed
from wasabi import msg

from spacy_attn.torch.batching import sub_batches
from spacy_attn.torch.bilstm import BiLSTM

LABELS = ("positive", "negative")


def make_examples(nlp: Language, n_docs: int, n_tokens: int) -> list[Example]:
    """Documents of words drawn with the frequencies of natural language (Zipf's law)."""
    words = [f"word{i}" for i in range(20_000)]
    weights = [1 / (i + 1) for i in range(len(words))]
    examples = []
    for i in range(n_docs):
        doc = Doc(nlp.vocab, words=random.choices(words, weights, k=n_tokens))
        cats = {label: float(label == LABELS[i % 2]) for label in LABELS}
        examples.append(Example.from_dict(doc, {"cats": cats}))
    return examples


def train_component(nlp: Language, batches: list[list[Example]], dropout: float) -> float:
    """RETURNS: Seconds for one pass."""
    sgd = nlp.create_optimizer()
    start = time.perf_counter()
    for batch in batches:
        nlp.update(batch, sgd=sgd, drop=dropout)
    return time.perf_counter() - start


def train_bare_lstm(encoder: BiLSTM, width: int, batches: list[list[Example]]) -> float:
    """RETURNS: Seconds for a pass of the LSTMs alone, without embedding, attention or optimizer."""
    prepared = []
    for batch in batches:
        lengths = [len(example.predicted) for example in batch]
        for group in sub_batches(lengths, torch.device("cpu")):
            prepared.append(torch.randn(*group.forward.shape, width))
    start = time.perf_counter()
    for inputs in prepared:
        for lstm in (encoder.forwards[0], encoder.backwards[0]):
            outputs, _ = lstm(inputs.requires_grad_())
            outputs.backward(torch.ones_like(outputs))
    return time.perf_counter() - start


def main(
    n_docs: int = 2000,
    n_tokens: int = 300,
    batch_size: int = 32,
    dropout: float = 0.5,
    rounds: int = 3,
    perturbation: float = 0.0,
) -> None:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    component = nlp.add_pipe("attn_textcat", config={"perturbation": perturbation})
    batches = list(minibatch(make_examples(nlp, n_docs, n_tokens), batch_size))
    nlp.initialize(lambda: (example for batch in batches for example in batch))
    layer = component.model.get_ref("bilstm")
    width = layer.get_dim("nI")
    bare = BiLSTM(width, layer.attrs["hidden_width"])
    seconds: dict[str, list[float]] = {"component": [], "bare LSTM": []}
    train_bare_lstm(bare, width, batches[:2])
    train_component(nlp, batches[:2], dropout)
    for _ in range(rounds):
        seconds["component"].append(train_component(nlp, batches, dropout))
        seconds["bare LSTM"].append(train_bare_lstm(bare, width, batches))
    tokens = n_docs * n_tokens
    rows = [
        (name, f"{statistics.median(values):.1f}", f"{tokens / statistics.median(values):,.0f}")
        for name, values in seconds.items()
    ]
    msg.table(rows, header=("training pass", "seconds", "tokens/s"), divider=True)
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    msg.text(
        f"component / bare LSTM: {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} over {rounds} rounds, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__})"
    )


if __name__ == "__main__":
    typer.run(main)
