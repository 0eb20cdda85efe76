"""The Python examples of the pages run, and the blocks of configs are such."""

import inspect
import re
from collections.abc import Iterator

import pytest
from spacy import registry
from spacy.language import Language
from thinc.api import Config

from .pages import PAGES, all_blocks, blocks

INI_BLOCKS = [block for block in all_blocks("ini", "cfg") if "remedy" not in block.words]


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page, "python"))])
def test_python_examples_of_a_page_run_one_after_another(page, in_checkout, capsys):
    """A block with a file's name in its first line is that file, for the examples after it."""
    names = {"__name__": "__main__"}
    for block in blocks(page):
        code = "\n" * block.line + block.content
        if block.language == "python":
            compiled = compile(code, page, "exec")
            if not block.not_run:
                exec(compiled, names)
        elif block.words and "." in block.words[0]:
            (in_checkout / block.words[0]).write_text(block.content, encoding="utf8")


def test_few_examples_are_not_run():
    examples = all_blocks("python")
    assert sum(block.not_run is None for block in examples) > 0.8 * len(examples)


@pytest.mark.parametrize("block", INI_BLOCKS, ids=str)
def test_blocks_of_configs_load_and_name_what_there_is(block):
    config = Config().from_str(with_parents(block.content), interpolate=False)
    for section in sections(config):
        known = known_settings(section)
        assert known is None or section.keys() <= known
        # A comment has a line of its own: after a value, it would be a part of it.
        assert not [value for value in section.values() if isinstance(value, str) and "#" in value]


def with_parents(config: str) -> str:
    """Write the sections, too, in which those of an excerpt of a config stand."""
    written = re.findall(r"^\[(.+)\]$", config, re.MULTILINE)
    parents = {
        ".".join(parts[:n])
        for parts in (name.split(".") for name in written)
        for n in range(1, len(parts))
    }
    return "".join(f"[{name}]\n" for name in sorted(parents - set(written))) + config


def sections(config: dict) -> Iterator[dict]:
    yield config
    for value in config.values():
        if isinstance(value, dict):
            yield from sections(value)


def known_settings(section: dict) -> set[str] | None:
    """Return what may stand in a section that names a function; None for others."""
    if "factory" in section:
        return {"factory", *Language.get_factory_meta(section["factory"]).default_config}
    for key in section:
        if key.startswith("@"):
            function = registry.get(key[1:], section[key])
            return {key, *inspect.signature(function).parameters}
    return None
