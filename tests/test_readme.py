import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "docs/reading-data.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_links_to_in_the_repository_is_there(page):
    path = ROOT / page
    for target in LINK.findall(path.read_text(encoding="utf8")):
        assert (path.parent / target).exists(), target


def test_every_picture_of_the_readme_is_there_and_small():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 150_000, picture


def test_python_examples_of_the_readme_compile():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        compile(example, "README.md", "exec")
