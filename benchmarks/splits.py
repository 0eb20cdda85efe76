"""Data sets as Parquet files train, validation and test that every model reads."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy

from .errors import UsageError

if TYPE_CHECKING:
    from datasets import Dataset

Row = tuple[str, str]  # text and label
Splits = dict[str, list[Row]]

ROOT = Path(__file__).parents[2]
EMBEDDED = ROOT / "assets" / "movie_reviews"
# Names that data sets give to their validation split, in order of preference.
VALIDATION_NAMES = ("validation", "valid", "dev", "val")
# Held-out rows are drawn with this seed, whatever the seed of the model.
SPLIT_SEED = 0
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Columns:
    text: str = "text"
    label: str = "label"


@dataclass(frozen=True)
class Prepared:
    """A data set on disk, its splits disjoint.

    Attributes:
        name: What tables and folders call it.
        source: Where it came from.
        folder: Holds train.parquet, validation.parquet (for selection) and test.parquet (scored).
        scored: What the scored rows are.
        selection: What the rows are that models are selected on.
        counts: Number of rows of each file.
        labels: All labels, sorted.
        n_repeated: Scored rows whose text is also a text of training or selection.
        fingerprint: Of all texts and labels.
    """

    name: str
    source: str
    folder: str
    scored: str
    selection: str
    counts: dict[str, int]
    labels: list[str]
    n_repeated: int
    fingerprint: str

    def to_dict(self) -> dict[str, object]:
        # Without the folder: results must not depend on where they were made.
        return {key: value for key, value in asdict(self).items() if key != "folder"}


def dataset_name(source: str) -> str:
    """A short name for tables and folders."""
    path = Path(source)
    return path.resolve().name if path.exists() else source.replace("/", "--").replace(":", "-")


def prepare(source: str, columns: Columns, output: Path, limit: int = 0) -> Prepared:
    """Read a data set, split it if need be, and write it where the models find it.

    Args:
        source: A folder with train.parquet and perhaps validation.parquet and test.parquet; or the
            name of a data set on the hub, with ":" and its configuration if it has several.
        limit: Keep so many rows of each split, drawn at random; 0 keeps all.

    Raises:
        UsageError: If the data set cannot be used.
    """
    loaded = read_folder(Path(source), columns) if is_folder(source) else read_hub(source, columns)
    splits, scored, selection = make_splits(loaded)
    if limit:
        splits = {name: draw(rows, limit) for name, rows in splits.items()}
    if empty := [name for name, rows in splits.items() if not rows]:
        raise UsageError(f"{source}: no row is left for {empty[0]}; use a larger data set")
    digest = fingerprint(splits)
    folder = output / dataset_name(source) / f"data-{digest[:8]}"
    if not folder.exists():
        write_parquet(splits, folder)
    known = {text for name in ("train", "validation") for text, _ in splits[name]}
    return Prepared(
        name=dataset_name(source),
        source=source if not Path(source).exists() else dataset_name(source),
        folder=str(folder),
        scored=scored,
        selection=selection,
        counts={name: len(rows) for name, rows in splits.items()},
        labels=sorted({label for rows in splits.values() for _, label in rows}),
        n_repeated=sum(text in known for text, _ in splits["test"]),
        fingerprint=digest,
    )


def is_folder(source: str) -> bool:
    """RAISES: UsageError for what can be neither a folder nor a name on the hub."""
    path = Path(source)
    if path.is_file():
        raise UsageError(f"{source}: is a file; give the folder that holds train.parquet")
    no_hub_name = path.is_absolute() or source.startswith(".") or source.count("/") > 1
    if no_hub_name and not path.exists():
        raise UsageError(f"{source}: there is no such folder")
    return path.is_dir()


def read_folder(folder: Path, columns: Columns) -> Splits:
    import pyarrow.parquet  # type: ignore[import-untyped]
    from datasets import Dataset
    from datasets.table import InMemoryTable

    splits = {}
    for name in ("train", "validation", "test"):
        # Also "train-00000-of-00002.parquet", as the hub names them.
        if files := sorted([*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}-*.parquet")]):
            table = pyarrow.parquet.read_table(files)
            splits[name] = read_rows(Dataset(InMemoryTable(table)), columns, f"{folder}, {name}")
    if not splits.get("train"):
        raise UsageError(f"{folder}: there is no train.parquet in it, or no row in that")
    return {name: rows for name, rows in splits.items() if rows}


def read_hub(source: str, columns: Columns) -> Splits:
    from datasets import load_dataset

    name, _, config = source.partition(":")
    try:
        dataset = load_dataset(name, config or None)
    except Exception as error:
        # Which class it is depends on what is wrong and on the version of the library.
        raise UsageError(
            f"{source}: neither a folder nor a data set of the hub that can be loaded: {error}"
        ) from error
    if "train" not in dataset:
        raise UsageError(f"{source}: has no split 'train', but {', '.join(map(repr, dataset))}")
    found = {"train": "train", "test": "test"}
    found |= {"validation": next(filter(dataset.__contains__, VALIDATION_NAMES), "")}
    splits = {
        split: read_rows(dataset[own], columns, f"{source}, {own}")
        for split, own in found.items()
        if own in dataset
    }
    return {split: rows for split, rows in splits.items() if rows}


def read_rows(dataset: "Dataset", columns: Columns, where: str) -> list[Row]:
    """All rows, labels as names; none of a split whose labels are withheld (class id -1).

    Raises:
        UsageError: For a missing column or value.
    """
    for column in (columns.text, columns.label):
        if column not in dataset.column_names:
            raise UsageError(
                f"{where}: there is no column '{column}'; set --text-column and --label-column to "
                f"some of {', '.join(map(repr, dataset.column_names))}"
            )
    names = getattr(dataset.features[columns.label], "names", None)
    texts, labels = dataset[columns.text][:], dataset[columns.label][:]
    if names and -1 in labels:
        return []
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if not isinstance(text, str) or not isinstance(label, (str, int)):
            raise UsageError(
                f"{where}, row {number} (counted from 0): wanted a text and one label, "
                f"but found {text!r:.60} and {label!r:.60}"
            )
    spelled = [names[label] if names else str(label) for label in labels]
    return list(zip(texts, spelled, strict=True))


def make_splits(loaded: Mapping[str, list[Row]]) -> tuple[Splits, str, str]:
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
        n_all = len(loaded["train"])
        share = HELD_OUT_SHARE * n_all / max(1, len(splits["train"]))
        splits["train"], splits["validation"] = hold_out(splits["train"], share)
        selection = "a tenth of the training split"
    return {name: splits[name] for name in ("train", "validation", "test")}, scored, selection


def hold_out(rows: list[Row], share: float) -> tuple[list[Row], list[Row]]:
    """RETURNS: The rows that stay, and a fixed random share of them, both in their order."""
    chosen = set(shuffled(len(rows))[: round(share * len(rows))])
    kept = [row for i, row in enumerate(rows) if i not in chosen]
    return kept, [row for i, row in enumerate(rows) if i in chosen]


def draw(rows: list[Row], n: int) -> list[Row]:
    """The same random rows each time, in random order."""
    return [rows[i] for i in shuffled(len(rows))[:n]]


def shuffled(n: int) -> list[int]:
    order: list[int] = numpy.random.default_rng(SPLIT_SEED).permutation(n).tolist()
    return order


def fingerprint(splits: Splits) -> str:
    return hashlib.sha256(json.dumps(splits, sort_keys=True).encode()).hexdigest()


def write_parquet(splits: Splits, folder: Path) -> None:
    """Write all files or none."""
    import pyarrow
    import pyarrow.parquet

    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, rows in splits.items():
        texts, labels = zip(*rows, strict=True)
        table = pyarrow.table({"text": list(texts), "label": list(labels)})
        pyarrow.parquet.write_table(table, partial / f"{name}.parquet")
    partial.rename(folder)


def read_split(folder: Path, split: str) -> tuple[list[str], list[str]]:
    """RETURNS: The texts and the labels of a prepared split."""
    import pyarrow.parquet

    columns = pyarrow.parquet.read_table(folder / f"{split}.parquet").to_pydict()
    return columns["text"], columns["label"]
