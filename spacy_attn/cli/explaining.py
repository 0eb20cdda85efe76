"""What the commands that explain have in common: the pipeline and its component, and documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from spacy import util
from spacy.language import Language
from spacy.training import Example

from ..data.reader import HFDataset
from ..explanations.classifier import Classifier


def load_classifier(model: str, component: str | None) -> Classifier:
    """Load a pipeline.

    model: Its name or folder.
    component: The name of the component to explain; None where there is but one.
    RAISES: OSError if the pipeline cannot be loaded. ValueError if it has no such component, or
        several and none is named.
    """
    return Classifier(util.load_model(model), component)


def make_reader(
    data: str,
    *,
    text_column: str,
    label_column: str,
    split: str = "train",
    labels: str | None = None,
) -> HFDataset:
    """What reads labelled documents: those of `.spacy` files, or any data set.

    data: A `.spacy` file or a folder of them; or what `spacy-attn.HFDataset.v1` reads.
    text_column, label_column: One or several, separated by commas.
    labels: The names of the data's label numbers, separated by commas.
    """
    return HFDataset(
        data,
        split=split,
        text_column=_names(text_column),
        label_column=_names(label_column),
        labels=[name.strip() for name in labels.split(",")] if labels else None,
    )


def _names(columns: str) -> str | list[str]:
    names = [name.strip() for name in columns.split(",")]
    return names if len(names) > 1 else columns


def read_first(reader: HFDataset, nlp: Language, limit: int) -> Sequence[Example]:
    """The first documents; all of them if the limit is 0."""
    examples: Iterator[Example] = islice(reader(nlp), limit or None)
    return list(examples)
