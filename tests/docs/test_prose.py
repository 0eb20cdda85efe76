"""The pages are written in short sentences."""

import re

import pytest

from .pages import PAGES, sentences

PROSE = [page for page in PAGES if not page.startswith(("benchmarks/", "assets/"))]


@pytest.mark.parametrize("page", PROSE)
def test_no_sentence_is_longer_than_thirty_words(page):
    long = [sentence for sentence in sentences(page) if len(re.findall(r"\w\S*", sentence)) > 30]
    assert not long
