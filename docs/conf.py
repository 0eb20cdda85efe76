"""How Sphinx builds the site: `sphinx-build -W --keep-going -n docs docs/_build/html`.

`directives.py` reads modules and commands off the code.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import spacy_attn

sys.path.insert(0, str(Path(__file__).parent))

project = "spacy-attn"
author = "The spacy-attn developers"
copyright = author  # noqa: A001
version = release = spacy_attn.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "directives",
]
exclude_patterns = ["_build", "jupyter_execute"]

# --- Markdown and the notebook ---

myst_enable_extensions = ["deflist", "colon_fence", "attrs_inline", "dollarmath"]
# Headings are linked to as on GitHub.
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_output_stderr = "remove"

# --- Docstrings ---

# Between single backticks stands code.
default_role = "code"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "signature"
autoclass_content = "both"
add_module_names = False
python_maximum_signature_line_length = 88
autodoc_member_order = "bysource"
# Files of other projects' objects are not fetched: their names are not linked, ours must be.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!spacy_attn).*"),
    # Of what is internal, only the name is shown.
    (r"py:class", r"spacy_attn\.nn\.stored\.StoredModule"),
    (r"py:class", r"spacy_attn\.tables\.annotator\.Batch"),
]

# How types and defaults are written by Sphinx, and how a reader knows them.
_AS_READ = (
    # With a default that is no Python, Sphinx could not read the signature that it wrote.
    (re.compile(r"<function (\w+)>"), r"\1"),
    (
        re.compile(r"~numpy\.ndarray\[~?tuple\[.*?\], ~numpy\.dtype\[(.*?)\]\]"),
        r"~numpy.typing.NDArray[\1]",
    ),
    (re.compile(r"pipeline\.storage\.StorageMixin"), "pipeline.component.AttentionCategorizer"),
)


def shorten_signature(*event: Any) -> tuple[str | None, ...]:
    """Write a signature, and what is returned, as a reader knows the types."""
    texts = list(event[-2:])
    for pattern, text in _AS_READ:
        texts = [each and pattern.sub(text, each) for each in texts]
    return tuple(texts)


# --- Appearance ---

html_theme = "furo"
html_math_renderer = "mathml"
# Quotes belong to what stands in configs, "balanced" for instance.
smartquotes = False
html_title = "spacy-attn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# Files of the repository that are pages of the site, too, under another name.
PAGES = {
    "../CHANGELOG.md": "changelog.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../benchmarks/README.md": "benchmarks.md",
    "../benchmarks/RESULTS.md": "results.md",
}

_DOCS = Path(__file__).parent.resolve()
_LIGHT_PICTURE = re.compile(r"(!\[[^][]*\])\((\w+)-light\.png\)")
_ANCHOR = re.compile(r'^<a id="([\w-]+)"></a>$', re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^][]*)\]\(((?!\w+:|#)[^)\s#]*)(#[^)\s]*)?\)")


def adapt_links(app: Sphinx, page: str, source: list[str]) -> None:
    """Let links between files of the repository be links between pages of the site.

    Other files can be downloaded; a folder is named only.
    """
    path = _DOCS / f"{page}.md"
    pages = {(_DOCS / file).resolve(): name for file, name in PAGES.items()}
    for file, name in pages.items():
        if name == f"{page}.md":
            path, source[0] = file, file.read_text(encoding="utf8")
            app.env.note_dependency(str(file))

    def adapted(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        file = (path.parent / target).resolve()
        if file.is_dir():
            return text
        to_root = "../" * page.count("/")
        shown = pages.get(file) or os.path.relpath(file, _DOCS)
        return f"[{text}]({to_root}{shown}{anchor})"

    source[0] = _LINK.sub(adapted, source[0])
    # GitHub knows anchors of HTML only, MyST links to its own only.
    source[0] = _ANCHOR.sub(r"(\1)=", source[0])
    # A page in dark colours shows the dark one of two pictures.
    both = r"\1(\2-light.png){.only-light} \1(\2-dark.png){.only-dark}"
    source[0] = _LIGHT_PICTURE.sub(both, source[0])


def show_formula(display: str) -> tuple[Callable[..., None], None]:
    """Return what writes formulas as MathML, which browsers show without a script."""

    def write(writer: Any, node: nodes.Element) -> None:
        writer.body.append(convert(node.astext(), display=display))
        raise nodes.SkipNode

    return write, None


def setup(app: Sphinx) -> None:
    app.connect("source-read", adapt_links)
    app.connect("autodoc-process-signature", shorten_signature)
    app.add_html_math_renderer("mathml", show_formula("inline"), show_formula("block"))
    app.add_lexer("csv", TextLexer)
