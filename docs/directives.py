"""Directives for what the site reads off the code: modules and commands."""

import ast
import os
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

import spacy_attn
from spacy_attn.cli import app as commands


class ModulesDirective(SphinxDirective):
    """List the modules of the folder that is the argument, with what they say is in them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        root = Path(spacy_attn.__file__).parent
        folder = root if self.arguments[0] == "." else root / self.arguments[0]
        lines = []
        for path in sorted(folder.glob("*.py")):
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf8"))) or ""
            self.env.note_dependency(str(path))
            if path.stem != "__init__":
                first = " ".join(docstring.split("\n\n")[0].split())
                lines.append(f"- `{path.stem}`: {first}")
        return self.parse_text_to_nodes("\n".join(lines))


class CommandsDirective(SphinxDirective):
    """Show what `python -m spacy attn COMMAND --help` prints, by command."""

    def run(self) -> list[nodes.Node]:
        # Typer wraps its help to this width.
        os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "88"
        found: list[nodes.Node] = []
        for name, command in sorted(get_command(commands).commands.items()):
            path = f"python -m spacy attn {name}"
            text = command.get_help(command.make_context(path, [], resilient_parsing=True))
            section = nodes.section("", nodes.title("", "", nodes.literal(text=name)), ids=[name])
            section += nodes.literal_block(text, text, language="text")
            found.append(section)
        return found


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("modules", ModulesDirective)
    app.add_directive("commands", CommandsDirective)
    return {"parallel_read_safe": True}
