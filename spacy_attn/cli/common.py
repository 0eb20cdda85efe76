"""What the commands that explain have in common: the pipeline and its component, and documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from spacy import util
from spacy.language import Language
from spacy.training import Example

from ..data.docbins import is_spacy_data
from ..data.reader import HFDataset
from ..interpret.subject import Classifier
from .options import DEFAULTS, DataOptions

# Settings that have an option of their own.
_HAVE_OPTIONS = {
    "path": "DATA",
    "split": "--split",
    "text_column": "--text-column",
    "label_column": "--label-column",
    "labels": "--labels",
    "limit": "--limit",
}


def load_classifier(model: str, component: str | None) -> Classifier:
    """Load a pipeline.

    Args:
        model: Its name or folder.
        component: The name of the component to explain; None where there is but one.

    Raises:
        OSError: If the pipeline cannot be loaded. ValueError if it has no such component, or
            several and none is named.
    """
    return Classifier(util.load_model(model), component)


def make_reader(data: str, options: DataOptions = DEFAULTS, *, labelled: bool = True) -> HFDataset:
    """What reads documents: those of `.spacy` files, or any data set.

    Args:
        data: A `.spacy` file or a folder of them; or what `spacy-attn.HFDataset.v1` reads.
        labelled: Whether to read labels, too; those of `.spacy` files come along in any case.

    Raises:
        ValueError: For options that contradict one another or the data.
    """
    columns = _names(options.label_column or "label")
    if not labelled and not is_spacy_data(data):
        columns = []
    return HFDataset(
        data,
        split=options.split or "train",
        text_column=_names(options.text_column or "text"),
        label_column=columns,
        labels=[name.strip() for name in options.labels.split(",")] if options.labels else None,
        **_settings(data, options.settings or ()),
    )


def _settings(data: str, assignments: Sequence[str]) -> dict[str, Any]:
    """Read assignments such as "encoding=latin-1", whose values are JSON where they can be."""
    settings = {}
    for assignment in assignments:
        name, sign, value = assignment.partition("=")
        if not sign or name in _HAVE_OPTIONS:
            wanted = _HAVE_OPTIONS.get(name, "--set NAME=VALUE")
            raise ValueError(f"'--set {assignment}' sets nothing: write {wanted}.")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    # Names and types are checked as those of a config.
    block = {"@readers": "spacy-attn.HFDataset.v1", "path": data, **settings}
    util.registry.resolve({"data": block})
    return settings


def _names(columns: str) -> str | list[str]:
    names = [name.strip() for name in columns.split(",")]
    return names if len(names) > 1 else columns


def read_first(reader: HFDataset, nlp: Language, limit: int) -> Sequence[Example]:
    """The first documents; all of them if the limit is 0."""
    examples: Iterator[Example] = islice(reader(nlp), limit or None)
    return list(examples)
