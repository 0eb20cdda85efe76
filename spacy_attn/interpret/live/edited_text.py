"""A text that some tokens are left out of, explained with them and without them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy

from ...results.explanation import ATTENTION, CONTRIBUTIONS, Explanation
from ...results.targets import Target, name_target
from ..methods import explain_docs
from ..show.pictures import render
from ..show.templating import fill_template, visible
from ..subject import Classifier, keep_tokens

# So many labels have a bar; and so many of the tokens left out are named.
_MAX_BARS, _MAX_NAMED = 8, 12


class ScoreBar(NamedTuple):
    """What is shown of a label.

    Attributes:
        label: The label.
        score: Its score.
        then: Its score without the tokens left out; None where none is.
        given: Whether it is predicted.
        given_then: The same, without these tokens.
    """

    label: str
    score: float
    then: float | None
    given: bool
    given_then: bool

    @property
    def turns_to(self) -> bool:
        """Whether it is predicted only without these tokens."""
        return self.given_then and not self.given


@dataclass(frozen=True)
class EditedText:
    """A text, explained as it is and without some of its tokens.

    Attributes:
        classifier: What classified it.
        whole: The explanation of the whole text.
        left_out: The places of the tokens left out, in order.
        rest: The explanation of the other tokens; None where none is left out.
    """

    classifier: Classifier
    whole: Explanation
    left_out: tuple[int, ...] = ()
    rest: Explanation | None = None

    @classmethod
    def explain(
        cls, classifier: Classifier, text: str, left_out: Collection[int] = ()
    ) -> "EditedText":
        """Explain a text, and what remains of it.

        Tokens are left out as `Classifier.logits_of_parts` does: the others stay the tokens that
        they are, and the result is that of the shorter document.

        Args:
            classifier: What classifies it.
            text: The text.
            left_out: The places of tokens to leave out. Those beyond its end do not count.
        """
        docs = classifier.prepare([text])
        (whole,) = explain_docs(classifier, docs, CONTRIBUTIONS)
        places = tuple(sorted({i for i in left_out if 0 <= i < len(docs[0])}))
        if not places:
            return cls(classifier, whole)
        kept = numpy.delete(numpy.arange(len(docs[0])), places)
        shortened = classifier.prepare([keep_tokens(docs[0], kept)])
        (rest,) = explain_docs(classifier, shortened, CONTRIBUTIONS)
        return cls(classifier, whole, places, rest)

    @property
    def predicted(self) -> str:
        """The label with the highest score."""
        return self.whole.labels[int(self.whole.scores.argmax())]

    @cached_property
    def scores(self) -> list[ScoreBar]:
        """The labels, from the highest score to the lowest."""
        explanations = [self.whole] if self.rest is None else [self.whole, self.rest]
        scores = numpy.array([explanation.scores for explanation in explanations])
        given = self.classifier.decisions.decide(scores)
        return [
            ScoreBar(
                self.whole.labels[i],
                float(scores[0, i]),
                None if self.rest is None else float(scores[-1, i]),
                bool(given[0, i]),
                bool(given[-1, i]),
            )
            for i in numpy.argsort(-scores[0], kind="stable")
        ]

    def picture(self, style: str, target: Target | None) -> str:
        """Shade the tokens, as `render` does; below them the others, where some are left out.

        Args:
            style: "attention" or "contributions".
            target: The label or the contrast whose contributions to show; None for attention.
        """
        chosen: dict[str, Any] = {}
        if style == CONTRIBUTIONS:
            chosen = {"label" if isinstance(target, str) else "contrast": target}
        shown = [self.whole] if self.rest is None else [self.whole, self.rest]
        html = cast(str, render(shown, style, jupyter=False, minify=True, **chosen))
        return f'<div data-left-out="{list(self.left_out)}">{html}</div>'

    def score_bars(self, note: str = "") -> str:
        """Write the scores as HTML, with what the tokens left out change.

        Args:
            note: What is to be said above them.
        """
        # Of many labels the highest, and those that the decision turns to.
        shown = [bar for i, bar in enumerate(self.scores) if i < _MAX_BARS or bar.turns_to]
        others = [bar.score for bar in self.scores[_MAX_BARS:] if not bar.turns_to]
        return fill_template(
            "scores.html.jinja",
            minify=True,
            bars=shown,
            n_others=len(others),
            highest=max(others, default=0.0),
            left_out=[self.whole.tokens[i] for i in self.left_out[:_MAX_NAMED]],
            n_more=max(0, len(self.left_out) - _MAX_NAMED),
            turned=any(bar.given != bar.given_then for bar in self.scores),
            note=note,
        )

    def table(self, target: Target) -> tuple[list[str], list[list[Any]]]:
        """Return the tokens as a table: the names of the columns, and the rows.

        Args:
            target: The label or the contrast whose contributions it has.
        """
        names = ["attention", f"contribution to {visible(name_target(target))}"]
        columns: list[Sequence[Any]] = [
            range(1, len(self.whole.tokens) + 1),
            [visible(token) for token in self.whole.tokens],
            *_values(self.whole, target),
        ]
        if self.rest is not None:
            names += [f"{name}, without" for name in names]
            kept = numpy.delete(numpy.arange(len(self.whole.tokens)), self.left_out)
            for values in _values(self.rest, target):
                cells: list[float | None] = [None] * len(self.whole.tokens)
                for i, value in zip(kept, values, strict=True):
                    cells[i] = value
                columns.append(cells)
        return ["no.", "token", *names], [list(row) for row in zip(*columns, strict=True)]


def _values(explanation: Explanation, target: Target) -> list[list[float]]:
    """Return the attention and the contributions of the tokens, rounded for reading."""
    arrays = (getattr(explanation, ATTENTION), explanation.of_label(target))
    return [[round(value, 4) for value in array.tolist()] for array in arrays]
