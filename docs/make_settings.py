"""Write the lists of settings in settings.md: `python docs/make_settings.py`.

They are read off the signatures, defaults and docstrings of registered functions.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import spacy
from docstring_parser import parse
from thinc.api import Config

PAGE = Path(__file__).parent / "settings.md"
# What stands between these comments is written here, the rest of the page by hand.
_LIST = re.compile(r"(<!-- settings of (\S+) -->\n).*?(<!-- end of settings -->)", re.DOTALL)

# Entry points whose functions have settings, and what their names stand behind in a config.
GROUPS = {
    "spacy_factories": "factory",
    "spacy_architectures": "@architectures",
    "spacy_readers": "@readers",
    "spacy_augmenters": "@augmenters",
    "spacy_callbacks": "@callbacks",
    "spacy_scorers": "@scorers",
    "thinc_optimizers": "@optimizers",
}
# What spaCy gives to the function of a component itself.
_GIVEN = ("nlp", "name")
REQUIRED = "required"
# A description that refers to the setting of the same name of another function.
_AS_IN = re.compile(r"as in\s+`([\w.-]+)`\.?$")


class Setting(NamedTuple):
    """A setting as a config knows it. `default` is JSON, or REQUIRED."""

    name: str
    type: str
    default: str
    description: str


def registered() -> dict[str, tuple[str, Callable]]:
    """Return the group and the function of each registered name of the package."""
    points = distribution("spacy-attn").entry_points
    return {point.name: (point.group, point.load()) for point in points if point.group in GROUPS}


def settings_of(name: str) -> Iterator[Setting]:
    """Go through the settings of a registered name, in the order of its signature."""
    group, function = registered()[name]
    is_component = group == "spacy_factories"
    defaults: dict[str, Any] = {}
    if is_component:
        # With the defaults of the functions that it names, too.
        nlp = spacy.blank("en")
        nlp.add_pipe(name)
        defaults = nlp.config["components"][name]
    described = _descriptions(name)
    for parameter in inspect.signature(function).parameters.values():
        if is_component and parameter.name in _GIVEN:
            continue
        default = defaults.get(parameter.name, parameter.default)
        yield Setting(
            parameter.name,
            _readable(parameter.annotation),
            REQUIRED if default is inspect.Parameter.empty else json.dumps(default),
            described.get(parameter.name, ""),
        )


def _descriptions(name: str) -> dict[str, str]:
    """Read the descriptions of settings: the function's own, and those of the class it is for."""
    group, function = registered()[name]
    if group == "spacy_factories":
        made = type(spacy.blank("en").add_pipe(name))
    else:
        # The class of the reader HFDataset_v1 is HFDataset.
        made = vars(sys.modules[function.__module__]).get(function.__name__.removesuffix("_v1"))
    sources = [function]
    for base in inspect.getmro(made) if isinstance(made, type) else ():
        sources += [base, vars(base).get("__init__")]
    found = {
        setting: described.description or ""
        for source in reversed(sources)
        for described in parse(inspect.getdoc(source) or "").params
        for setting in described.arg_name.split(", ")
    }
    for setting, text in found.items():
        if (other := _AS_IN.search(text)) and other[1] != name and other[1] in registered():
            found[setting] = _descriptions(other[1])[setting]
    return found


def _readable(annotation: Any) -> str:
    """Write a type as a reader of a config thinks of it."""
    if get_origin(annotation) is Literal:
        return " or ".join(map(json.dumps, get_args(annotation)))
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(map(_readable, get_args(annotation)))
    if annotation is type(None):
        return "None"
    text = re.sub(r"\b(\w+\.)+", "", inspect.formatannotation(annotation))
    if text.startswith("Callable[[Language], Iterable"):
        return "corpus reader"
    return "Model" if text.startswith("Model[") else text


def anchor_of(name: str, setting: str) -> str:
    """Return what follows the "#" in a link to a setting."""
    parts = [part for part in name.split(".") if part != "spacy-attn"]
    return "-".join([*parts, setting]).lower().replace("_", "-")


def written(page: str) -> str:
    """Return the text of the page with its lists of settings as they should be."""
    return _LIST.sub(lambda found: f"{found[1]}\n{_list_of(found[2])}{found[3]}", page)


def _list_of(name: str) -> str:
    """Write the settings of a registered name, each with a heading and an anchor of its own."""
    return "".join(
        f'<a id="{anchor_of(name, setting.name)}"></a>\n\n'
        f"#### `{setting.name}`\n\n"
        f"{_facts(setting)}\n\n"
        f"{setting.description}\n\n"
        for setting in settings_of(name)
    )


def _facts(setting: Setting) -> str:
    """Write the type and the default, which can be a block of a config."""
    kind = f"`{setting.type}`"
    if setting.default == REQUIRED:
        return f"{kind}, required"
    value = json.loads(setting.default)
    if isinstance(value, dict):
        # Versions of confection differ in the spaces of lists.
        config = Config({setting.name: value}).to_str().strip().replace(", ", ",")
        return f"{kind}, default:\n\n```ini\n{config}\n```"
    return f"{kind}, default `{setting.default}`"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf8")), encoding="utf8")
