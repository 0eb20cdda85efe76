"""Options that several commands have, and the reader of documents that they describe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from spacy import util
from spacy.cli._util import Arg, Opt

from ..data.docbins import is_spacy_data
from ..data.rationale_reader import HFRationales
from ..data.reader import HFDataset
from ..data.source import Source
from ..interpret.methods import METHODS
from ..results.targets import Contrast, check_contrast

Model = Annotated[str, Arg(help="Name of or path to a trained pipeline")]
CodePath = Annotated[
    Path | None,
    Opt(
        "--code",
        "-c",
        help="Path to Python file with additional code (registered functions) to be imported",
    ),
]
GpuId = Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")]
ComponentName = Annotated[
    str | None, Opt("--component", help="Name of the component, where there are several")
]
MethodName = Annotated[str, Opt("--method", "-m", help=f"How to attribute: {', '.join(METHODS)}")]
ContrastNames = Annotated[
    str | None,
    Opt("--contrast", help="Two labels, separated by a comma: why the first and not the second"),
]
Limit = Annotated[int, Opt("--limit", "-n", min=0, help="Use the first documents only; 0 uses all")]

Data = Annotated[
    str,
    Arg(
        help="A .spacy file or a folder of them; a data set in files, say .parquet, .jsonl or "
        ".csv; or one on the hub"
    ),
]
Text = Annotated[
    str,
    Arg(
        help="A text; a file of texts, .txt with one a line or .jsonl with the key 'text'; '-' for "
        "the standard input, with one text a line; or a file of data as 'report' takes. With "
        "--split, any data set"
    ),
]
Split = Annotated[str | None, Opt("--split", help="Split of a data set. By default 'train'")]
TextColumn = Annotated[
    str | None,
    Opt(
        "--text-column",
        help="Column of the text. Separate several by commas. By default 'text'",
    ),
]
LabelColumn = Annotated[
    str | None,
    Opt(
        "--label-column",
        help="Column of the label. Separate several by commas. By default 'label'",
    ),
]
LabelNames = Annotated[
    str | None,
    Opt("--labels", help="Names of the data's label numbers, in order, separated by commas"),
]
ReaderSettings = Annotated[
    list[str] | None,
    Opt(
        "--set",
        help="Any other setting of the reader spacy-attn.HFDataset.v1, say 'encoding=latin-1' or "
        "'skip_missing=true'. May be given several times",
    ),
]
# Settings of the reader that have an option of their own.
_OPTIONS = {
    "path": "DATA",
    "split": "--split",
    "text_column": "--text-column",
    "label_column": "--label-column",
    "labels": "--labels",
    "limit": "--limit",
}


@dataclass(frozen=True)
class DataOptions:
    """What the options of data were set to; None where they were left out."""

    split: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    labels: str | None = None
    settings: Sequence[str] | None = None

    @property
    def given(self) -> bool:
        """Whether any was set."""
        return any(vars(self).values())


DEFAULTS = DataOptions()


def make_reader(
    data: str,
    options: DataOptions = DEFAULTS,
    *,
    labelled: bool = True,
    rationales: str | None = None,
) -> HFDataset:
    """Make the reader of `.spacy` files or of any data set.

    Args:
        data: A `.spacy` file or a folder of them; or what `spacy-attn.HFDataset.v1` reads.
        options: Its split, columns and other settings.
        labelled: Whether to read labels. Those of `.spacy` files come along in any case.
        rationales: The column to make a span group of. Span groups of `.spacy` files come along.

    Raises:
        ValueError: For options that contradict one another or the data.
    """
    columns = column_names(options.label_column or "label")
    if not labelled and not is_spacy_data(data):
        columns = []
    settings = {
        "split": options.split or "train",
        "text_column": column_names(options.text_column or "text"),
        "label_column": columns,
        "labels": None if not options.labels else split_names(options.labels),
        **_settings(data, options.settings or ()),
    }
    if rationales is None or is_spacy_data(data):
        return HFDataset(data, **settings)
    return HFRationales(data, **settings, rationale_column=rationales)


def make_source(
    data: str, split: str | None, text_column: str, settings: Sequence[str] | None
) -> Source:
    """Say where the rows of any data set are, of which all columns are read.

    Args:
        data: What `spacy-attn.HFDataset.v1` reads, but for `.spacy` files.
        split: Its split.
        text_column: A column that it has.
        settings: Other settings of the reader, on where rows are and how they are written.

    Raises:
        ValueError: For settings that contradict one another or the data.
    """
    if is_spacy_data(data):
        raise ValueError(
            f"'{data}' holds documents of spaCy and no rows: give the data set that they were made "
            "of, or use 'python -m spacy apply'."
        )
    assigned = _settings(data, settings or ())
    known = [each.name for each in fields(Source) if each.init and each.name not in _OPTIONS]
    if others := [name for name in assigned if name not in known]:
        raise ValueError(
            f"'--set {others[0]}=...' has no meaning where all rows are used as they are: leave it "
            f"out. Known are {', '.join(known)}."
        )
    source = Source(data, split=split or "train", **assigned)
    source.columns = (text_column,)
    source.all_columns = True
    return source


def read_contrast(names: str | None, labels: Sequence[str]) -> Contrast | None:
    """Read a pair of labels, which may have commas in them; None where none is given.

    Raises:
        ValueError: If it is no pair of two of the labels, or several ones.
    """
    if names is None:
        return None
    parts = names.split(",")
    pairs = [
        (",".join(parts[:i]).strip(), ",".join(parts[i:]).strip()) for i in range(1, len(parts))
    ]
    known = [pair for pair in pairs if all(label in labels for label in pair)]
    if len(known) > 1 or not pairs:
        raise ValueError(
            f"'--contrast {names}' must name two labels, separated by a comma, of "
            f"{', '.join(map(repr, labels))}."
        )
    return check_contrast((known or pairs)[0], labels)


def end_of_path(path: str) -> str:
    """Return the end of a path, which says enough in a title."""
    return "/".join(Path(path).parts[-2:])


def split_names(names: str) -> list[str]:
    """Split names at commas."""
    return [name.strip() for name in names.split(",")]


def column_names(columns: str) -> str | list[str]:
    """Return the name of a column, or those that commas separate."""
    names = split_names(columns)
    return names if len(names) > 1 else columns


def _settings(data: str, assignments: Sequence[str]) -> dict[str, Any]:
    """Read assignments such as "encoding=latin-1", whose values are JSON where they can be."""
    settings = {}
    for assignment in assignments:
        name, sign, value = assignment.partition("=")
        if not sign or name in _OPTIONS:
            wanted = _OPTIONS.get(name, "--set NAME=VALUE")
            raise ValueError(f"'--set {assignment}' sets nothing: write {wanted}.")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    # The registry checks names and types, as it does those of a config.
    block = {"@readers": "spacy-attn.HFDataset.v1", "path": data, **settings}
    util.registry.resolve({"data": block})
    return settings
