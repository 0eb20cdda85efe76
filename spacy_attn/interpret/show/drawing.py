"""Shaded texts as a picture for papers and slides, made without a browser: SVG, PNG or PDF."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from .canvas import Canvas
from .legend import Legend
from .scale import ACCENT, INK, LINE, QUIET
from .shaded_text import ShadedRow, ShadedText, ShadedToken, value_names
from .templating import visible
from .writing_direction import RIGHT_TO_LEFT, direction_of_texts, visual_order

# All lengths are in points.
_WIDTH, _MARGIN = 520.0, 18.0
_RIGHT = _WIDTH - _MARGIN
_SIZE, _SMALL = 11.0, 8.5
_LINE_HEIGHT, _SMALL_LINE_HEIGHT = 21.0, 12.5
# The box of a token: what is around its text, and how far it goes above and below the baseline.
_PADDING, _ABOVE, _BELOW = 1.5, 11.5, 4.5
_MARK_HEIGHT = 1.5
# Of a document with bars: the bar begins at the margin; the right end of the number; the text.
_BAR_WIDTH, _BAR_HEIGHT, _NUMBER_END, _BESIDE = 64.0, 8.0, 128.0, 138.0
_SWATCH_WIDTH, _SWATCH_HEIGHT = 9.0, 11.0


class Piece(NamedTuple):
    """A token, or a part of one that is wider than a line."""

    text: str
    width: float
    space: bool
    token: ShadedToken


def draw(texts: Sequence[ShadedText], legend: Legend, file_format: str, theme: str) -> bytes:
    """Draw shaded texts, one below the other, and their legend.

    Args:
        texts: The texts.
        legend: Their legend.
        file_format: "svg", "png" or "pdf".
        theme: "light" or "dark".

    Returns:
        The content of a file.

    Raises:
        ValueError: If a PNG would be too high.
    """
    names = value_names(texts)
    drawing = _Drawing(Canvas(_WIDTH, theme, _written(texts, legend)), theme)
    for text in texts:
        drawing.document(text, name_method=len(names) > 1)
    drawing.legend(legend)
    described = "\n".join(_plain(text) for text in texts)
    title = ", ".join(names).capitalize()
    return drawing.canvas.to_bytes(file_format, drawing.y + _MARGIN, title, described)


def _written(texts: Sequence[ShadedText], legend: Legend) -> Iterator[str]:
    """Go through all that will be written."""
    yield from (legend.text, *legend.ticks)
    for text in texts:
        yield from (
            text.question,
            text.name,
            *map(visible, text.scores),
            *map(visible, text.tokens),
        )
        yield from (visible(span.kind) for span in text.spans)


def _plain(text: ShadedText) -> str:
    pairs = zip(text.tokens, text.spaces, strict=True)
    return "".join(visible(token) + " " * bool(space) for token, space in pairs)


class _Drawing:
    """A canvas and the place on it that is reached."""

    def __init__(self, canvas: Canvas, theme: str) -> None:
        self.canvas, self.theme, self.y = canvas, theme, _MARGIN

    def document(self, text: ShadedText, name_method: bool) -> None:
        """Draw a document, with its scores above and a line below."""
        if text.scores:
            self._scores(text, name_method)
        if not text.tokens:
            self._note("(no tokens)", _MARGIN)
        elif text.spans:
            for row in text.rows():
                self._row(text, row)
        else:
            self._paragraph(list(text.shaded_tokens()), text, _MARGIN)
        self.y += 6.0
        self.canvas.fill(_MARGIN, self.y, _RIGHT - _MARGIN, 0.8, LINE[self.theme])
        self.y += 12.0

    def _scores(self, text: ShadedText, name_method: bool) -> None:
        named, more = text.named_scores, text.other_scores
        parts = [
            (f"{visible(label)} {score:.2f}", not i, label in text.shown_labels)
            for i, (label, score) in enumerate(named)
        ]
        if more:
            parts.append((f"{len(more)} more, none above {more[0][1]:.2f}", False, False))
        asked = [text.question] if text.question else []
        parts += [(part, False, False) for part in asked]
        parts += [(f"by {visible(text.name)}", False, False)] if name_method else []
        x, gap = _MARGIN, 11.0
        self.y += _SMALL_LINE_HEIGHT
        for part, first, shown in parts:
            width = self.canvas.width(part, _SMALL, first)
            if x > _MARGIN and x + width > _RIGHT:
                x, self.y = _MARGIN, self.y + _SMALL_LINE_HEIGHT + 4.0
            colour = (INK if first else QUIET)[self.theme]
            self.canvas.write(x, self.y, part, _SMALL, colour, first)
            if shown:
                self.canvas.fill(x, self.y + 3.0, width, 1.4, ACCENT[self.theme])
            x += width + gap
        self.y += 9.0

    def _note(self, note: str, left: float) -> None:
        self.y += _LINE_HEIGHT
        self.canvas.write(left, self.y - _BELOW, note, _SIZE, QUIET[self.theme])

    def _row(self, text: ShadedText, row: ShadedRow) -> None:
        """Draw a bar, its number, and the tokens that it is of."""
        signed, colour = text.scale.signed, text.bar_shade(row).fill[self.theme]
        baseline, width = self.y + _LINE_HEIGHT - _BELOW - 1.0, abs(row.share) * _BAR_WIDTH
        zero = _MARGIN + (_BAR_WIDTH / 2 if signed else 0.0)
        width = width / 2 if signed else width
        left = zero - width if row.share < 0 else zero
        self.canvas.fill(left, baseline - _BAR_HEIGHT + 0.5, width, _BAR_HEIGHT, colour)
        self.canvas.fill(zero - 0.4, baseline - 10.0, 0.8, 12.0, QUIET[self.theme])
        end = _NUMBER_END - self.canvas.width(row.number, _SMALL)
        self.canvas.write(end, baseline, row.number, _SMALL, INK[self.theme])
        if not row.tokens:
            self._note("(all other tokens)", _BESIDE)
            return
        self._paragraph(row.tokens, text, _BESIDE)
        if row.kind:
            self.y += _SMALL_LINE_HEIGHT
            self.canvas.write(_BESIDE, self.y - 2.0, visible(row.kind), _SMALL, QUIET[self.theme])

    def _paragraph(self, tokens: Sequence[ShadedToken], text: ShadedText, left: float) -> None:
        """Draw tokens, on as many lines as they need."""
        direction = text.direction
        if direction == "auto":
            direction = direction_of_texts(text.tokens)
        space = self.canvas.width("a b", _SIZE) - self.canvas.width("ab", _SIZE)
        for line in self._lines(tokens, _RIGHT - left, space):
            self.y += _LINE_HEIGHT
            order = visual_order([piece.text for piece in line], direction)
            # What is between two neighbours follows the one that is read first.
            gaps = [space * line[min(pair)].space for pair in pairwise(order)]
            width = sum(piece.width for piece in line) + sum(gaps)
            x = _RIGHT - width if direction == RIGHT_TO_LEFT else left
            for number, gap in zip(order, [*gaps, 0.0], strict=True):
                self._piece(line[number], x, text.scale.signed)
                x += line[number].width + gap

    def _piece(self, piece: Piece, x: float, signed: bool) -> None:
        baseline, shade = self.y - _BELOW, piece.token.shade
        top, height = baseline - _ABOVE, _ABOVE + _BELOW
        if shade.level:
            self.canvas.fill(x, top, piece.width, height, shade.fill[self.theme])
        if shade.level and signed:
            line = top if shade.level > 0 else top + height - _MARK_HEIGHT
            self.canvas.fill(x, line, piece.width, _MARK_HEIGHT, shade.mark[self.theme])
        self.canvas.write(x + _PADDING, baseline, piece.text, _SIZE, INK[self.theme])

    def _lines(
        self, tokens: Sequence[ShadedToken], room: float, space: float
    ) -> Iterator[list[Piece]]:
        """Break tokens into lines, at spaces, and within words that are wider than a line."""
        line: list[Piece] = []
        used = 0.0
        for word in self._words(tokens, room):
            if line and used + sum(piece.width for piece in word) > room:
                yield line
                line, used = [], 0.0
            for piece in word:
                if line and used + piece.width > room:
                    yield line
                    line, used = [], 0.0
                line.append(piece)
                used += piece.width + space * piece.space
        if line:
            yield line

    def _words(self, tokens: Sequence[ShadedToken], room: float) -> Iterator[list[Piece]]:
        """Join tokens that no space is between."""
        word: list[Piece] = []
        for token in tokens:
            word += self._pieces(token, room)
            if token.space:
                yield word
                word = []
        if word:
            yield word

    def _pieces(self, token: ShadedToken, room: float) -> Iterator[Piece]:
        text, room = token.text, room - 2 * _PADDING
        while len(text) > 1 and self.canvas.width(text, _SIZE) > room:
            # About as many characters as fit, and fewer until they do.
            n = max(1, int(len(text) * room / self.canvas.width(text, _SIZE)))
            while n > 1 and self.canvas.width(text[:n], _SIZE) > room:
                n -= 1
            yield self._make_piece(text[:n], False, token)
            text = text[n:]
        yield self._make_piece(text, token.space, token)

    def _make_piece(self, text: str, space: bool, token: ShadedToken) -> Piece:
        return Piece(text, self.canvas.width(text, _SIZE) + 2 * _PADDING, space, token)

    def legend(self, legend: Legend) -> None:
        """Draw the scale, with the numbers of its ends below, and what it means."""
        quiet, top = QUIET[self.theme], self.y
        shades = legend.scale.shades
        length = _SWATCH_WIDTH * len(shades)
        for i, shade in enumerate(shades):
            fill = shade.fill[self.theme]
            self.canvas.fill(_MARGIN + i * _SWATCH_WIDTH, top, _SWATCH_WIDTH, _SWATCH_HEIGHT, fill)
        for y in (top, top + _SWATCH_HEIGHT - 0.8):
            self.canvas.fill(_MARGIN, y, length, 0.8, LINE[self.theme])
        self.y += _SWATCH_HEIGHT + _SMALL_LINE_HEIGHT
        for i, tick in enumerate(legend.ticks):
            share = i / (len(legend.ticks) - 1)
            x = _MARGIN + share * (length - self.canvas.width(tick, _SMALL))
            self.canvas.write(x, self.y, tick, _SMALL, quiet)
        for line in self._wrapped(legend.text):
            self.y += _SMALL_LINE_HEIGHT
            self.canvas.write(_MARGIN, self.y + 2.0, line, _SMALL, quiet)

    def _wrapped(self, text: str) -> Iterator[str]:
        line = ""
        for word in text.split(" "):
            longer = f"{line} {word}".strip()
            if line and self.canvas.width(longer, _SMALL) > _RIGHT - _MARGIN:
                yield line
                longer = word
            line = longer
        yield line
