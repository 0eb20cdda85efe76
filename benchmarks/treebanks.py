"""Treebanks with lemmas, as the files that spaCy and Stanza train on."""

import glob
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import datasets
import spacy
from spacy.tokens import Doc, DocBin

from spacy_attn.data.errors import DatasetError

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
        DatasetError: If a split or a lemma is missing.
    """
    splits = {}
    places = find(source)
    for name in dict.fromkeys(("train", "validation", scored)):
        if name not in places:
            raise DatasetError(f"{source}: there is no {name} split in it")
        splits[name] = read(source, places[name])[: limit or None]
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


def read(source: str, place: dict[str, str]) -> list[Sentence]:
    """Read a split, parts of speech as names.

    Raises:
        DatasetError: If a token has no lemma, or columns are not of one length.
    """
    if "split" in place:
        rows = datasets.load_dataset(**place)
    else:
        files = sorted(glob.glob(place["path"]))
        rows = datasets.Dataset.from_parquet(files)
    tags = getattr(rows.features["upos"], "feature", None)
    sentences = []
    for number, row in enumerate(rows):
        names = getattr(tags, "names", None)
        upos = [names[tag] for tag in row["upos"]] if names else row["upos"]
        sentence = Sentence(row["tokens"], row["lemmas"], upos)
        if len({len(column) for column in sentence}) > 1 or None in sentence.lemmas:
            raise DatasetError(f"{source}, row {number}: wanted one lemma and tag for each token")
        sentences.append(sentence)
    return sentences


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
    rows = zip(*sentence, strict=True)
    lines = (
        f"{i}\t{token}\t{lemma}\t{tag}\t_\t_\t{i - 1}\t{'dep' if i > 1 else 'root'}\t_\t_\n"
        for i, (token, lemma, tag) in enumerate(rows, start=1)
    )
    return "".join(lines) + "\n"
