"""What components that write keep on documents: texts, where lemmas come from, alignments.

`doc_data` says where these lie. What was written for a whole document follows its tokens as other
values of tokens do. What was written for a token belongs to that token alone: one that has been
merged or split has none.
"""

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Token

from .alignment import ALIGNMENT, Alignment
from .doc_data import (
    Record,
    index_in,
    own,
    remove,
    store,
    stored,
    stored_bounds,
    stored_names,
    warn_of_replacement,
)
from .explanation import Floats
from .token_values import get_record

# The attribute that has a document's text, and the beginning of the names of those of a token.
GENERATED, LEMMA = "generated", "lemma"


def store_generated(
    doc: Doc,
    text: str,
    tokens: Sequence[str],
    alignment: NDArray[numpy.floating],
    name: str = GENERATED,
    *,
    log_probability: float | None = None,
    author: str | None = None,
) -> None:
    """Store the text that was written for a document; warn if it replaces another component's.

    Args:
        doc: The document.
        text: What was written.
        tokens: Its tokens.
        alignment: The weight of each token of the document where each of these was written, shape
            (n_output, n_tokens), rows that sum to 1; copied.
        name: Name of the attribute that has the text.
        log_probability: Of what was written.
        author: Name of the component.

    Raises:
        ValueError: As `Alignment`.
    """
    source = tuple(token.text for token in doc)
    checked = Alignment(source, tuple(tokens), own(alignment), log_probability)
    warn_of_replacement(doc, name, author, "'generated_attr'")
    store(
        doc,
        name,
        own(checked.weights.T),
        text=text,
        tokens=list(checked.target),
        log_probability=checked.log_probability,
        author=author,
    )


def store_target(doc: Doc, text: str | None, name: str = GENERATED) -> None:
    """Store the text that a component is to learn to write for a document.

    It is what `doc._.generated = text` does, once a component has registered the attribute.

    Args:
        doc: The annotated document.
        text: The text. None removes what is there.
        name: Name of the attribute that has the text.

    Raises:
        TypeError: If it is no text.
    """
    if text is None:
        remove(doc, name)
        return
    if not isinstance(text, str):
        raise TypeError(f"'doc._.{name}' must be a text or None, but is {text!r:.80}.")
    store_generated(doc, text, (), numpy.zeros((0, len(doc))), name)


def generated_text(doc: Doc, name: str = GENERATED) -> str | None:
    """Return the text that was written for a document; None where none was, for this text."""
    record = _generated(doc, name)
    return None if record is None else record["text"]


def generated_tokens(doc: Doc, name: str = GENERATED) -> list[str] | None:
    """Return the tokens of that text."""
    record = _generated(doc, name)
    return None if record is None else list(record["tokens"])


def generated_weights(doc: Doc, name: str = GENERATED) -> Floats | None:
    """Return the alignment of that text, shape (n_output, n_tokens), read-only.

    A merged token has the sum of the weights of its parts, and those of a split one share them.
    """
    record = _generated(doc, name)
    return None if record is None else record["values"].T


def document_alignment(doc: Doc, name: str = GENERATED) -> Alignment | None:
    """Return the alignment of that text with the present tokens."""
    record = _generated(doc, name)
    if record is None:
        return None
    source = tuple(token.text for token in doc)
    values = record["values"].T
    return Alignment(
        source, tuple(record["tokens"]), values, record["log_probability"], of_tokens=True
    )


def _generated(doc: Doc, name: str) -> Record | None:
    """Return what was stored of a text, in line with the present tokens."""
    record = stored(doc, name)
    return None if record is None or "text" not in record else get_record(doc, name)


