"""The symbols that sequences are made of, and their numbers."""

from collections.abc import Iterable, Sequence

from ..nn.decoder import UNKNOWN

#: What is written for an unknown symbol: Unicode's replacement character.
UNKNOWN_SYMBOL = "\N{REPLACEMENT CHARACTER}"
# What the numbers of the model's own symbols, `END` and `UNKNOWN`, stand for.
_OWN = ("", UNKNOWN_SYMBOL)


class Symbols:
    """A target vocabulary: the end, what is unknown, and then the symbols that were seen.

    Args:
        symbols: Those that were seen, in order.
    """

    def __init__(self, symbols: Iterable[str] = ()) -> None:
        self._known = [*_OWN, *dict.fromkeys(each for each in symbols if each not in _OWN)]
        self._numbers = {symbol: i for i, symbol in enumerate(self._known)}
        # No sequence holds the end.
        self._numbers[""] = UNKNOWN

    def __len__(self) -> int:
        return len(self._known)

    def to_list(self) -> list[str]:
        """Return the symbols that were seen."""
        return self._known[len(_OWN) :]

    def numbers(self, sequence: Iterable[str]) -> list[int]:
        """Return the number of each symbol of a target, unknown ones as `UNKNOWN`."""
        return [self._numbers.get(symbol, UNKNOWN) for symbol in sequence]

    def source_numbers(self, sequence: Iterable[str]) -> list[int]:
        """Return the number of each symbol of a source.

        Unknown ones are counted on from the size of the vocabulary, so that they can be copied.
        """
        further: dict[str, int] = {}
        return [
            self._numbers.get(symbol) or len(self) + further.setdefault(symbol, len(further))
            for symbol in sequence
        ]

    def target_numbers(self, sequence: Iterable[str], source: Iterable[str]) -> list[int]:
        """Return the number of each symbol of a target that may copy unknown ones of its source."""
        further = {symbol: len(self) + i for i, symbol in enumerate(self.unknown(source))}
        return [self._numbers.get(each, further.get(each, UNKNOWN)) for each in sequence]

    def spell(self, numbers: Iterable[int], source: Sequence[str] = ()) -> list[str]:
        """Return the symbols that numbers stand for.

        Args:
            source: The sequence that was read, whose unknown symbols may have been copied.
        """
        further = self.unknown(source)
        return [self._known[i] if i < len(self) else further[i - len(self)] for i in numbers]

    def unknown(self, source: Iterable[str]) -> list[str]:
        """Return the symbols of a source that were not seen, each once."""
        return [symbol for symbol in dict.fromkeys(source) if symbol not in self._numbers]
