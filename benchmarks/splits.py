"""Data sets as Parquet files train, validation and test, disjoint, that every model reads."""

import glob
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas as pd
import spacy
from numpy.typing import NDArray
from spacy.tokens import Doc

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.reader import HFDataset_v1

ROOT = Path(__file__).parents[1]
EMBEDDED = ROOT / "assets" / "movie_reviews"
# Names that the hub's data sets give to their splits, in order of preference.
NAMES = {
    "train": ["train"],
    "validation": ["validation", "valid", "dev", "val"],
    "test": ["test"],
}
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Prepared:
    """A data set on disk.

    Attributes:
        name: What tables and folders call it.
        folder: Holds train.parquet, validation.parquet (to select on) and test.parquet (scored).
        scored: What the scored rows are.
        selection: What the validation rows are, which models are selected on.
        counts: Number of rows of each file.
        labels: All labels, sorted.
        n_repeated: Scored rows whose text is also a text of the training or validation rows.
        fingerprint: Of all texts and labels.
    """

    name: str
    folder: Path
    scored: str
    selection: str
    counts: dict[str, int]
    labels: list[str]
    n_repeated: int
    fingerprint: str


def prepare(source: str, output: Path, *, limit: int = 0, **columns: str) -> Prepared:
    """Read a data set, split it if need be, and write it where the models find it.

    Args:
        source: A folder with train.parquet and perhaps validation.parquet and test.parquet; or the
            name of a data set on the hub, with ":" and its configuration if it has several.
        output: The folder for what is written.
        limit: Keep so many rows of each split, drawn at random; 0 keeps all.
        columns: `text_column` and `label_column`.

    Raises:
        DatasetError: If the data set cannot be used.
    """
    splits, scored, selection = hold_out_missing(read(source, columns))
    if limit:
        splits = {name: rows.iloc[shuffled(rows)[:limit]] for name, rows in splits.items()}
    if empty := [name for name, rows in splits.items() if rows.empty]:
        raise DatasetError(f"{source}: no row is left for {empty[0]}; use a larger data set")
    content = {name: rows.to_numpy().tolist() for name, rows in splits.items()}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path = Path(source)
    name = path.resolve().name if path.exists() else source.replace("/", "--").replace(":", "-")
    folder = output / name / f"data-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        rows.to_parquet(folder / f"{split}.parquet", index=False)
    known = pd.concat([splits["train"], splits["validation"]])
    return Prepared(
        name,
        folder,
        scored,
        selection,
        counts={split: len(rows) for split, rows in splits.items()},
        labels=sorted({*known["label"], *splits["test"]["label"]}),
        n_repeated=int(splits["test"]["text"].isin(known["text"]).sum()),
        fingerprint=digest,
    )


def read(source: str, columns: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Read the splits that there are, labels as names."""
    nlp = spacy.blank("en")
    # Texts are all that is wanted: each is one token.
    nlp.tokenizer = lambda text: Doc(nlp.vocab, [text][: len(text)], [False][: len(text)])
    splits = {}
    for name, place in find(source).items():
        try:
            reader = HFDataset_v1(**place, **columns, exclusive=True)
            docs = [example.reference for example in reader(nlp)]
        except DatasetError as error:
            # The labels of a split that others are judged on may be withheld.
            if name == "train" or "class id -1" not in str(error):
                raise
            continue
        rows = [(doc.text, max(doc.cats, key=doc.cats.__getitem__)) for doc in docs]
        splits[name] = pd.DataFrame(rows, columns=["text", "label"])
    return splits


def find(source: str) -> dict[str, dict[str, Any]]:
    """Return the arguments of the reader for each split that a source has."""
    path = Path(source)
    if path.is_dir():
        # Also "train-00000-of-00002.parquet", as the hub names them.
        patterns = {name: f"{glob.escape(source)}/{name}[.-]*parquet" for name in NAMES}
        found = {name: {"path": files} for name, files in patterns.items() if glob.glob(files)}
        if "train" not in found:
            raise DatasetError(f"{source}: there is no train.parquet in it")
        return found
    if path.exists() or path.is_absolute() or source.startswith(".") or source.count("/") > 1:
        return {"train": {"path": source}}
    from datasets import get_dataset_split_names

    dataset, _, config = source.partition(":")
    place = {"path": dataset, "name": config or None}
    own = get_dataset_split_names(dataset, config or None)
    splits = {name: [x for x in known if x in own] for name, known in NAMES.items()}
    return {name: {**place, "split": found[0]} for name, found in splits.items() if found}


def hold_out_missing(
    loaded: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], str, str]:
    """Hold out what is missing, so that no row serves two ends.

    Args:
        loaded: The split "train", and perhaps "validation" and "test".

    Returns:
        Splits "train", "validation" (to select on) and "test" (scored); what the scored rows are;
        and what the validation rows are.
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
    """Return the numbers of all rows, in the same random order whatever the model's seed is."""
    return numpy.random.default_rng(0).permutation(len(rows))
