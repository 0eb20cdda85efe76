"""The components before another one, run without a change to the pipeline."""

from collections.abc import Iterable
from typing import TypeVar

from spacy.language import Language
from spacy.tokens import Doc

Context = TypeVar("Context")


def names_before(nlp: Language, name: str) -> list[str]:
    """The names of the components before another one, in order."""
    return nlp.pipe_names[: nlp.pipe_names.index(name)]


def run_before(nlp: Language, name: str, docs: Iterable[Doc]) -> list[Doc]:
    """Have the components before another one see some documents, which they may modify.

    Raises:
        ValueError: If these components do not return every document.
    """
    docs = list(docs)
    found = [doc for doc, _ in pair_before(nlp, name, ((doc, None) for doc in docs))]
    if len(found) != len(docs):
        raise ValueError(
            f"The components before '{name}' returned {len(found)} of {len(docs)} documents: an "
            f"error handler that skips documents does not go with what needs every one of them."
        )
    return found


def pair_before(
    nlp: Language, name: str, pairs: Iterable[tuple[Doc, Context]]
) -> list[tuple[Doc, Context]]:
    """The same for documents with something beside each; those that are skipped are left out."""
    # `select_pipes` would disable the other components for all threads that use the pipeline.
    others = nlp.pipe_names[nlp.pipe_names.index(name) :]
    return list(nlp.pipe(pairs, as_tuples=True, disable=others))
