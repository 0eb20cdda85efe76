"""`[initialize.before_init]` for training: what the corpora hold, said before training starts."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.training import Corpus, Example
from spacy.training.corpus import walk_corpus
from wasabi import msg

from .errors import DatasetError, MissingDataError, listing
from .reader import HFDataset

Reader = Callable[[Language], Iterable[Example]]
Labels = Mapping[str, float]

_N_SHOWN = 20


def make_describe_data(
    train: Reader,
    dev: Reader,
    then: Callable[[Language], Any] | None = None,
) -> Callable[[Language], None]:
    """Create a callback that prints the rows and the labels of the corpora, and compares them.

    It reads the rows once more, but does not tokenize them. It does not count streams, nor corpora
    of other readers than `spacy-attn.HFDataset.v1` and `spacy.Corpus.v1`.

    Args:
        train: The reader of the training data, `${corpora.train}`.
        dev: The reader of the validation data, `${corpora.dev}`.
        then: Another callback to call afterwards, since the block holds only one.

    Returns:
        The callback. It raises a `DatasetError` if training and validation data have no label in
        common, or cannot be read.
    """

    def describe_data(nlp: Language) -> None:
        _tell_unused_paths(nlp)
        _describe_corpora(train, dev, nlp)
        if then is not None:
            then(nlp)

    return describe_data


def _describe_corpora(train: Reader, dev: Reader, nlp: Language) -> None:
    streamed = nlp.config["training"].get("max_epochs") == -1
    try:
        of_train = None if streamed else _describe(train, nlp, "Training data")
    except MissingDataError as error:
        # A pipeline may be initialized with other examples than those that its config names, or be
        # pretrained. Training reads the corpus next, and fails.
        msg.warn(f"{error}; the corpora are not counted")
        return
    of_dev = _describe(dev, nlp, "Development data")
    if _rows_of(train) == _rows_of(dev):
        msg.warn("Training and validation data are the same: the scores say nothing of other data")
    if of_train and of_dev:
        _compare(of_train, of_dev)


def _describe(reader: Reader, nlp: Language, title: str) -> Labels | None:
    """Print how many rows a corpus has, and return how many of them have which label.

    Probabilities are summed. None if nobody knows.
    """
    all_cats = _read_cats(reader, nlp)
    path = getattr(reader, "path", None)
    name = f"'{path}'" if path else f"read by {type(reader).__name__}"
    name = f"{title}: {reader if isinstance(reader, HFDataset) else name}"
    if all_cats is None:
        msg.info(f"{name} (not counted)")
        return None
    labels: Counter[str] = Counter()
    n_rows = 0
    for cats in all_cats:
        n_rows += 1
        for label, value in cats.items():
            if value:
                labels[label] += value  # type: ignore[assignment]
    # Sums of probabilities in single precision, and numbers of any size.
    counts = [f"{label} {round(value, 3):,.10g}" for label, value in labels.most_common(_N_SHOWN)]
    if len(labels) > _N_SHOWN:
        counts.append(f"and {len(labels) - _N_SHOWN:,} more labels")
    msg.info(f"{name}: {n_rows:,} rows; {', '.join(counts) or 'no labels'}")
    return labels


def _compare(train: Labels, dev: Labels) -> None:
    """Hold the labels of the validation data against those of the training data."""
    new = sorted(dev.keys() - train.keys())
    if len(new) == len(dev):
        raise DatasetError(
            f"training and validation data have no label in common: {listing(sorted(train))} in "
            f"the training data, {listing(new)} in the validation data; check [paths], the label "
            "columns and 'labels'"
        )
    if new:
        n_rows = sum(dev[label] for label in new)
        msg.warn(
            f"The training data lack labels of the validation data, which cannot be learned: "
            f"{listing(new)} ({n_rows:,.10g} rows)"
        )


def _read_cats(reader: Reader, nlp: Language) -> Iterable[Labels] | None:
    """Go through the categories of each row, without a document where that can be had."""
    if isinstance(reader, HFDataset):
        return reader.read_cats(nlp.vocab)
    if isinstance(reader, Corpus):
        docs = reader.read_docbin(nlp.vocab, walk_corpus(reader.path, ".spacy"))
        return (doc.cats for doc in islice(docs, reader.limit or None))
    return None


def _rows_of(reader: Reader) -> object:
    """Return what tells the rows that a reader reads from those of another one."""
    if not isinstance(reader, HFDataset):
        return object()  # other readers are not compared
    # The split of a single file may have any name.
    is_file = os.path.isfile(os.path.expanduser(str(reader.path)))
    split = "" if is_file and reader.split.isidentifier() else reader.split
    names = ("path", "name", "revision", "data_files", "columns", "label_columns", "dialect")
    return split, *(getattr(reader, name) for name in names)


def _tell_unused_paths(nlp: Language) -> None:
    """Warn of a path that nothing refers to, as after a slip in --paths.train.

    It is no error: who puts other readers into [corpora] may leave [paths] as they were.
    """
    written = nlp.config.to_str(interpolate=False)
    if "${paths}" in written or "${paths." not in str(nlp.config["corpora"]):
        return  # all are used, or values have taken the place of the variables
    for name, path in nlp.config.get("paths", {}).items():
        if path is not None and f"${{paths.{name}}}" not in written:
            msg.warn(f"Nothing in the config reads [paths] {name} = '{path}'")
