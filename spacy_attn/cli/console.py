"""How commands end where something outside of them is at fault: input, settings, files, streams.

Every message about it is a sentence or two on the standard error, and the exit status is 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import typer
from spacy.cli._util import import_code, setup_gpu, show_validation_error
from thinc.api import ConfigValidationError
from typer.core import TyperGroup
from wasabi import Printer


def fail(title: str, text: object = None) -> NoReturn:
    """End the process with status 1 and a message on the standard error, so that scripts that read
    the standard output find nothing there but results."""
    printer = Printer(no_print=True)
    typer.echo(printer.fail(title, text), err=True)
    raise typer.Exit(1)


def warn(text: str) -> None:
    """Say something on the standard error."""
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
        raise  # whoever reads the output has had enough: no message
    except ConfigValidationError:
        with errors_of_spacy(), show_validation_error(config_path):
            raise
    except (ValueError, ImportError, OSError) as error:
        fail(title, error)


@contextmanager
def errors_of_spacy() -> Iterator[None]:
    """Have what spaCy's helpers print, which is on errors, on the standard error as ours."""
    with redirect_stdout(sys.stderr):
        yield


def load_code(path: Path | None) -> None:
    """Import the user's code, which may register functions."""
    with errors_of_spacy():
        import_code(path)


def prepare(code_path: Path | None, gpu_id: int, *, silent: bool) -> None:
    """Import the user's code and choose the device, before a pipeline is loaded.

    Args:
        silent: Say nothing on the device.
    """
    load_code(code_path)
    try:
        setup_gpu(gpu_id, silent=silent)
    except ValueError as error:
        fail(f"Can't use GPU {gpu_id}; leave out --gpu-id to use the CPU", error)


def require_output() -> None:
    """End the process if results cannot be printed, before time goes into finding them."""
    if sys.stdout is None:
        fail("Can't print the results", "The standard output is closed.")


class CommandGroup(TyperGroup):
    """The commands, with what none of them can foresee: that their output cannot be written."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run a command. A reader of its output that goes away, as `head` does, ends it quietly."""
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
    # A stream that was closed when Python started is None.
    return [stream for stream in (sys.stdout, sys.stderr) if stream is not None]


def _discard_what_cannot_be_written() -> None:
    """Keep Python from trying again at its end, which prints a traceback and changes the status."""
    for stream in _open_streams():
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
