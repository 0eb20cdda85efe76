"""What commands say besides their results: errors, warnings and progress, on the standard error.

A command that cannot go on says why in a sentence or two, and ends with status 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer
from click import NoSuchOption
from spacy.cli._util import (
    import_code,
    parse_config_overrides,
    setup_gpu,
    show_validation_error,
)
from thinc.api import ConfigValidationError
from tqdm import tqdm  # type: ignore[import-untyped]
from typer.core import TyperGroup
from wasabi import Printer

Item = TypeVar("Item")


def fail(title: str, text: object = None) -> NoReturn:
    """End the process with status 1 and a message."""
    typer.echo(Printer(no_print=True).fail(title, text), err=True)
    raise typer.Exit(1)


def warn(text: str) -> None:
    """Print a warning."""
    typer.echo(Printer(no_print=True).warn(text), err=True)


@contextmanager
def failing(title: str, config_path: Path | None = None) -> Iterator[None]:
    """End the process with a message where input cannot be used.

    Args:
        title: What could not be done.
        config_path: The file of the config that is used, if there is one.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # Nobody reads the output any more, so that a message is of no use.
    except ConfigValidationError:
        with _spacy_on_stderr(), show_validation_error(config_path):
            raise
    except (ValueError, ImportError, OSError) as error:
        fail(title, error)


@contextmanager
def _spacy_on_stderr() -> Iterator[None]:
    """Redirect what spaCy's helpers print about errors."""
    with redirect_stdout(sys.stderr):
        yield


def read_overrides(ctx: typer.Context) -> dict[str, Any]:
    """Return the settings of a config that stand among the options, as spaCy reads them."""
    try:
        return parse_config_overrides([*ctx.args])
    except NoSuchOption as error:
        name = error.option_name.partition("=")[0]
        near = get_close_matches(name, [opt for each in ctx.command.params for opt in each.opts], 1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        fail(
            f"There is no option '{name}'.{hint}",
            "A setting of the config has a point in its name, such as --training.max_steps.",
        )


def load_code(path: Path | None) -> None:
    """Import the user's code, which may register functions."""
    with _spacy_on_stderr():
        import_code(path)


def require_output() -> None:
    """End the process if results cannot be printed, before time goes into finding them."""
    if sys.stdout is None:
        fail("Can't print the results", "The standard output is closed.")


def prepare(code_path: Path | None, gpu_id: int, *, printing: bool) -> None:
    """Import the user's code and choose the device, before a pipeline is loaded.

    Args:
        printing: Whether results go to the standard output, which then gets nothing else.
    """
    if printing:
        require_output()
    load_code(code_path)
    try:
        setup_gpu(gpu_id, silent=printing)
    except ValueError as error:
        fail(f"Can't use GPU {gpu_id}; leave out --gpu-id to use the CPU", error)


def progress(
    docs: Iterable[Item],
    *,
    name: str | None = None,
    total: int | None = None,
    printing: bool = False,
) -> Iterator[Item]:
    """Iterate over documents, with a bar if the standard error is a terminal.

    Args:
        name: What the documents are called.
        total: The number of documents, where it is known.
        printing: Whether results are printed meanwhile. On the same terminal there is no bar then.
    """
    # With None, tqdm checks whether the standard error is a terminal.
    disable = True if sys.stderr is None or (printing and sys.stdout.isatty()) else None
    return iter(tqdm(docs, desc=name, total=total, unit=" docs", disable=disable, leave=False))


def progress_bar(unit: str, *, total: int | None, initial: int) -> Any:
    """Return a bar to be updated, a context manager, if the standard error is a terminal.

    Args:
        unit: What is counted.
        total: How many there are; None where it is not known.
        initial: How many of these are done already.
    """
    disable = True if sys.stderr is None else None
    return tqdm(total=total, initial=initial, unit=f" {unit}", disable=disable, leave=False)


class CommandGroup(TyperGroup):
    """The commands, with the errors that any of them can meet when it writes its output."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run a command. If its reader goes away, as `head` does, end it without a message."""
        try:
            result = super().invoke(ctx)
            for stream in _open_streams():
                stream.flush()
            return result
        except BrokenPipeError:
            raise typer.Exit(1) from None
        except UnicodeEncodeError as error:
            character = error.object[error.start : error.start + 1]
            fail(
                "Can't write the output",
                f"Its encoding, {error.encoding}, has no {character!a}: set the environment "
                f"variable PYTHONIOENCODING=utf-8.",
            )
        except OSError as error:
            fail(f"Can't finish '{ctx.invoked_subcommand}'", error)
        finally:
            _discard_what_cannot_be_written()


def _open_streams() -> list[Any]:
    """Return the streams that were not closed when Python started."""
    return [stream for stream in (sys.stdout, sys.stderr) if stream is not None]


def _discard_what_cannot_be_written() -> None:
    """Keep Python from writing again at its end, which would print a traceback."""
    for stream in _open_streams():
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
