"""`WordReport`: words that are shown as a page, a plot or a table."""

from abc import ABC, abstractmethod
from os import PathLike
from typing import TYPE_CHECKING, Any

from .word_summary import WordTable, words_to_dataframe

if TYPE_CHECKING:
    import pandas


class WordReport(ABC):
    """Numbers of some documents, and tables of their words."""

    n_docs: int

    @abstractmethod
    def numbers(self) -> str:
        """Write what it counts, in sentences."""

    @abstractmethod
    def tables(self) -> list[WordTable]:
        """Return the tables of words, with what their values say."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return all of it in lists, strings and numbers, which JSON can hold."""

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each table, label and word, with the fields of `WordSummary`."""
        return words_to_dataframe(self.tables())

    def to_html(self, title: str = "Words") -> str:
        """Return a web page with the words as bars and with examples.

        The page is one file, which fetches nothing.
        """
        from ..show.words_page import to_html

        return to_html(title, self.numbers(), self.tables())

    def save(
        self, path: str | PathLike[str], *, title: str = "Words", theme: str | None = None
    ) -> None:
        """Save it as a file of the kind that its name ends in.

        ".html" is the page. ".svg", ".png" and ".pdf" are a plot, which Matplotlib draws
        (`pip install matplotlib`). ".csv" is the table of `to_dataframe`, and ".json" all values.
        The file appears under its name when it is complete.

        Args:
            path: The file.
            title: Of the page or the plot.
            theme: "light", the default, or "dark", for plots. Pages have the reader's.

        Raises:
            ValueError: For another ending or theme, and for a PNG that would be too high.
            ImportError: If a plot needs Matplotlib, and it is not installed.
        """
        from ..show.words_saving import save_words

        save_words(path, title, self.numbers(), self.tables(), self.to_dict, theme)

    def _repr_html_(self) -> str:
        """Show its numbers and a table of the words, in a notebook."""
        from ..show.pictures import notebook_table

        return notebook_table(self.numbers(), self._notebook_words())

    def _notebook_words(self) -> "pandas.DataFrame":
        return self.to_dataframe()
