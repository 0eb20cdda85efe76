"""The directive `settings`: a list of what a registered function can be given.

Of each setting it shows the name, the type, the default and the description.
"""

import inspect
import json

import read_settings
from docutils import nodes
from read_settings import REQUIRED, Setting, anchor_of, registered, settings_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from thinc.api import Config


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


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("settings", SettingsDirective)
    return {"parallel_read_safe": True}
