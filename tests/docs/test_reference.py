"""The reference has every public name."""

import re

import pytest

import spacy_attn
import spacy_attn.data

from .pages import PAGES, read

REFERENCE = "\n".join(read(page) for page in PAGES if page.startswith("docs/reference/"))
DOCUMENTED = set(re.findall(r"auto\w+:: (?:[\w.]+\.)?(\w+)$", REFERENCE, re.MULTILINE))


@pytest.mark.parametrize("package", [spacy_attn, spacy_attn.data], ids=lambda each: each.__name__)
def test_every_public_name_is_in_the_reference(package):
    assert set(package.__all__) <= DOCUMENTED


def test_every_public_name_has_a_docstring():
    for name in set(spacy_attn.__all__) - {"__version__"}:
        assert getattr(spacy_attn, name).__doc__, name
