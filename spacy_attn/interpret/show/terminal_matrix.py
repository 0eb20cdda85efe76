"""Alignments in a terminal: words from above, a row for each that was written, grey levels."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.style import Style
from rich.text import Text

from ...results.explanation import TOKEN
from ...results.targets import Contrast
from .matrices import Cell, Matrix, matrices
from .scale import GREYS, INK, PAPER, text_on
from .templating import visible

# The colours bring their own background, whatever that of the terminal is.
_THEME = "dark"
_BASE = Style(color=INK[_THEME], bgcolor=PAPER[_THEME])
_QUIET = Style(dim=True)
# A column has room for "100".
_CELL_WIDTH = 3
# So many characters of a word are shown above and beside.
MAX_HEIGHT, MAX_WIDTH = 16, 24


def terminal_matrices(
    docs: object,
    *,
    label: str | None = None,
    contrast: Contrast | None = None,
    by: str = TOKEN,
) -> RenderableType:
    """Draw alignments and a legend, to be printed with a `rich.console.Console`.

    Arguments and errors are those of `spacy_attn.render`.
    """
    parts: list[RenderableType] = []
    for matrix in matrices(docs, label=label, contrast=contrast, by=by):
        parts += [_title(matrix), _Grid(matrix), Text()]
    bar = Text.assemble(
        ("0 ", _QUIET),
        *((" ", Style(bgcolor=shade.fill[_THEME])) for shade in GREYS.shades),
        (" 100 %", _QUIET),
    )
    what = (
        "Above is what was read, beside it what was written. A cell is the share of the attention, "
        "in percent: each row sums to 100."
    )
    return Group(*parts, bar, Text(what, _QUIET))


def _title(matrix: Matrix) -> Text:
    read = "" if matrix.read is None else f"{visible(matrix.read)} → "
    written = visible(matrix.written) if matrix.alignment.target else matrix.without_rows
    more = f"   log-probability {matrix.log_probability}" if matrix.log_probability else ""
    return Text.assemble(read, (written, "bold"), more)


@dataclass(frozen=True)
class _Grid:
    """A matrix, in so many pieces beside one another as the terminal is wide enough for."""

    matrix: Matrix

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        rows = self.matrix.rows
        if not rows:
            return
        room = max(1, min(MAX_WIDTH, options.max_width - _CELL_WIDTH - 1))
        symbols = [_shortened(row.symbol, room) for row in rows]
        width = max(map(cell_len, symbols)) + 1
        columns = [_clusters(_shortened(each, MAX_HEIGHT)) for each in self.matrix.columns]
        per_piece = max(1, (options.max_width - width) // _CELL_WIDTH)
        for start in range(0, len(columns), per_piece):
            piece = slice(start, start + per_piece)
            yield from _heading(columns[piece], width)
            for symbol, row in zip(symbols, rows, strict=True):
                yield _line(symbol, row.cells[piece], width)
            if piece.stop < len(columns):
                yield Text()


def _heading(columns: list[list[str]], width: int) -> Iterator[Text]:
    """Write words from above to their columns."""
    height = max(map(len, columns))
    padded = [[""] * (height - len(column)) + column for column in columns]
    for line in zip(*padded, strict=True):
        yield Text(" " * width + "".join(_centred(each, _CELL_WIDTH) for each in line), _BASE)


def _line(symbol: str, cells: list[Cell], width: int) -> Text:
    line = Text(" " * (width - 1 - cell_len(symbol)) + _in_place(symbol) + " ", _BASE)
    for cell in cells:
        fill = cell.shade.fill
        style = Style(color=text_on(fill)[_THEME], bgcolor=fill[_THEME])
        line.append(f"{cell.percent:>{_CELL_WIDTH}}", style)
    return line


def _clusters(text: str) -> list[str]:
    """Return the characters of a text, each with the marks on it and with what is joined to it."""
    clusters: list[str] = []
    for character in text:
        joins = unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf")
        if clusters and (joins or clusters[-1].endswith("\N{ZERO WIDTH JOINER}")):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _shortened(text: str, length: int) -> str:
    clusters = _clusters(text)
    return text if len(clusters) <= length else "".join(clusters[: length - 1]) + "…"


def _centred(text: str, width: int) -> str:
    room = max(0, width - cell_len(text))
    return " " * (room - room // 2) + _in_place(text) + " " * (room // 2)


def _in_place(text: str) -> str:
    """Keep a terminal from turning what comes after right-to-left text around."""
    turns = any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)
    return text + "\N{LEFT-TO-RIGHT MARK}" if turns else text
