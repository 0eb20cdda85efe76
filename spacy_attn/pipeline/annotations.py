"""The labels of a component, and the annotations that it learns them from."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import cast

import numpy
from spacy.errors import Errors
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Floats2d

from ..results.explanation import shorten
from .vocabularies import is_streamed

# So many characters of a text, and so many labels, are shown in an error or a warning.
_SHOWN_CHARACTERS, _SHOWN_LABELS = 51, 10


class AnnotationsMixin(TextCategorizer):
    """Takes labels from examples, checks annotations, and turns them into numbers.

    spaCy's own text categorizers do the same in time that is quadratic in the number of labels.
    """

    # Whether it has been said that examples have other labels than the component.
    _warned_of_labels = False

    def _validate(self, doc: Doc, cats: Mapping[str, float]) -> None:
        """Raise a ValueError for an annotation that the component does not learn from."""
        for label, value in cats.items():
            # Values may be of any type, as NumPy's are. A comparison with NaN is false.
            if isinstance(value, str) or value is None or not 0.0 <= value <= 1.0:
                raise self._annotation_error(
                    doc,
                    f"has the value {value!r:.40} for the label '{label}', where 0, 1 or a "
                    f"probability between them is wanted: correct the annotation",
                )

    def _annotation_error(self, doc: Doc, problem: str) -> ValueError:
        text = shorten(doc.text, _SHOWN_CHARACTERS)
        return ValueError(f"Component '{self.name}': the text {text!r} {problem}.")

    def _validate_categories(self, examples: Iterable[Example]) -> None:
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
        found: dict[str, None] = {}
        n_first = 0
        for example in get_examples():
            self._validate(example.reference, example.reference.cats)
            found.update(dict.fromkeys(example.reference.cats))
            n_first = n_first or len(found)
        # A reader that knows all labels names them in its first row.
        if labels is None and is_streamed(nlp) and len(found) > n_first:
            warnings.warn(
                f"Component '{self.name}' takes its labels from the first documents of a streamed "
                f"corpus only, and never learns one that comes later. Write those of the whole "
                f"corpus with 'python -m spacy init labels CONFIG labels --training.max_epochs 0', "
                f"and name that file in [initialize.components.{self.name}.labels].",
                stacklevel=5,
            )
        self._add_labels(found if labels is None else labels)

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
        names = ", ".join(repr(label) for label, _ in unknown.most_common(_SHOWN_LABELS))
        n_more = len(unknown) - _SHOWN_LABELS
        more = f" and {n_more} more" if n_more > 0 else ""
        warnings.warn(
            f"Component '{self.name}': {n_with_unknown} of {n_docs} documents have labels that it "
            f"does not have ({names}{more}). It does not learn them. Unless they are those of "
            f"another component, such documents count as wrong in its scores: initialize it with "
            f"all labels, or call its 'add_label'. This is said once.",
            stacklevel=5,
        )

    def _examples_to_truth(  # type: ignore[override]
        self, examples: Iterable[Example]
    ) -> tuple[Floats2d, Floats2d]:
        """Return annotated probabilities, and 1 where a label is annotated, otherwise 0.

        Both have shape (n_docs, n_labels). spaCy's own method takes quadratic time.
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
        asarray = self.model.ops.asarray2f
        return asarray(cast(Floats2d, truths)), asarray(cast(Floats2d, known))
