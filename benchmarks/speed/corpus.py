"""Documents of natural text, of several lengths."""

import random
from dataclasses import dataclass
from pathlib import Path

import pandas as pd  # the Parquet reader that `datasets` brings along

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = ROOT / "assets" / "movie_reviews" / "train.parquet"

# How many snippets, of about 20 tokens each, make a document.
LENGTHS = {"short": 1, "middle": 4, "long": 12}


@dataclass(frozen=True)
class Corpus:
    """Texts, and a label for each of them."""

    texts: list[str]
    labels: list[str]


def make_corpus(length: str, n_snippets: int) -> Corpus:
    """Join the snippets of the embedded data set to documents; each snippet comes once in a round.

    Args:
        length: A name of `LENGTHS`.
        n_snippets: How many to use, more than there are by going round again.
    """
    size = LENGTHS[length]
    rows = pd.read_parquet(SNIPPETS)
    snippets = list(rows["text"])
    shuffle = random.Random(0).shuffle
    pool: list[str] = []
    while len(pool) < n_snippets:
        shuffle(snippets)
        pool += snippets
    texts = [" ".join(pool[i : i + size]) for i in range(0, n_snippets - size + 1, size)]
    return Corpus(texts, [("positive", "negative")[i % 2] for i in range(len(texts))])
