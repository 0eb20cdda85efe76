"""Attributes that several components of a pipeline would use."""

import warnings

from spacy.language import Language
from spacy.tokens import Doc

from ..extensions import author_of


def warn_of_shared_attribute(
    nlp: Language, name: str, attention_attr: str, contributions_attr: str | None
) -> None:
    """Say so when two components of a pipeline would overwrite each other's attributes."""
    settings = {"attention_attr": attention_attr, "contributions_attr": contributions_attr}
    for other_name, other in nlp.pipeline:
        taken = {getattr(other, setting, None) for setting in settings}
        for setting, attr in settings.items():
            if attr is not None and attr in taken:
                _warn(other_name, name, attr, f"'{setting}'")


def warn_of_overwriting(doc: Doc, attr: str, name: str) -> None:
    """Say so when a component overwrites what another one has stored in a document.

    A component that comes from another pipeline, `add_pipe(source=...)`, does not learn which
    others there are.
    """
    author = author_of(doc, attr)
    if author is not None and author != name:
        warnings.warn(
            f"The component '{name}' replaces what '{author}' stored as 'doc._.{attr}'. If both "
            f"are in one pipeline, give one of them another name with its setting "
            f"'attention_attr' or 'contributions_attr'.",
            stacklevel=2,
        )


def _warn(one: str, other: str, attr: str, setting: str) -> None:
    warnings.warn(
        f"The components '{one}' and '{other}' both use 'doc._.{attr}', where only what the last "
        f"one says stays. Give one of them another name with its setting {setting}.",
        stacklevel=3,
    )
