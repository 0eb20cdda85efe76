"""Directives for what the site reads off the code: settings, modules, and commands."""

import ast
import inspect
import json
import os
from pathlib import Path

import read_settings
from docutils import nodes
from read_settings import REQUIRED, Setting, anchor_of, registered, settings_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from thinc.api import Config
from typer.main import get_command

import spacy_attn
from spacy_attn.cli import app as commands


class SettingsDirective(SphinxDirective):
    """List the settings of the registered name that is the directive's argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        _, function = registered()[self.arguments[0]]
        for file in (__file__, read_settings.__file__, inspect.getfile(function)):
            self.env.note_dependency(file)
        items = [self._item(setting) for setting in settings_of(self.arguments[0])]
        return [nodes.definition_list("", *items, classes=["settings"])]

    def _item(self, setting: Setting) -> nodes.definition_list_item:
        anchor = anchor_of(self.arguments[0], setting.name)
        term = nodes.term("", "", nodes.literal(text=setting.name), names=[anchor], ids=[anchor])
        self.state.document.note_explicit_target(term)
        default, block = _shown_default(setting)
        facts = [nodes.classifier(text=setting.type), nodes.classifier("", "", *default)]
        description = self.parse_text_to_nodes(setting.description)
        definition = nodes.definition("", *description, *block)
        item = nodes.definition_list_item("", term, *facts, definition)
        self.set_source_info(item)
        return item


def _shown_default(setting: Setting) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Show a default beside the name; one that is a block of a config, below the description."""
    if setting.default == REQUIRED:
        return [nodes.Text(REQUIRED)], []
    value = json.loads(setting.default)
    if isinstance(value, dict):
        config = Config({setting.name: value}).to_str().strip()
        return [nodes.Text("default below")], [nodes.literal_block(config, config, language="ini")]
    return [nodes.Text("default "), nodes.literal(text=setting.default)], []


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
    app.add_directive("settings", SettingsDirective)
    app.add_directive("modules", ModulesDirective)
    app.add_directive("commands", CommandsDirective)
    return {"parallel_read_safe": True}
