"""Shaded texts as LaTeX, in the colours of the page."""

from .legend import Legend
from .shaded_text import ShadedText, ShadedToken, value_names
from .templating import fill_template

# How long a bar can be, in points.
_BAR_WIDTH = 40


def to_latex(texts: list[ShadedText], legend: Legend) -> str:
    """Write shaded texts as a LaTeX file, which compiles alone and within another document."""

    def side(token: ShadedToken) -> str:
        """Name the macro of a token, which has a line above, none, or one below."""
        if not legend.scale.signed or not token.shade.level:
            return "plain"
        return "for" if token.shade.level > 0 else "against"

    def fill(characters: list[str]) -> str:
        return fill_template(
            "shaded.tex.jinja",
            texts=texts,
            key=legend,
            side=side,
            bar_width=_BAR_WIDTH,
            name_methods=len(value_names(texts)) > 1,
            characters=characters,
        )

    # Once without them, to see which characters beyond ASCII there are.
    return fill(sorted({each for each in fill([]) if not each.isascii()})) + "\n"
