"""Find components of a pipeline and how they decide, and run the components before one of them."""

from collections.abc import Collection, Iterable
from typing import TypeVar, cast

from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer, TextCategorizer
from spacy.tokens import Doc

from .component import AttentionCategorizer
from .decisions import Decisions

Context = TypeVar("Context")


def find_components(nlp: Language) -> dict[str, AttentionCategorizer]:
    """Return a pipeline's components with attention, by name."""
    return {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, AttentionCategorizer)}


def find_component(
    nlp: Language, name: str | None = None, *, purpose: str = "explained"
) -> tuple[str, AttentionCategorizer]:
    """Find the component with a name, or else the only one with attention.

    Args:
        nlp: The pipeline.
        name: Name of the component.
        purpose: What is to be done with it, for errors.

    Returns:
        Its name, and the component.

    Raises:
        ValueError: If there is no such component, or if there are several and none is named.
    """
    found = find_components(nlp)
    if not found:
        raise ValueError(
            f"The pipeline has no component that can be {purpose}, 'attn_textcat' or "
            f"'attn_textcat_multilabel'; it has {nlp.pipe_names}."
        )
    name = choose_name(found, name, f"can be {purpose}")
    return name, found[name]


def choose_name(found: Collection[str], name: str | None, ability: str) -> str:
    """Return the name of a component that was asked for, or else that of the only one.

    Args:
        found: The names of those that will do, at least one.
        name: The one that was asked for.
        ability: What they do, for errors, as in "fill 'doc.cats'".

    Raises:
        ValueError: If there is no such component, or if there are several and none is named.
    """
    names = list(found)
    if name is not None and name not in found:
        raise ValueError(
            f"There is no component '{name}' that {ability}. Those of the pipeline are: {names}."
        )
    if name is None and len(names) > 1:
        raise ValueError(
            f"The pipeline has several components that {ability}: name one of {names} as "
            f"'component'."
        )
    return names[0] if name is None else name


def find_decisions(nlp: Language, name: str) -> Decisions:
    """Return how a text categorizer, also one of spaCy's own, decides."""
    component = cast(TextCategorizer, nlp.get_pipe(name))
    others = (
        label
        for other, pipe in nlp.pipeline
        if other != name and isinstance(pipe, TextCategorizer)
        for label in pipe.labels
    )
    return Decisions(
        labels=tuple(component.labels),
        exclusive=not isinstance(component, MultiLabel_TextCategorizer),
        threshold=float(component.cfg["threshold"]),
        others=frozenset(others),
    )


def names_before(nlp: Language, name: str) -> list[str]:
    """Return the names of the components before another one, in order."""
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
    """Do the same for documents with something beside each; leave out those that are skipped."""
    # `select_pipes` would disable the other components for all threads that use the pipeline.
    others = nlp.pipe_names[nlp.pipe_names.index(name) :]
    return list(nlp.pipe(pairs, as_tuples=True, disable=others))
