"""`Alignment`: which parts of a source were looked at where each part of a target was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

from .explanation import Floats, shorten

if TYPE_CHECKING:
    import pandas

# The setting of pictures that shows it, and the attribute of documents that has it.
ALIGNMENT = "alignment"
# So much of what was read, and of what was written, is shown where an alignment is printed.
_SHOWN_CHARACTERS = 40
# How far the sum of a row may be from 1, for models that compute with half precision.
_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class Alignment:
    r"""The soft alignment of what was written with what was read.

    Row i is the attention of the decoder's step i: :math:`a_{ij}` is the weight of source symbol j
    where target symbol i was written, as in Bahdanau et al. 2015, "Neural Machine Translation by
    Jointly Learning to Align and Translate".

    Attributes:
        source: What was read: tokens or characters.
        target: What was written.
        weights: Shape (n_target, n_source), at least 0; the rows sum to 1. Given as anything that
            NumPy makes an array of, kept as float32.
        log_probability: Of the target, given the source; None where it is not known.
        of_tokens: Whether source and target are tokens. Otherwise symbols that all have a length of
            1 are taken for characters, which are shown without spaces between them.

    Raises:
        ValueError: If the weights have another shape, a value below 0 or not finite, or a row that
            does not sum to 1.
        TypeError: If the source or the target is one string.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: Floats
    log_probability: float | None = None
    of_tokens: bool = False

    def __post_init__(self) -> None:
        """Check what was given, and make it what the attributes say."""
        for name in ("source", "target"):
            object.__setattr__(self, name, _symbols(name, getattr(self, name)))
        weights = numpy.asarray(self.weights, dtype=numpy.float32)
        shape = len(self.target), len(self.source)
        if weights.size == 0 == shape[0]:
            weights = weights.reshape(shape)  # no row, whatever made it
        if weights.shape != shape:
            raise ValueError(
                f"The weights of an alignment must have a row for each of the {shape[0]} target "
                f"symbols and a column for each of the {shape[1]} source symbols, but have the "
                f"shape {weights.shape}: leave out padding, and what stands for the end."
            )
        sums = weights.sum(axis=1)
        # A comparison with NaN is false.
        wrong = ~((weights >= 0).all(axis=1) & (numpy.abs(sums - 1.0) <= _TOLERANCE))
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"Each row of an alignment's weights must be at least 0 and sum to 1, but row "
                f"{row}, of the target symbol {shorten(self.target[row], _SHOWN_CHARACTERS)!r}, "
                f"has the sum {sums[row]:.4g} and the lowest value "
                f"{weights[row].min(initial=numpy.inf):.4g}: give the weights of the attention."
            )
        object.__setattr__(self, "weights", weights)
        if self.log_probability is not None:
            object.__setattr__(self, "log_probability", float(self.log_probability))

    def __repr__(self) -> str:
        """Show the beginnings of what was read and written."""
        read, written = (
            shorten(text, _SHOWN_CHARACTERS) for text in (self.source_text, self.target_text)
        )
        n_target, n_source = self.weights.shape
        known = self.log_probability
        more = "" if known is None else f", log_probability={known:.3f}"
        return f"Alignment({read!r} -> {written!r}, {n_target} x {n_source} weights{more})"

    def _repr_html_(self) -> str:
        """Show the matrix of the weights, in a notebook."""
        from ..interpret.show.pictures import notebook_matrix

        return notebook_matrix(self)

    @property
    def source_text(self) -> str:
        """What was read: characters in a row, or tokens with spaces between them."""
        return self._joined(self.source)

    @property
    def target_text(self) -> str:
        """What was written, in the same way."""
        return self._joined(self.target)

    @property
    def of_characters(self) -> bool:
        """Whether what was read is a row of characters."""
        return self._are_characters(self.source)

    def _are_characters(self, symbols: tuple[str, ...]) -> bool:
        return not self.of_tokens and all(len(symbol) == 1 for symbol in symbols)

    def _joined(self, symbols: tuple[str, ...]) -> str:
        return ("" if self._are_characters(symbols) else " ").join(symbols)

    def to_dict(self) -> dict[str, Any]:
        """Return the alignment in lists, strings and numbers, which JSON can hold.

        In "weights", each target symbol has a list with a value for each source symbol.
        """
        return {
            "source": list(self.source),
            "target": list(self.target),
            "weights": self.weights.tolist(),
            "log_probability": self.log_probability,
        }

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each pair of a target symbol and a source symbol.

        The columns are target_index, target, source_index, source and weight.
        """
        import pandas

        n_target, n_source = self.weights.shape
        return pandas.DataFrame(
            {
                "target_index": numpy.arange(n_target).repeat(n_source),
                "target": numpy.array(self.target, dtype=object).repeat(n_source),
                "source_index": numpy.tile(numpy.arange(n_source), n_target),
                "source": list(self.source) * n_target,
                "weight": self.weights.reshape(-1),
            }
        )


def _symbols(name: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return symbols as a tuple; refuse one string, which would fall into its characters."""
    if isinstance(given, str):
        raise TypeError(
            f"The {name} of an alignment must be several strings, but is the string "
            f"{shorten(given, _SHOWN_CHARACTERS)!r}: give its tokens, or tuple(text) for its "
            f"characters."
        )
    return tuple(given)
