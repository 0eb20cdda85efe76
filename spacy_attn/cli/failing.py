"""How commands end where the user is at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
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
def failing(title: str) -> Iterator[None]:
    """End the process with a message where input cannot be used.

    title: What could not be done.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads the output has had enough; click ends the process quietly
    except (ValueError, ImportError, OSError) as error:
        fail(title, error)
