"""The directive `command-help`: what each command of `python -m spacy attn` says with `--help`."""

import os

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

from spacy_attn.cli import app as commands


class CommandHelp(SphinxDirective):
    """Show the help of all commands, each below a heading with its name."""

    def run(self) -> list[nodes.Node]:
        # Typer wraps its help to this width.
        os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "88"
        found: list[nodes.Node] = []
        for name, command in sorted(get_command(commands).commands.items()):
            path = f"python -m spacy attn {name}"
            context = command.make_context(path, [], resilient_parsing=True)
            text = command.get_help(context)
            section = nodes.section("", nodes.title("", "", nodes.literal(text=name)), ids=[name])
            section += nodes.literal_block(text, text, language="text")
            found.append(section)
        return found


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
