"""The check that a method was given several documents."""

from collections.abc import Iterable
from typing import cast

from spacy.tokens import Doc


def several_docs(name: str, docs: Iterable[Doc], hint: str = "") -> list[Doc]:
    """Return documents as a list.

    Args:
        name: That of the component.
        docs: The documents.
        hint: What to say besides, where they are something else.

    Raises:
        TypeError: For a text, a single document, or something else among them.
    """
    single = isinstance(docs, str | Doc)
    items = [docs] if single else list(docs)
    wrong = [type(item).__name__ for item in items if single or not isinstance(item, Doc)]
    if wrong:
        raise TypeError(
            f"Component '{name}': 'docs' must be a list of documents, say [nlp.make_doc(text)], "
            f"but is or contains {wrong[0]}.{hint}"
        )
    return cast(list[Doc], items)
