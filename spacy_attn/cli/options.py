"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

from spacy.cli._util import Opt

CodePath = Annotated[
    Path | None,
    Opt(
        "--code",
        "-c",
        help="Path to Python file with additional code (registered functions) to be imported",
    ),
]
ComponentName = Annotated[
    str | None, Opt("--component", help="Name of the component, where there are several")
]
