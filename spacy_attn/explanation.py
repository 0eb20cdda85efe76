"""`Explanation`: what a decision about one document was made of, as plain data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

Floats = NDArray[numpy.float32]

# What a component shows of each token, and the attributes that have it unless others are set.
ATTENTION, CONTRIBUTIONS = "attention", "contributions"
# So much of a text, and so many labels, are shown where an explanation is printed.
_SHOWN_CHARACTERS, _SHOWN_LABELS = 50, 3


def method_name(method: str) -> str:
    """Return what a method is called where people read it: "leave one out"."""
    return method.replace("_", " ")


def shorten(text: str, length: int) -> str:
    """Return a text, or its beginning if it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


@dataclass(frozen=True, eq=False)
class Explanation:
    r"""The tokens of a document, the component's decision, and each token's part in it.

    Attributions of the method "contributions" are exact. The logits are linear in the hidden states
    that attention averages. So each logit is a sum over tokens, plus a bias:

    .. math::
        z_c = b_c + \sum_t a_t (w_c \cdot h_t)

    The scores are softmax(z), with independent labels sigmoid(z). So w and b are the model's
    weights and bias, divided by the temperature.

    The hidden state h_t has read the whole document, in both directions. A contribution belongs to
    a place in the document, not to its word alone.

    Attributes:
        tokens: The texts of the tokens.
        spaces: Whether a space follows each token, so that tokens and spaces make the text.
        labels: The component's labels, in the order of the columns and entries below.
        attention: The weight of each token, shape (n_tokens,); sums to 1.
        logits: The logits that the scores come from, shape (n_labels,).
        scores: What `doc.cats` has, shape (n_labels,): the logits as probabilities.
        bias: What the logits are without any token, shape (n_labels,).
        attributions: What each token adds to each logit, by the method, shape (n_tokens, n_labels).
        method: How the attributions were found.
    """

    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    labels: tuple[str, ...]
    attention: Floats
    logits: Floats
    scores: Floats
    bias: Floats
    attributions: Floats
    method: str = CONTRIBUTIONS

    def __repr__(self) -> str:
        """Show the beginning of the text and the highest scores."""
        best = numpy.argsort(-self.scores, kind="stable")[:_SHOWN_LABELS]
        scores = [f"{self.labels[i]!r}: {self.scores[i]:.3f}" for i in best]
        more = ["..."] if len(self.labels) > _SHOWN_LABELS else []
        return (
            f"Explanation({shorten(self.text, _SHOWN_CHARACTERS)!r}, {len(self.tokens)} tokens, "
            f"scores={{{', '.join(scores + more)}}}, method={self.method!r})"
        )

    def _repr_html_(self) -> str:
        """Shade the tokens, in a notebook, by what they add to the label that scores highest."""
        from .interpret.show.pictures import notebook_picture

        return notebook_picture(self)

    @property
    def contributions(self) -> Floats:
        """Exact contributions, shape (n_tokens, n_labels), which add up to logits minus bias.

        Raises:
            ValueError: If the attributions are those of another method.
        """
        if self.method != CONTRIBUTIONS:
            raise ValueError(
                f"This explanation has attributions of the method '{self.method}', not "
                f"contributions: see its 'attributions'."
            )
        return self.attributions

    @property
    def text(self) -> str:
        """The text of the document."""
        pairs = zip(self.tokens, self.spaces, strict=True)
        return "".join(token + " " * space for token, space in pairs)

    def of_label(self, label: str) -> Floats:
        """Return the attributions for one label, shape (n_tokens,).

        Raises:
            ValueError: For a label that the component does not have.
        """
        if label not in self.labels:
            known = ", ".join(map(repr, self.labels))
            raise ValueError(f"There is no label {label!r}; the component has {known}.")
        return self.attributions[:, self.labels.index(label)]

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation in lists, strings and numbers, which JSON can hold.

        Values for labels become tables by label. In "attributions", each label has a list with a
        value for each token.
        """
        return {
            "text": self.text,
            "tokens": list(self.tokens),
            "spaces": list(self.spaces),
            "attention": self.attention.tolist(),
            "logits": self._by_label(self.logits),
            "scores": self._by_label(self.scores),
            "bias": self._by_label(self.bias),
            "method": self.method,
            "attributions": self._by_label(self.attributions.T),
        }

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each token and label.

        The columns are index, token, attention, label, method and attribution.
        """
        import pandas

        n_tokens, n_labels = self.attributions.shape
        return pandas.DataFrame(
            {
                "index": numpy.arange(n_tokens).repeat(n_labels),
                "token": numpy.array(self.tokens, dtype=object).repeat(n_labels),
                "attention": self.attention.repeat(n_labels),
                "label": list(self.labels) * n_tokens,
                "method": self.method,
                "attribution": self.attributions.reshape(-1),
            }
        )

    def _by_label(self, values: NDArray[numpy.floating]) -> dict[str, Any]:
        return dict(zip(self.labels, values.tolist(), strict=True))
