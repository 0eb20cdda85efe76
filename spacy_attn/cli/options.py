"""Options that several commands have."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Opt

from ..interpret.methods import METHODS

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
Limit = Annotated[int, Opt("--limit", "-n", min=0, help="Use the first documents only; 0 uses all")]

# The options of labelled data, for all commands that take some.
DATA_HELP = (
    "A .spacy file or a folder of them; a data set in files, say .parquet, .jsonl or .csv; or one "
    "on the hub"
)
Split = Annotated[str | None, Opt("--split", help="Split of a data set. By default 'train'")]
TextColumn = Annotated[
    str | None,
    Opt(
        "--text-column",
        help="Column of the text; several separated by commas. By default 'text'",
    ),
]
LabelColumn = Annotated[
    str | None,
    Opt(
        "--label-column",
        help="Column of the label; several separated by commas. By default 'label'",
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


@dataclass(frozen=True)
class DataOptions:
    """What those options were set to; None where they were left out."""

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
