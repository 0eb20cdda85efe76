"""Data sets as Parquet files train, validation and test, disjoint, that every model reads."""

import glob
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas as pd
import spacy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.reader import HFDataset_v1

ROOT = Path(__file__).parents[1]
EMBEDDED = ROOT / "assets" / "movie_reviews"
# Names that data sets give to their splits, in order of preference.
NAMES = {
    "train": ("train",),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}
# Held-out rows are drawn with this seed, whatever the seed of the model.
SPLIT_SEED = 0
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Prepared:
    """A data set on disk.

    Attributes:
        name: What tables and folders call it.
        folder: Holds train.parquet, validation.parquet (for selection) and test.parquet (scored).
        scored: What the scored rows are.
        selection: What the rows are that models are selected on.
        counts: Number of rows of each file.
        labels: All labels, sorted.
        n_repeated: Scored rows whose text is also a text of training or selection.
        fingerprint: Of all texts and labels.
    """

    name: str
    folder: str
    scored: str
    selection: str
    counts: dict[str, int]
    labels: list[str]
    n_repeated: int
    fingerprint: str


def prepare(
    source: str,
    output: Path,
    *,
    text_column: str = "text",
    label_column: str = "label",
    limit: int = 0,
) -> Prepared:
    """Read a data set, split it if need be, and write it where the models find it.

    Args:
        source: A folder with train.parquet and perhaps validation.parquet and test.parquet; or the
            name of a data set on the hub, with ":" and its configuration if it has several.
        output: The folder for what is written.
        text_column: The column of the texts.
        label_column: The column of the labels.
        limit: Keep so many rows of each split, drawn at random; 0 keeps all.

    Raises:
        DatasetError: If the data set cannot be used.
    """
    splits, scored, selection = hold_out_missing(read(source, text_column, label_column))
    if limit:
        splits = {name: rows.iloc[shuffled(rows)[:limit]] for name, rows in splits.items()}
    if empty := [name for name, rows in splits.items() if rows.empty]:
        raise DatasetError(f"{source}: no row is left for {empty[0]}; use a larger data set")
    digest = fingerprint(splits)
    path = Path(source)
    name = path.resolve().name if path.exists() else source.replace("/", "--").replace(":", "-")
    folder = output / name / f"data-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        rows.to_parquet(folder / f"{split}.parquet", index=False)
    known = pd.concat([splits["train"], splits["validation"]])
    return Prepared(
        name=name,
        folder=str(folder),
        scored=scored,
        selection=selection,
        counts={split: len(rows) for split, rows in splits.items()},
        labels=sorted({*known["label"], *splits["test"]["label"]}),
        n_repeated=int(splits["test"]["text"].isin(known["text"]).sum()),
        fingerprint=digest,
    )


def read(source: str, text_column: str, label_column: str) -> dict[str, pd.DataFrame]:
    """Read the splits that there are, labels as names."""
    splits = {}
    for name, place in find(source).items():
        reader = HFDataset_v1(
            **place, text_column=text_column, label_column=label_column, exclusive=True
        )
        try:
            references = [example.reference for example in reader(make_nlp_without_tokens())]
        except DatasetError as error:
            # The labels of a split that others are judged on may be withheld.
            if name == "train" or "class id -1" not in str(error):
                raise
            continue
        rows = [(doc.text, max(doc.cats, key=doc.cats.__getitem__)) for doc in references]
        splits[name] = pd.DataFrame(rows, columns=["text", "label"])
    return splits


def make_nlp_without_tokens() -> Language:
    """Make a pipeline to whose tokenizer every text is one token: texts are all that is wanted."""
    nlp = spacy.blank("en")
    nlp.tokenizer = lambda text: Doc(nlp.vocab, [text][: len(text)], [False][: len(text)])
    return nlp


def find(source: str) -> dict[str, dict[str, Any]]:
    """Return the arguments of the reader for each split that a source has."""
    path = Path(source)
    if path.is_dir():
        # Also "train-00000-of-00002.parquet", as the hub names them.
        patterns = {name: f"{glob.escape(source)}/{name}[.-]*parquet" for name in NAMES}
        found = {name: pattern for name, pattern in patterns.items() if glob.glob(pattern)}
        if "train" not in found:
            raise DatasetError(f"{source}: there is no train.parquet in it")
        return {name: {"path": pattern} for name, pattern in found.items()}
    no_hub_name = path.is_absolute() or source.startswith(".") or source.count("/") > 1
    if path.exists() or no_hub_name:
        return {"train": {"path": source}}
    from datasets import get_dataset_split_names

    dataset, _, config = source.partition(":")
    own = get_dataset_split_names(dataset, config or None)
    names = {name: next(filter(own.__contains__, known), None) for name, known in NAMES.items()}
    place = {"path": dataset, "name": config or None}
    return {name: {**place, "split": split} for name, split in names.items() if split}


def hold_out_missing(loaded: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], str, str]:
    """Hold out what is missing, so that no row serves two ends.

    Args:
        loaded: The split "train", and perhaps "validation" and "test".

    Returns:
        Splits "train", "validation" (for selection) and "test" (scored); what the scored rows are;
        and what the rows for selection are.
    """
    splits, scored, selection = dict(loaded), "the test split", "the validation split"
    if "test" not in splits and "validation" in splits:
        splits["test"] = splits.pop("validation")
        scored = "held-out: the validation split, since there is no test split"
    elif "test" not in splits:
        splits["train"], splits["test"] = hold_out(splits["train"], HELD_OUT_SHARE)
        scored = "held-out: a tenth of the training split, since there is no other"
    if "validation" not in splits:
        # A tenth of the whole, where another tenth has been taken away before.
        share = HELD_OUT_SHARE * len(loaded["train"]) / max(1, len(splits["train"]))
        splits["train"], splits["validation"] = hold_out(splits["train"], share)
        selection = "a tenth of the training split"
    return {name: splits[name] for name in NAMES}, scored, selection


def hold_out(rows: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that stay, and a fixed random share of them, both in their order."""
    chosen = numpy.sort(shuffled(rows)[: round(share * len(rows))])
    return rows.drop(rows.index[chosen]), rows.iloc[chosen]


def shuffled(rows: pd.DataFrame) -> NDArray[numpy.int64]:
    """Return the numbers of all rows, in the same random order each time."""
    return numpy.random.default_rng(SPLIT_SEED).permutation(len(rows))


def fingerprint(splits: dict[str, pd.DataFrame]) -> str:
    content = {name: rows.to_numpy().tolist() for name, rows in splits.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
