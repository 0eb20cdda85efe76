"""The lists of settings are complete, described, and say the defaults that there are."""

import json
from importlib.metadata import entry_points

import pytest
import spacy
from make_settings import GROUPS, REQUIRED, anchor_of, registered, settings_of, written
from spacy import registry
from thinc.api import Config

from .pages import anchors, read

NAMES = sorted(name for name in registered() if list(settings_of(name)))


def test_page_is_the_one_that_the_code_makes():
    """Otherwise run `python docs/make_settings.py`."""
    page = read("docs/settings.md")
    assert page == written(page)


def test_every_registered_function_with_settings_has_a_list_on_the_page():
    ours = {
        point.name
        for group in GROUPS
        for point in entry_points(group=group)
        if point.dist.name == "spacy-attn"
    }
    assert set(registered()) == ours
    made = {anchor_of(name, setting.name) for name in NAMES for setting in settings_of(name)}
    assert made <= anchors("docs/settings.md")


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_described(name):
    for setting in settings_of(name):
        assert setting.description.endswith((".", ")")), setting.name
        assert setting.type != "_empty", setting.name


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_those_that_a_config_is_filled_with(name):
    shown = {setting.name: setting.default for setting in settings_of(name)}
    group, _ = registered()[name]
    if GROUPS[group] == "factory":
        nlp = spacy.blank("en")
        nlp.add_pipe(name)
        filled = nlp.config["components"][name]
    else:
        required = {setting: None for setting, default in shown.items() if default == REQUIRED}
        block = {GROUPS[group]: name, **required}
        filled = registry.fill(Config({"block": block}), validate=False)["block"]
    for setting, default in shown.items():
        if default != REQUIRED:
            assert default == json.dumps(filled[setting]), setting
