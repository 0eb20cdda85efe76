"""A component of a pipeline, asked about documents and about parts of documents."""

from collections.abc import Iterable
from functools import cached_property
from typing import cast

import numpy
from numpy.typing import NDArray
from spacy.attrs import LEMMA, MORPH, NORM, POS, TAG
from spacy.language import Language
from spacy.tokens import Doc
from thinc.types import Floats2d, Ints2d

from ..models.arrays import runs
from ..models.contract import classify_states, embed, encode_vectors, sees_tokens_alone
from ..pipeline.decisions import AnyFloats, Decisions
from ..pipeline.finding import find_component, find_decisions, names_before, run_before
from ..results.targets import column_of

Indices = NDArray[numpy.intp]

# Of a token, what need not follow from its text and does not refer to other tokens. The tokenizer
# itself sets the norms of its exceptions: those of "ca" and "n't" in "can't" are "can" and "not".
_TOKEN_ATTRS = [NORM, LEMMA, POS, TAG, MORPH]

# So many tokens, of however many shortened documents, go through the model at once.
_MAX_TOKENS = 32_768


class Classifier:
    """A component of a pipeline, with the components before it, which it may depend on.

    Args:
        nlp: The pipeline.
        component: Name of the component; by default the only one with attention.

    Attributes:
        name: Name of the component.
        component: The component itself.

    Raises:
        ValueError: If there is no such component, or if there are several and none is named.
    """

    def __init__(self, nlp: Language, component: str | None = None) -> None:
        self.nlp = nlp
        self.name, self.component = find_component(nlp, component)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.component.labels)

    @property
    def exclusive(self) -> bool:
        """Whether a document has exactly one of the labels."""
        return self.decisions.exclusive

    @cached_property
    def decisions(self) -> Decisions:
        """How the component decides, and what is right."""
        return find_decisions(self.nlp, self.name)

    def columns(self, labels: Iterable[str] | None) -> list[int]:
        """Return the places of some labels among the component's, by default of all.

        Raises:
            ValueError: For a label that the component does not have, for one that is named twice,
                and for none.
        """
        if labels is None:
            return list(range(len(self.labels)))
        wanted = [labels] if isinstance(labels, str) else list(labels)
        if len({*wanted}) < len(wanted) or not wanted:
            raise ValueError(f"'labels' must name one label or several, each once, not {wanted!r}.")
        return [column_of(label, self.labels, f"'{self.name}'") for label in wanted]

    def prepare(self, texts: Iterable[str | Doc]) -> list[Doc]:
        """Make documents, and have the components before this one see them.

        Args:
            texts: Texts, or documents, which are not modified.

        Returns:
            A document for each.

        Raises:
            TypeError: For anything else.
            ValueError: If a component skips a document.
        """
        docs = []
        for text in texts:
            if isinstance(text, str):
                docs.append(self.nlp.make_doc(text))
            elif isinstance(text, Doc):
                docs.append(text.copy() if self._upstream else text)
            else:
                raise TypeError(
                    f"Texts and documents can be explained, but not {type(text).__name__}; of an "
                    f"Example, give its 'predicted'."
                )
        return self._run_before(docs)

    @property
    def _upstream(self) -> list[str]:
        """The names of the components before this one."""
        return names_before(self.nlp, self.name)

    def _run_before(self, docs: list[Doc]) -> list[Doc]:
        return run_before(self.nlp, self.name, docs) if self._upstream else docs

    def logits_of_parts(
        self, docs: list[Doc], parts: Iterable[Iterable[Indices]]
    ) -> list[AnyFloats]:
        """Return what the logits of the scores would be if a document had some tokens alone.

        The other tokens are left out, not masked: the result is that of the shorter document.
        Where the vector of a token does not depend on its neighbours, vectors are left out, which
        comes to the same. Elsewhere the document is made anew from the remaining tokens and goes
        through the components before this one again.

        Args:
            docs: The documents, as `prepare` returns them.
            parts: For each document any number of parts: the indices of the tokens that remain, in
                order, which may be none. They are used up one by one.

        Returns:
            For each document, a row for each part, shape (n_parts, n_labels), on the CPU.
        """
        model, asarray = self.component.model, self.component.model.ops.xp.asarray
        vectors = embed(model, docs) if sees_tokens_alone(model) else None
        rows = [numpy.zeros((0, len(self.labels)), dtype=numpy.float32)]
        counts = numpy.zeros(len(docs), dtype=numpy.intp)
        pairs = ((i, kept) for i, doc_parts in enumerate(parts) for kept in doc_parts)
        for batch in runs(pairs, _MAX_TOKENS, length=lambda part: len(part[1])):
            if vectors is None:
                shortened = self._run_before([keep_tokens(docs[i], kept) for i, kept in batch])
                logits, _ = self.component.predict_logits(shortened)
            else:
                hidden = encode_vectors(model, [vectors[i][asarray(kept)] for i, kept in batch])
                logits = self.component.calibrated(classify_states(model, hidden)[0])
            rows.append(model.ops.to_numpy(logits))
            numpy.add.at(counts, [i for i, _ in batch], 1)
        return numpy.split(numpy.concatenate(rows), counts.cumsum())[:-1]

    def probabilities(self, logits: AnyFloats) -> AnyFloats:
        """Return the scores of logits, both of shape (n, n_labels) and on the CPU."""
        ops = self.component.model.ops
        scores = self.component.probabilities(ops.asarray2f(cast(Floats2d, logits)))
        return ops.to_numpy(scores)


def keep_tokens(doc: Doc, kept: Indices) -> Doc:
    """Make a document of some tokens of another one, with what belongs to each of them."""
    tokens = [doc[int(i)] for i in kept]
    shortened = Doc(
        doc.vocab,
        words=[token.text for token in tokens],
        spaces=[bool(token.whitespace_) for token in tokens],
    )
    if tokens:
        values = cast(Ints2d, doc.to_array(_TOKEN_ATTRS)[kept])
        shortened.from_array(_TOKEN_ATTRS, values)
    return shortened
