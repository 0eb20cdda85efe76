"""The Jinja templates, and text made such that it can disturb nothing around it."""

import re
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .scale import ACCENT, INK, LINE, PAPER, QUIET, SCALES, text_on

_ARROWS = {"\n": "↵", "\t": "⇥"}
# C0 controls, DEL and C1 controls; line and paragraph separators; and the characters that change
# the direction of all that follows (Unicode Standard Annex 9).
_DISTURBING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SPACE = "␣"
# What Markdown takes for more than a character: within words, an underscore is none of it.
_MARKUP = re.compile(r"[\\`*{}\[\]<>#|~$]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
_LATEX_ENDING = ".tex.jinja"
# What LaTeX takes for more than a character, and what its usual fonts have under a name alone.
_LATEX = {
    **{character: "\\" + character for character in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "\N{MINUS SIGN}": r"\textminus{}",
    "↵": r"\ensuremath{\hookleftarrow}",
}
# Two of these would become one character.
_LATEX_PAIR = re.compile("(?<=-)-|(?<=,),")


def visible(text: str) -> str:
    """Replace what cannot be seen by marks: line breaks by ↵, tabs by ⇥, and spaces by ␣ where
    there is nothing else."""
    if text.isspace():
        text = re.sub(r"[^\S\n\t\r\v\f\x1c-\x1f\x85\u2028\u2029]", _SPACE, text)
    return _DISTURBING.sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    character = match.group()
    if character in _ARROWS:
        return _ARROWS[character]
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))  # Unicode's pictures of these controls
    return f"⟨U+{ord(character):04X}⟩"


def breakable(text: str) -> Markup:
    """Make text visible, and let lines break where parts of a path or of a name meet."""
    return Markup("<wbr>").join(re.split(r"(?<=[/_.-])(?=\w)", visible(text)))


def markdown(text: str) -> Markup:
    """Escape text for Markdown, and for a cell of a table in it."""
    return Markup(_MARKUP.sub(r"\\\g<0>", visible(text)))


def latex(value: object) -> Markup:
    """Escape text for LaTeX, such that it reads as it stands: no command, ligature or dash."""
    if isinstance(value, Markup):
        return value
    escaped = "".join(_LATEX.get(character, character) for character in visible(str(value)))
    return Markup(_LATEX_PAIR.sub(r"{\\kern0pt}\g<0>", escaped))


def python(text: str) -> Markup:
    """Write text as a string of Python."""
    return Markup(repr(text))


def one_line(text: str) -> str:
    """Join the lines that a sentence has in a template."""
    return text.strip().replace("\n", " ")


def in_notebook(html: str) -> str:
    """Wrap HTML for a notebook, whose MathJax would read text between two dollar signs."""
    return f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>'


def fill_template(name: str, *, minify: bool = False, **values: Any) -> str:
    """Fill a template. Whatever is put in is escaped: for HTML, by the filter `markdown`, or where
    the template is of LaTeX for that.

    Args:
        name: Its file.
        minify: Leave out line breaks and indentation. No text loses anything: `visible` leaves no
            line break in it.
        values: What the template names.
    """
    environment = _latex_environment() if name.endswith(_LATEX_ENDING) else _environment()
    text = environment.get_template(name).render(**values).strip()
    return re.sub(r"\s*\n\s*", "", text) if minify else text


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return _make_environment()


@lru_cache(maxsize=1)
def _latex_environment() -> Environment:
    """Return one whose marks are none of LaTeX's, and which escapes what is put in for LaTeX."""
    marks = {
        "block_start_string": "<%",
        "block_end_string": "%>",
        "variable_start_string": "<<",
        "variable_end_string": ">>",
        "comment_start_string": "<#",
        "comment_end_string": "#>",
    }
    return _make_environment(**marks, finalize=latex)


def _make_environment(**settings: Any) -> Environment:
    environment = Environment(
        loader=PackageLoader("spacy_attn.interpret.show"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        **settings,
    )
    for text_filter in (visible, breakable, markdown, python, one_line):
        environment.filters[text_filter.__name__] = text_filter
    environment.filters["ord"] = ord
    environment.globals.update(ink=INK, paper=PAPER, quiet=QUIET, line=LINE, accent=ACCENT)
    environment.globals.update(scales=SCALES, text_on=text_on)
    environment.policies["json.dumps_kwargs"] = {
        "ensure_ascii": False,
        "allow_nan": False,
        "separators": (",", ":"),
    }
    return environment
