"""The labels of annotated data, held against those of the teachers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from spacy.language import Language
from spacy.training import Example

from ..data.errors import listing
from .training_texts import Corpus


class DataLabels:
    """Notes the labels of corpora while these are read.

    Attributes:
        named: All labels that documents have a value of, which may be 0.
        applied: Those that apply to a document.
        digest: A hash of all texts and labels.
    """

    def __init__(self) -> None:
        self.named: set[str] = set()
        self.applied: set[str] = set()
        self.digest = hashlib.sha256()

    def noting(self, corpus: Corpus, scored: str | None = None) -> Corpus:
        """Return a corpus whose labels are noted as it is read.

        Args:
            corpus: Reads the documents.
            scored: The name of a corpus to score on. It is an error if no document has a label.
        """

        def noted(nlp: Language) -> Iterator[Example]:
            is_labelled = False
            for example in corpus(nlp):
                read = (example.reference.text, example.reference.cats)
                self.digest.update(repr(read).encode(errors="surrogatepass"))
                for label, value in example.reference.cats.items():
                    self.named.add(label)
                    if value:
                        self.applied.add(label)
                        is_labelled = True
                yield example
            if scored and not is_labelled:
                raise ValueError(
                    f"No document of [corpora.{scored}] has a label, so nothing can be measured "
                    f"there. Give data with labels, or leave the block out if it is for tests."
                )

        return noted

    def check(self, labels: Sequence[str]) -> None:
        """Check that the teachers have the labels of the data, and no others.

        Nothing can be said of data without any label.

        Args:
            labels: Those of the teachers.

        Raises:
            ValueError: If only one of the two has a label.
        """
        # A label that is 0 in all documents takes nothing from a student that does not know it.
        of_data = sorted(self.applied - set(labels))
        # A student would predict a label that no data know, as "neutral" where all texts are
        # positive or negative, and each time be wrong. A class that small data happen to lack looks
        # the same. Its name in 'labels' tells the two apart, and costs less than a student that has
        # learned the wrong ones.
        of_teacher = sorted(set(labels) - self.named) if self.named else []
        if not (of_data or of_teacher):
            return
        sides = [("the data have", of_data), ("the teacher has", of_teacher)]
        found = " and ".join(f"only {who} {listing(own)}" for who, own in sides if own)
        raise ValueError(
            f"Teacher and annotated data must have the same labels, but {found}. --rename OLD=NEW "
            f"gives a label of the teacher another name, if it is a model of transformers or a "
            f"table. Where no document happens to have a label, name all in 'labels' of a corpus."
        )
