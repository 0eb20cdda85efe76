"""Options that the benchmarks with trainings share, and the settings that they make."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from spacy.cli._util import parse_config_overrides
from typer import Option

from spacy_attn.data.errors import DatasetError

from .models import UsageError
from .training import Settings

Seeds = Annotated[str, Option(help="Comma-separated seeds")]
Split = Annotated[Literal["validation", "test"], Option(help="Score on this; select on validation")]
Override = Annotated[
    list[str] | None,
    Option(help="A setting of all training configs, as training.max_steps=100 (repeatable)"),
]
Limit = Annotated[int, Option(help="Rows of each split to use, for a trial; 0 for all")]
Jobs = Annotated[int, Option(min=1, help="Models to train at a time")]
Keep = Annotated[bool, Option("--keep", help="Keep the trained models")]
Anew = Annotated[bool, Option("--anew", help="Do not take over published results")]
Train = Annotated[
    bool, Option(help="Train what is missing; or make tables of what is there, of all models")
]
Output = Annotated[Path, Option(help="Folder for results")]


@contextmanager
def usage_errors() -> Iterator[None]:
    """Show what cannot be used as typer shows errors of its own."""
    try:
        yield
    except (UsageError, DatasetError) as error:
        raise typer.BadParameter(str(error)) from error


def make_settings(
    output: Path,
    published: Path,
    seeds: str,
    override: Sequence[str] | None,
    *,
    keep: bool,
    anew: bool,
    threads: int = 1,
) -> Settings:
    """Make the settings of trainings.

    Args:
        output: The folder for results.
        published: The folder of those that are taken over, unless `anew`.

    Raises:
        UsageError: For seeds that are no numbers.
    """
    return Settings(
        output,
        numbers(seeds, int, "--seeds"),
        parse_config_overrides([f"--{setting}" for setting in override or []]),
        threads=threads,
        keep=keep,
        published=None if anew else published,
    )


def numbers(text: str, kind: Any, option: str) -> list[Any]:
    """Read numbers that commas separate.

    Raises:
        UsageError: If one is none.
    """
    try:
        return [kind(number) for number in text.split(",")]
    except ValueError:
        raise UsageError(f"{option}: wanted numbers as in 0,1,2, but found '{text}'") from None
