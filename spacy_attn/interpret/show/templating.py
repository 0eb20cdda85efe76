"""The Jinja templates of the package, and what all of them may use."""

import re
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .scale import INK, PAPER, SCALES
from .visible import visible


def fill_template(name: str, *, minify: bool = False, **values: Any) -> str:
    """Fill a template; whatever is put in is escaped.

    Args:
        minify: Leave out line breaks and indentation. Nothing is lost by it: there is no line break
            within a text, see `visible`.
    """
    html = _environment().get_template(name).render(**values).strip()
    return re.sub(r"\s*\n\s*", "", html) if minify else html


def breakable(text: str) -> Markup:
    """Visible text in which lines may also break where parts of a path or of a name meet."""
    return Markup("<wbr>").join(re.split(r"(?<=[/_.-])(?=\w)", visible(text)))


def in_notebook(html: str) -> str:
    """HTML as the output of a notebook, whose MathJax otherwise reads what lies between two dollar
    signs as a formula."""
    return f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>'


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("spacy_attn.interpret.show"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["visible"] = visible
    environment.filters["breakable"] = breakable
    environment.globals.update(ink=INK, paper=PAPER, scales=SCALES)
    return environment
