"""What the pages of the README and of the site are made of: blocks of code, headings, links."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "docs/reference/*.md", "benchmarks/*.md", "assets/*/*.md")
    for path in ROOT.glob(pattern)
)
_MARKDOWN = MarkdownIt("commonmark").enable("table")
# A block that cannot be run where the tests run says why in a comment before it.
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->")


class Block(NamedTuple):
    """A block of code, and what its first line says: the language, then other words."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    content: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf8")


def blocks(page: str, *languages: str) -> Iterator[Block]:
    """Go through the blocks of code of a page in some languages, or in all."""
    comment = ""
    for token in _MARKDOWN.parse(read(page)):
        if token.type == "html_block":
            comment = token.content
        elif token.type == "fence":
            language, *words = token.info.split() or [""]
            reason = _NOT_RUN.search(comment)
            if not languages or language in languages:
                yield Block(
                    page,
                    token.map[0] + 1,
                    language,
                    tuple(words),
                    token.content,
                    reason and reason[1],
                )
            comment = ""
        elif token.level == 0:
            comment = ""


def all_blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page, *languages)]


def inline_code(page: str) -> list[str]:
    """Return what stands between backticks in the text of a page."""
    return [token.content for token in _inline(page) if token.type == "code_inline"]


def links(page: str) -> Iterator[str]:
    """Go through where a page points to, pictures among it."""
    for token in _inline(page):
        if token.type == "link_open":
            yield str(token.attrs["href"])
        elif token.type == "image":
            yield str(token.attrs["src"])
    yield from re.findall(r'(?:src|srcset|href)="([^"]+)"', read(page))


def anchors(page: str) -> set[str]:
    """Return the anchors of a page: of headings, as GitHub makes them, and explicit ones."""
    found: dict[str, int] = {}
    tokens = _MARKDOWN.parse(read(page))
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", _text(following).lower().strip()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    slugs = {f"{slug}-{n}" if n else slug for slug, last in found.items() for n in range(last + 1)}
    return slugs | set(re.findall(r'^<a id="([\w-]+)"></a>$', read(page), re.MULTILINE))


def sentences(page: str) -> Iterator[str]:
    """Go through the sentences of a page. A piece of code in one counts as a word."""
    for token in _MARKDOWN.parse(read(page)):
        words = {"text": "{}", "softbreak": " ", "code_inline": "code"}
        parts = (words.get(part.type, "").format(part.content) for part in token.children or ())
        yield from re.split(r"(?<=[.:;!?])\s+", re.sub(r"\$.*?\$", "formula", "".join(parts)))


def _inline(page: str) -> Iterator[Token]:
    for token in _MARKDOWN.parse(read(page)):
        yield from token.children or ()


def _text(token: Token) -> str:
    return "".join(child.content for child in token.children or ())
