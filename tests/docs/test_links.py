"""Links within the repository lead somewhere."""

import re

import pytest

from .pages import PAGES, ROOT, anchors, blocks, links, read


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_links_to_in_the_repository_is_there(page):
    for link in links(page):
        if re.match(r"\w+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(str(target.relative_to(ROOT))), link


def test_every_page_of_the_site_is_in_a_table_of_contents():
    listed = {
        (ROOT / page).parent.relative_to(ROOT) / name
        for page in PAGES
        if page.startswith("docs/")
        for block in blocks(page, "{toctree}")
        for name in block.content.split()
    }
    pages = {(ROOT / page).relative_to(ROOT).with_suffix("") for page in PAGES}
    on_site = {page for page in pages if page.parts[0] == "docs" and page.name != "index"}
    assert on_site <= listed


def test_every_picture_of_the_readme_is_there_and_small():
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', read("README.md"))
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 150_000, picture


def test_nothing_asks_to_install_this_package_from_an_index():
    """It is on none: an extra of it helps only where a clone is installed."""
    paths = [*(ROOT / "spacy_attn").rglob("*.py"), *(ROOT / page for page in PAGES)]
    for path in paths:
        assert not re.search(r"pip install\s+\S?spacy-attn", path.read_text(encoding="utf8")), path


def test_readme_can_be_read_in_a_few_minutes():
    assert len(read("README.md").split()) <= 1500
