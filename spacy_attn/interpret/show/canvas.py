"""What Matplotlib draws on: texts, boxes and lines, in points, from the upper left corner."""

import io
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from .scale import PAPER

# Pixels of a PNG by inch, and as many as Matplotlib can draw in one direction.
_DPI, _MAX_PIXELS = 200, 2**16
# It comes with Matplotlib, so that a picture is the same everywhere.
_FAMILY = "DejaVu Sans"
# Has a box for each character, which names its script.
_LAST_RESORT = "Last Resort"
# Weights that are neither light nor bold.
_REGULAR = (400, "normal", "regular", "book")
# Whoever called `spacy_attn.save`, at whom warnings are.
_CALLER = 6
# Letters are paths, which need no font where the picture is shown, and keep their widths.
_SETTINGS: Any = {
    "svg.hashsalt": "spacy-attn",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "text.hinting": "none",
}
# So many characters are named in a warning.
_SHOWN = 8
# What XML, and so SVG, cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def require_matplotlib(ending: str) -> None:
    """Check that Matplotlib is installed.

    Raises:
        ImportError: If it is not.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"Pictures of the kind '{ending}' need Matplotlib ({error}): pip install matplotlib."
        ) from error


class Canvas:
    """A picture that grows downwards.

    Args:
        width: Its width, in points, as all lengths.
        theme: "light" or "dark".
        texts: All that is to be written, for which fonts are looked for.
    """

    def __init__(self, width: float, theme: str, texts: Iterable[str]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.theme, self._width = theme, width
        self._families = _families({character for text in texts for character in text})
        self._widths: dict[tuple[str, float, bool], float] = {}
        self._figure = Figure(facecolor=PAPER[theme])
        FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.axis("off")

    def _font(self, size: float, bold: bool) -> Any:
        from matplotlib.font_manager import FontProperties

        weight = "bold" if bold else "normal"
        return FontProperties(family=self._families, size=size, weight=weight)

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Return the width of a text."""
        from matplotlib.textpath import text_to_path

        key = (text, size, bold)
        if key not in self._widths:
            with _without_warnings_of_glyphs():
                measured = text_to_path.get_text_width_height_descent(
                    _NOT_XML.sub(_REPLACEMENT, text), self._font(size, bold), ismath=False
                )
            self._widths[key] = float(measured[0])
        return self._widths[key]

    def write(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        """Write a text that begins at `x`, with its baseline at `y`."""
        self._axes.text(
            x,
            y,
            _NOT_XML.sub(_REPLACEMENT, text),
            fontproperties=self._font(size, bold),
            color=colour,
            verticalalignment="baseline",
            parse_math=False,
        )

    def fill(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a box, of which `x` and `y` are the upper left corner."""
        from matplotlib.patches import Rectangle

        # `add_patch` would look for the limits of the axes, which are set at the end.
        self._axes.add_artist(Rectangle((x, y), width, height, color=colour, linewidth=0))

    def to_bytes(self, file_format: str, height: float, title: str, description: str) -> bytes:
        """Return the picture as a file, always the same for the same picture.

        Args:
            file_format: "svg", "png" or "pdf".
            height: Its height.
            title: What it is, for screen readers and catalogues.
            description: The text in it.

        Raises:
            ValueError: If a PNG would be too high.
        """
        import matplotlib

        pixels = height / 72 * _DPI
        if file_format == "png" and pixels >= _MAX_PIXELS:
            raise ValueError(
                f"The PNG would be {pixels:.0f} pixels high, and can have {_MAX_PIXELS - 1}: save "
                f"fewer documents or words, or write .svg, .pdf or .html."
            )
        self._figure.set_size_inches(self._width / 72, height / 72)
        self._axes.set(xlim=(0, self._width), ylim=(height, 0))
        title, description = (_NOT_XML.sub(_REPLACEMENT, text) for text in (title, description))
        content = io.BytesIO()
        with matplotlib.rc_context(_SETTINGS), _without_warnings_of_glyphs():
            self._figure.savefig(
                content,
                format=file_format,
                dpi=_DPI,
                facecolor=self._figure.get_facecolor(),
                metadata=_metadata(file_format, title, description),
            )
        return content.getvalue()


def _metadata(file_format: str, title: str, description: str) -> dict[str, Any]:
    if file_format == "pdf":
        return {"Title": title, "Subject": description, "CreationDate": None}
    dated = {"Date": None} if file_format == "svg" else {"Software": None}
    return {"Title": title, "Description": description, **dated}


@contextmanager
def _without_warnings_of_glyphs() -> Iterator[None]:
    """Keep Matplotlib from warning of each character: `_families` has done so for all."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _families(characters: set[str]) -> list[str]:
    """Return the names of fonts that have some characters, and warn of those that none has."""
    from matplotlib import ft2font

    turned = {c for c in characters if unicodedata.bidirectional(c) in ("R", "AL")}
    if turned and not hasattr(ft2font, "__libraqm_version__"):
        warnings.warn(
            f"This version of Matplotlib writes {_named(turned)} from left to right and letter by "
            f"letter: install Matplotlib 3.11, or write .html.",
            stacklevel=_CALLER,
        )
    families, missing = [], {each for each in characters if not _is_nothing(each)}
    for family, path in _installed():
        if found := missing & _covered(path):
            families.append(family)
            missing -= found
        if not missing:
            break
    if missing:
        warnings.warn(
            f"No installed font has {_named(missing)}, which are shown as boxes: install one that "
            f"has them, such as Noto Sans, or write .html.",
            stacklevel=_CALLER,
        )
    return families or [_FAMILY]


def _is_nothing(character: str) -> bool:
    """Whether a character has nothing to be seen: spaces, controls, and those that join others."""
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cn", "Cs")


def _named(characters: set[str]) -> str:
    named = [f"{character!r}" for character in sorted(characters)[:_SHOWN]]
    return ", ".join(named) + (", ..." if len(characters) > _SHOWN else "")


def _installed() -> Iterator[tuple[str, str]]:
    """Go through the names and files of upright fonts, of which Matplotlib's own comes first."""
    from matplotlib.font_manager import fontManager

    regular = {
        font.name: font.fname
        for font in fontManager.ttflist
        if font.style == "normal" and font.weight in _REGULAR and font.stretch == "normal"
    }
    yield _FAMILY, regular.pop(_FAMILY)
    yield from sorted(pair for pair in regular.items() if not pair[0].startswith(_LAST_RESORT))


@lru_cache
def _covered(path: str) -> set[str]:
    """Return the characters of a font; none of one whose characters are pictures in colour."""
    from matplotlib.font_manager import get_font

    font = get_font(path)
    return set(map(chr, font.get_charmap())) if font.scalable else set()
