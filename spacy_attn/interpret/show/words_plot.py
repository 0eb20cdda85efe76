"""The words of a corpus as a plot for papers and slides: SVG, PNG or PDF."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..corpus_words.word_summary import WordTable
from .canvas import Canvas
from .scale import BLUE, INK, ORANGE, QUIET
from .templating import visible
from .words_page import COUNTED, Bar, bars

# All lengths are in points.
_WIDTH, _MARGIN, _GAP, _COLUMNS = 520.0, 18.0, 24.0, 2
_COLUMN = (_WIDTH - 2 * _MARGIN - (_COLUMNS - 1) * _GAP) / _COLUMNS
_HEAD, _SIZE, _SMALL = 12.0, 10.0, 8.5
_ROW, _NOTE_ROW = 14.0, 12.0
# In a column: the word, the bar, and the value with the number of occurrences.
_WORD, _BAR = 78.0, 78.0
_BAR_HEIGHT = 8.0
_ELLIPSIS = "…"
_NONE = "none"


def draw_words(
    title: str, numbers: str, tables: Sequence[WordTable], file_format: str, theme: str
) -> bytes:
    """Draw the words of tables as bars, one table below the other.

    Args:
        title: Of the plot.
        numbers: What the corpus is, in sentences.
        tables: The words.
        file_format: "svg", "png" or "pdf".
        theme: "light" or "dark".

    Returns:
        The content of a file.

    Raises:
        ValueError: If a PNG would be too high.
    """
    written = [title, numbers, _ELLIPSIS, *_written(tables)]
    plot = _Plot(Canvas(_WIDTH, theme, map(visible, written)), theme)
    plot.line(title, _HEAD, bold=True)
    plot.note(numbers)
    for table in tables:
        plot.table(table)
    described = "\n".join(visible(text) for text in written[1:])
    return plot.canvas.to_bytes(file_format, plot.y + _MARGIN, visible(title), described)


def _written(tables: Sequence[WordTable]) -> Iterator[str]:
    """Go through all that will be written."""
    for table in tables:
        yield from (table.title, f"{table.note} {COUNTED}")
        for label, found in bars(table).items():
            yield label if found else f"{label}: {_NONE}"
            yield from (f"{bar.word.word} {bar.value} · {bar.word.count}" for bar in found)


class _Cell(NamedTuple):
    label: str
    bars: list[Bar]


class _Plot:
    """A canvas and the place on it that is reached."""

    def __init__(self, canvas: Canvas, theme: str) -> None:
        self.canvas, self.theme, self.y = canvas, theme, _MARGIN

    def line(self, text: str, size: float, *, bold: bool = False) -> None:
        self.y += size + 4.0
        shown = self._cut(text, _WIDTH - 2 * _MARGIN, size, bold)
        self.canvas.write(_MARGIN, self.y, shown, size, INK[self.theme], bold)

    def note(self, text: str) -> None:
        """Write sentences in as many lines as they need."""
        line = ""
        for word in [*visible(text).split(), ""]:
            longer = f"{line} {word}".strip()
            fits = self.canvas.width(longer, _SMALL) <= _WIDTH - 2 * _MARGIN
            if line and (not word or not fits):
                self.y += _NOTE_ROW
                self.canvas.write(_MARGIN, self.y, line, _SMALL, QUIET[self.theme])
                longer = word
            line = longer

    def table(self, table: WordTable) -> None:
        self.y += 10.0
        self.line(table.title, _SIZE, bold=True)
        self.note(f"{table.note} {COUNTED}")
        cells = [_Cell(label, found) for label, found in bars(table).items()]
        for start in range(0, len(cells), _COLUMNS):
            row, top = cells[start : start + _COLUMNS], self.y + 6.0
            for i, cell in enumerate(row):
                self._cell(cell, _MARGIN + i * (_COLUMN + _GAP), top)
            self.y = top + _ROW * (1 + max(len(cell.bars) or 1 for cell in row))

    def _cell(self, cell: _Cell, x: float, y: float) -> None:
        y += _ROW
        label = self._cut(cell.label, _COLUMN, _SIZE, bold=True)
        self.canvas.write(x, y, label, _SIZE, INK[self.theme], bold=True)
        if not cell.bars:
            self.canvas.write(x, y + _ROW, _NONE, _SMALL, QUIET[self.theme])
        for bar in cell.bars:
            y += _ROW
            word = self._cut(bar.word.word, _WORD - 6.0, _SIZE)
            self.canvas.write(x, y, word, _SIZE, INK[self.theme])
            hue = BLUE if bar.share >= 0.0 else ORANGE
            length = _BAR * abs(bar.share)
            self.canvas.fill(x + _WORD, y - _BAR_HEIGHT, length, _BAR_HEIGHT, hue.fill[self.theme])
            number = f"{bar.value} · {bar.word.count}"
            start = x + _COLUMN - self.canvas.width(number, _SMALL)
            self.canvas.write(start, y, number, _SMALL, QUIET[self.theme])

    def _cut(self, text: str, width: float, size: float, bold: bool = False) -> str:
        """Shorten a text to a width."""
        text = visible(text)
        if self.canvas.width(text, size, bold) <= width:
            return text
        while text and self.canvas.width(text + _ELLIPSIS, size, bold) > width:
            text = text[:-1]
        return text + _ELLIPSIS
