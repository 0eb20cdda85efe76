"""Treebanks with lemmas, as the files that spaCy and Stanza train on."""

import json
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.tokens import Doc, DocBin

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.token_reader import HFTokens

from .splits import Prepared, find
from .training import fingerprint

HUB = "universal-dependencies/universal_dependencies"
DEFAULT = tuple(f"{HUB}:{name}" for name in ("en_ewt", "fr_sequoia", "tr_imst"))


class Sentence(NamedTuple):
    """A sentence of a treebank, three values for each token."""

    tokens: list[str]
    lemmas: list[str]
    upos: list[str]


def prepare(source: str, output: Path, *, scored: str = "validation", limit: int = 0) -> Prepared:
    """Read a treebank, and write it where the lemmatizers find it.

    Args:
        source: A folder of Parquet files, or a name on the hub, with ":" and its configuration.
        output: The folder for what is written.
        scored: The split to score on, "validation" or "test". Models are selected on the former.
        limit: Keep so many sentences of each split, the first; 0 keeps all.

    Returns:
        The treebank; its labels are its parts of speech, its counts those of tokens.

    Raises:
        DatasetError: If a split is missing, or a row cannot be used.
    """
    splits = {}
    places = find(source)
    for name in dict.fromkeys(("train", "validation", scored)):
        if name not in places:
            raise DatasetError(f"{source}: there is no {name} split in it")
        splits[name] = read(places[name])[: limit or None]
    digest = fingerprint(splits)
    path = Path(source)
    name = path.name if path.exists() else source.rpartition(":")[2].replace("/", "--")
    folder = output / name / f"data-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for split, sentences in splits.items():
        write(folder / split, sentences)
    known = {tuple(sentence.tokens) for sentence in splits["train"]}
    return Prepared(
        name,
        folder,
        f"the {scored} split",
        "the validation split",
        counts={name: sum(len(x.tokens) for x in own) for name, own in splits.items()},
        labels=sorted({tag for own in splits.values() for x in own for tag in x.upos}),
        n_repeated=sum(tuple(sentence.tokens) in known for sentence in splits[scored]),
        fingerprint=digest,
    )


def read(place: Mapping[str, Any]) -> list[Sentence]:
    """Read a split. A value that is missing is empty."""
    docs = (example.reference for example in HFTokens(**place)(spacy.blank("xx")))
    columns = attrgetter("text", "lemma_", "pos_")
    return [Sentence(*map(list, zip(*map(columns, doc), strict=True))) for doc in docs]


def write(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write sentences as JSON to score with, as `.spacy` for spaCy, as `.conllu` for Stanza."""
    sentences = list(sentences)
    path.with_suffix(".json").write_text(json.dumps(sentences))
    vocab = spacy.blank("xx").vocab
    docs = [
        Doc(
            vocab,
            words=sentence.tokens,
            lemmas=sentence.lemmas,
            pos=sentence.upos,
            sent_starts=[i == 0 for i in range(len(sentence.tokens))],
        )
        for sentence in sentences
    ]
    DocBin(docs=docs).to_disk(path.with_suffix(".spacy"))
    path.with_suffix(".conllu").write_text("".join(map(to_conllu, sentences)))


def load(path: Path) -> list[Sentence]:
    """Read what `write` has written."""
    return [Sentence(*columns) for columns in json.loads(path.read_text())]


def to_conllu(sentence: Sentence) -> str:
    """Make the lines of a sentence. Its tree, which is not known, is a chain."""
    lines = []
    for i, row in enumerate(zip(*sentence, strict=True)):
        values = (value or "_" for value in row)
        tree = (str(i), "dep" if i else "root")
        lines.append("\t".join((str(i + 1), *values, "_", "_", *tree, "_", "_")) + "\n")
    return "".join(lines) + "\n"
