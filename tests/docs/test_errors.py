"""The errors that the page quotes are errors that the package says."""

import ast
import re

import pytest

from .pages import ROOT, blocks

QUOTED = [block for block in blocks("docs/errors.md", "text") if "error" in block.words]
# Texts of the package between two values; shorter ones stand in any message.
_LENGTH = 12
# How much of a quoted message has to be such texts; values are the rest.
_SHARE = 0.6


def texts_of_the_package() -> set[str]:
    return {
        node.value.strip()
        for path in (ROOT / "spacy_attn").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if len(node.value.strip()) >= _LENGTH
    }


TEXTS = texts_of_the_package()


@pytest.mark.parametrize("block", QUOTED, ids=str)
def test_quoted_error_is_one_that_the_package_says(block):
    quoted = " ".join(block.content.split())
    said = bytearray(len(quoted))
    for text in TEXTS:
        for match in re.finditer(re.escape(text), quoted):
            said[match.start() : match.end()] = b"\1" * len(text)
    assert sum(said) > _SHARE * len(quoted)
