"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

from spacy.cli._util import Opt

from ..explanations.methods import METHODS

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
