"""Draw the README's picture: a sentence, its scores, and the attention of a trained pipeline.

Usage: python docs/make_picture.py training/model-best docs/attention.svg
"""

from html import escape
from pathlib import Path

import spacy
import typer
from spacy.tokens import Doc

TEXT = "A gorgeous, witty, seductive movie."

FONT_SIZE = 20
CHARACTER = 0.6 * FONT_SIZE  # width of a character in a monospaced font
LINE_HEIGHT = 62
MARGIN = 24
WIDTH = 860


def place(doc: Doc) -> list[tuple[float, float]]:
    """RETURNS: The left edge and the line of each token, broken at the width of the picture."""
    places = []
    x, line = 0.0, 0.0
    for token in doc:
        width = len(token) * CHARACTER
        if x + width > WIDTH - 2 * MARGIN:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += width + (CHARACTER if token.whitespace_ else 0)
    return places


def draw(doc: Doc) -> str:
    """RETURNS: An SVG file: the darker a token's background, the larger its share of attention."""
    places = place(doc)
    height = 2 * MARGIN + 16 + LINE_HEIGHT * (places[-1][1] + 1)
    strongest = float(doc._.attention.max())
    scores = ", ".join(
        f"{label} {score:.2f}" for label, score in sorted(doc.cats.items(), key=lambda i: -i[1])
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(doc.text)}: {scores}">',
        '<rect width="100%" height="100%" rx="10" fill="#ffffff"/>',
        f'<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="{FONT_SIZE}">',
    ]
    for token, (x, line) in zip(doc, places, strict=True):
        share = token._.attention
        left, top = MARGIN + x, MARGIN + line * LINE_HEIGHT
        width = len(token) * CHARACTER
        parts.append(
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="30" rx="4" '
            f'fill="#1f6feb" fill-opacity="{0.75 * share / strongest:.3f}"/>'
            f'<text x="{left:.1f}" y="{top + 22}" fill="#111111" '
            f'textLength="{width:.1f}">{escape(token.text)}</text>'
        )
        if share >= 0.005:
            middle = left + width / 2
            parts.append(
                f'<text x="{middle:.1f}" y="{top + 46}" fill="#555555" font-size="12" '
                f'text-anchor="middle">{100 * share:.0f}</text>'
            )
    parts.append(
        f'<text x="{MARGIN}" y="{height - MARGIN}" fill="#111111" font-size="16">{scores} '
        f"(below each word its share of the attention, in percent)</text></g></svg>"
    )
    return "\n".join(parts) + "\n"


def main(model: Path, output: Path, text: str = TEXT) -> None:
    output.write_text(draw(spacy.load(model)(text)), encoding="utf8")


if __name__ == "__main__":
    typer.run(main)
