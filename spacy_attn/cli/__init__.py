"""The command group `python -m spacy attn`.

spaCy imports this module through the entry-point group `spacy_cli` before it reads the command
line. Importing it puts the group below spaCy's own commands, once.
"""

import typer
from spacy.cli._util import app as spacy_app

from .apply import apply_cli
from .check_faithfulness import faithfulness_cli
from .console import CommandGroup
from .convert import convert_cli
from .demo import demo_cli
from .distill_student import distill_cli
from .explain import explain_cli
from .init_config import init_config_cli
from .init_vectors import init_vectors_cli
from .init_words import init_words_cli
from .render import render_cli
from .report import report_cli
from .show_words import words_cli
from .train import train_cli
from .write_card import card_cli

__all__ = ["app"]

_HELP = "Commands for components with attention: train, apply, explain and show them."
# What spaCy's own commands need to take overrides such as --paths.train.
_WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    name="attn", cls=CommandGroup, help=_HELP, no_args_is_help=True, rich_markup_mode=None
)
app.command("apply")(apply_cli)
app.command("card")(card_cli)
app.command("convert", context_settings=_WITH_OVERRIDES)(convert_cli)
app.command("demo")(demo_cli)
app.command("distill", context_settings=_WITH_OVERRIDES)(distill_cli)
app.command("faithfulness")(faithfulness_cli)
app.command("init-config")(init_config_cli)
app.command("init-vectors")(init_vectors_cli)
app.command("init-words", context_settings=_WITH_OVERRIDES)(init_words_cli)
app.command("explain")(explain_cli)
app.command("render")(render_cli)
app.command("report")(report_cli)
app.command("train", context_settings=_WITH_OVERRIDES)(train_cli)
app.command("words")(words_cli)

if all(group.name != "attn" for group in spacy_app.registered_groups):
    spacy_app.add_typer(app, name="attn", help=_HELP)
