"""Explanations made by hand, and what reads the HTML made of them."""

from html.parser import HTMLParser

import numpy

from spacy_attn.results.explanation import Explanation

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'&amp;",
    "</style>",
    "]]>",
    "{{7*7}}",
    "a\nb",
    "\u202e",
]


def make_explanation(
    tokens=("great", "fun"), labels=("negative", "positive"), seed=0, spaces=None, **changes
) -> Explanation:
    random = numpy.random.default_rng(seed)
    weights = random.random(len(tokens)).astype("float32")
    settings = {
        "tokens": tuple(tokens),
        "spaces": tuple(spaces or [True] * len(tokens)),
        "labels": tuple(labels),
        "attention": weights / max(weights.sum(), 1e-9),
        "logits": random.normal(size=len(labels)).astype("float32"),
        "scores": numpy.linspace(0.1, 0.9, len(labels)).astype("float32"),
        "bias": numpy.zeros(len(labels), dtype="float32"),
        "attributions": random.normal(size=(len(tokens), len(labels))).astype("float32"),
    }
    return Explanation(**{**settings, **changes})


class Page(HTMLParser):
    """What a browser makes of HTML, in small: elements, and the texts of the documents."""

    VOID = ("meta", "br", "link", "img", "input", "wbr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.tokens: list[str] = []
        self.text = ""
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        classes = dict(attributes).get("class") or ""
        self.elements.append((tag, dict(attributes)))
        if "sa-text" in classes.split():
            self.texts.append("")
        if "sa-t" in classes.split():
            self.tokens.append("")
        if tag not in self.VOID:
            self._open.append((tag, classes))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        self.text += data
        classes = [name for _, names in self._open for name in names.split()]
        if "sa-text" in classes:
            self.texts[-1] += data
        if "sa-t" in classes:
            self.tokens[-1] += data

    def elements_of(self, tag: str) -> list[dict]:
        return [found for name, found in self.elements if name == tag]

    def with_class(self, name: str) -> list[dict]:
        return [found for _, found in self.elements if name in (found.get("class") or "").split()]