def store_sources(
    doc: Doc,
    sources: Sequence[str | None],
    name: str = LEMMA,
    *,
    author: str | None = None,
    keeps: bool = False,
) -> None:
    """Store where what was written for each token comes from, in a byte for each token.

    Args:
        doc: The document.
        sources: Of each token; None for one that nothing was written for.
        name: What was written; `token._.NAME_source` shows it.
        author: Name of the component.
        keeps: Whether what another component has stored is among them.

    Raises:
        ValueError: If there is not one for each token.
    """
    attr = f"{name}_source"
    _check_length(doc, sources, attr)
    names = list(dict.fromkeys(sources))
    index = {source: i for i, source in enumerate(names)}
    n_bytes = numpy.min_scalar_type(len(names))
    values = numpy.fromiter(map(index.__getitem__, sources), dtype=n_bytes, count=len(doc))
    if not keeps:
        warn_of_replacement(doc, attr, author, None, "token")
    store(doc, attr, values, names=names, author=author)


def token_source(token: Token, name: str = LEMMA) -> str | None:
    """Return where what was written for a token comes from; None where that is not known."""
    record = stored(token.doc, f"{name}_source")
    if record is None or (i := index_in(token, stored_bounds(record))) is None:
        return None
    return record["names"][record["values"][i]]


def store_token_alignments(
    doc: Doc,
    alignments: Sequence[Alignment | None],
    name: str = LEMMA,
    *,
    author: str | None = None,
    keeps: bool = False,
) -> None:
    """Store an alignment for each token that has one.

    Args:
        doc: The document.
        alignments: Of each token; None for one without.
        name: What was written; `token._.NAME_alignment` shows the weights.
        author: Name of the component.
        keeps: Whether what another component has stored is among them.

    Raises:
        ValueError: If there is not one for each token.
    """
    attr = f"{name}_{ALIGNMENT}"
    _check_length(doc, alignments, attr)
    # The weights of all lie in one array: msgpack takes an array for each one badly.
    found = [alignment for alignment in alignments if alignment is not None]
    weights = [alignment.weights.reshape(-1) for alignment in found]
    sizes = [0 if alignment is None else alignment.weights.size for alignment in alignments]
    if not keeps:
        warn_of_replacement(doc, attr, author, None, "token")
    store(
        doc,
        attr,
        own(numpy.concatenate([numpy.zeros(0), *weights])),
        ends=numpy.cumsum(sizes, dtype=numpy.int64),
        symbols=[
            None if alignment is None else [list(alignment.source), list(alignment.target)]
            for alignment in alignments
        ],
        log_probabilities=[
            None if alignment is None else alignment.log_probability for alignment in alignments
        ],
        author=author,
    )


def token_alignment(token: Token, name: str = LEMMA) -> Alignment | None:
    """Return the alignment of what was written for a token; None where it has none."""
    record = stored(token.doc, f"{name}_{ALIGNMENT}")
    if record is None or (i := index_in(token, stored_bounds(record))) is None:
        return None
    if record["symbols"][i] is None:
        return None
    source, target = map(tuple, record["symbols"][i])
    end = record["ends"][i]
    weights = record["values"][end - len(source) * len(target) : end]
    shape = len(target), len(source)
    # Of its own, so that what is kept of a token does not keep the whole document.
    return Alignment(source, target, own(weights.reshape(shape)), record["log_probabilities"][i])


def token_weights(token: Token, name: str = LEMMA) -> Floats | None:
    """Return the weights of that alignment, shape (n_target, n_source), read-only."""
    alignment = token_alignment(token, name)
    return None if alignment is None else alignment.weights


def names_with_alignments(doc: Doc) -> list[str]:
    """Return the names of what was written for a document or its tokens and is aligned."""
    records = {name: stored(doc, name) or {} for name in stored_names(doc)}
    texts = [name for name, record in records.items() if "text" in record]
    of_tokens = [name for name, record in records.items() if "symbols" in record]
    return texts + [name.removesuffix(f"_{ALIGNMENT}") for name in of_tokens]


def _check_length(doc: Doc, values: Sequence[object], attr: str) -> None:
    if len(values) != len(doc):
        raise ValueError(
            f"'token._.{attr}' takes one value for each of the {len(doc)} tokens of a document, "
            f"but is given {len(values)}: give None for a token that has none."
        )
