"""Scorers of a string for each token, such as the lemma: accuracy, and that on unseen forms."""

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any

from spacy.scorer import Scorer
from spacy.tokens import Token
from spacy.training import Example

from .token_attributes import TokenAttribute

Predicate = Callable[[Token], bool]


def make_lemma_scorer() -> Callable[..., dict[str, float | None]]:
    """Return the scorer of `attn_lemmatizer`."""
    return partial(score_token_strings, attribute="lemma_")


def make_transducer_scorer() -> Callable[..., dict[str, float | None]]:
    """Return the scorer of `attn_transducer`, which says itself what attribute it sets."""
    return score_token_strings


def score_token_strings(
    examples: Iterable[Example],
    *,
    attribute: str,
    is_seen: Predicate | None = None,
    is_missing: Predicate | None = None,
    **kwargs: Any,
) -> dict[str, float | None]:
    """Score the strings that a component sets on tokens.

    Tokens of white space are not scored, nor are those without an annotated value. An empty string
    or list is a value of an extension, unless it is its default.

    Args:
        examples: Documents as predicted and as annotated.
        attribute: The attribute of tokens, such as "lemma_", or "_.NAME" for an extension. Its
            values are strings or lists of strings.
        is_seen: Says whether the form of an annotated token is one that training had.
        is_missing: Says whether an annotated token has no value, though it is not empty.
        kwargs: What else the component passes on. It changes nothing.

    Returns:
        `NAME_acc`, as spaCy's own scorer has it: the share of annotated tokens whose value is
        right, and F where the predicted document has other tokens. `NAME_acc_unseen` is the same of
        the tokens whose form training did not have. NAME is that of the attribute without
        underscores. Either is None where there is no such token, and the second one without
        `is_seen`.
    """
    examples = list(examples)
    is_extension = attribute.startswith("_.")
    name = attribute.removeprefix("_.") if is_extension else attribute.rstrip("_")
    annotated = {id(example.reference) for example in examples}

    read = TokenAttribute(attribute if is_extension else name.upper()).read

    def read_scored(token: Token, _: str) -> Hashable:
        if id(token.doc) not in annotated:
            return read(token)
        # Predicted tokens of white space are not scored either.
        is_left_out = token.text.isspace() or (is_missing is not None and is_missing(token))
        return None if is_left_out else read(token)

    def read_unseen(token: Token, attr: str) -> Hashable:
        is_left_out = is_seen is not None and id(token.doc) in annotated and is_seen(token)
        return None if is_left_out else read_scored(token, attr)

    def score(getter: Callable[[Token, str], Hashable]) -> float | None:
        scores = Scorer.score_token_attr(examples, name, getter=getter, missing_values={None})
        return scores[f"{name}_acc"]

    return {
        f"{name}_acc": score(read_scored),
        f"{name}_acc_unseen": None if is_seen is None else score(read_unseen),
    }
