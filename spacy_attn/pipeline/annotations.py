"""The labels of a component, and the annotations that it learns them from."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy
from spacy.errors import Errors
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Floats2d

from .vocabularies import is_streamed


class AnnotationsMixin(TextCategorizer):
    """Takes labels from examples, checks annotations, and turns them into numbers.

    To be mixed into spaCy's own text categorizers, which do the same in time that is quadratic in
    the number of labels.
    """

    # Whether it has been said that examples have other labels than the component.
    _warned_of_labels = False

    def _validate(self, doc: Doc, cats: Mapping[str, float]) -> None:
        """RAISES: ValueError for an annotation that a subclass does not learn from."""
        for label, value in cats.items():
            # Values may be of any type, as NumPy's are. A comparison with NaN is false.
            if isinstance(value, str) or value is None or not 0.0 <= value <= 1.0:
                raise self._annotation_error(
                    doc,
                    f"has the value {value!r:.40} for the label '{label}', where 0, 1 or a "
                    f"probability between them is wanted: correct the annotation",
                )

    def _annotation_error(self, doc: Doc, problem: str) -> ValueError:
        return ValueError(f"Component '{self.name}': the text {beginning(doc)!r} {problem}.")

    def _validate_categories(self, examples: Iterable[Example]) -> None:
        """RAISES: ValueError for an annotation that the component does not learn from."""
        for example in examples:
            self._validate(example.reference, example.reference.cats)

    def _take_labels(
        self,
        get_examples: Callable[[], Iterable[Example]],
        nlp: Language | None,
        labels: Iterable[str] | None,
    ) -> None:
        """Add the given labels, or else those of the examples, and check all annotations."""
        # Other text classifiers may take their labels later on: these are not unknown then.
        self._warned_of_labels = nlp is not None and any(
            isinstance(pipe, TextCategorizer) and pipe is not self for _, pipe in nlp.pipeline
        )
        if labels is not None:
            self._add_labels(labels)
            self._validate_categories(get_examples())
            self._warn_of_unknown_labels(get_examples())
            return
        found: dict[str, None] = {}
        n_first = 0
        for example in get_examples():
            self._validate(example.reference, example.reference.cats)
            found.update(dict.fromkeys(example.reference.cats))
            n_first = n_first or len(found)
        # A reader that knows all labels names them in its first row.
        if is_streamed(nlp) and len(found) > n_first:
            warnings.warn(
                f"Component '{self.name}' takes its labels from the first documents of a streamed "
                f"corpus only, and never learns one that comes later. Write those of the whole "
                f"corpus with 'python -m spacy init labels CONFIG labels --training.max_epochs 0', "
                f"and name that file in [initialize.components.{self.name}.labels].",
                stacklevel=4,
            )
        self._add_labels(found)

    def _add_labels(self, labels: Iterable[str]) -> None:
        """Add those labels that are new, as `add_label` does one by one."""
        present = set(self.cfg["labels"])
        new = [label for label in dict.fromkeys(labels) if label not in present]
        if not new:
            return
        if not all(isinstance(label, str) for label in new):
            raise ValueError(Errors.E187)
        self._allow_extra_label()
        self.cfg["labels"].extend(new)
        if "resize_output" in self.model.attrs:
            self.model = self.model.attrs["resize_output"](self.model, len(self.labels))
        for label in new:
            self.vocab.strings.add(label)

    def _warn_of_unknown_labels(self, examples: Iterable[Example]) -> None:
        """Say once which labels of the examples the component does not learn."""
        if self._warned_of_labels:
            return
        known = set(self.labels)
        unknown: Counter[str] = Counter()
        n_docs = n_with_unknown = 0
        for example in examples:
            n_docs += 1
            cats = example.reference.cats.items()
            here = [label for label, value in cats if value and label not in known]
            unknown.update(here)
            n_with_unknown += bool(here)
        if not unknown:
            return
        self._warned_of_labels = True
        names = ", ".join(repr(label) for label, _ in unknown.most_common(10))
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        warnings.warn(
            f"Component '{self.name}': {n_with_unknown} of {n_docs} documents have labels that it "
            f"does not have ({names}{more}). It does not learn them. Unless they are those of "
            f"another component, such documents count as wrong in its scores: initialize it with "
            f"all labels, or call its 'add_label'. This is said once.",
            stacklevel=5,
        )

    def _examples_to_truth(self, examples: Iterable[Example]) -> tuple[Any, numpy.ndarray]:
        """As spaCy's, in time that is linear in the number of labels.

        Returns:
            The annotated probabilities, and where a label is annotated 1, otherwise 0; shape
            (n_docs, n_labels) each.
        """
        examples = list(examples)
        columns = {label: column for column, label in enumerate(self.labels)}
        truths = numpy.zeros((len(examples), len(columns)), dtype="f")
        known = numpy.full_like(truths, 0.0 if self.support_missing_values else 1.0)
        for row, example in enumerate(examples):
            for label, value in example.reference.cats.items():
                column = columns.get(label)
                if column is not None:
                    truths[row, column] = value
                    known[row, column] = 1.0
        return self.model.ops.asarray2f(cast(Floats2d, truths)), known


def beginning(doc: Doc) -> str:
    """The first characters of a text, for errors."""
    text = doc.text
    return text if len(text) <= 50 else text[:50] + "…"
