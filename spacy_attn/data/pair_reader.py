"""The corpus reader `spacy-attn.HFPairs.v1`: texts, and the texts to be written for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from spacy.language import Language
from spacy.training import Corpus, Example

from ..results.written_data import GENERATED, generated_text, store_target
from .docbins import has_documents, read_docs
from .errors import DatasetError, MissingValue, RowProblem, listing
from .row_texts import check_text, tokenize
from .rows import Row, Rows


@dataclass(kw_only=True)
class HFPairs(Rows):
    """Read pairs of texts of a Hugging Face data set: a source, and a target to learn to write.

    The predicted document of an Example has the tokens of the source. The reference also has the
    target, as `doc._.generated`. Texts are not changed.

    Args:
        skip_missing: Pass over rows in which a text is null, empty or blank, and over stored
            documents without a target. A warning at the end of a pass says how many there were.
        source_column: The column of the sources. A dot leads into a column of mappings, if no
            column has that very name: that of `{"translation": {"de": "...", "en": "..."}}` is
            `translation.de`. `.spacy` files have documents with targets, and a reader of them
            leaves the settings of columns out.
        target_column: The column of the targets, as `source_column`.
        generated_attr: The name of the attribute that has the targets, which is that of the
            component.

    Raises:
        DatasetError: If the settings contradict one another. The data set itself is opened at the
            first pass.
    """

    source_column: str = "source"
    target_column: str = "target"
    generated_attr: str = GENERATED

    def __post_init__(self) -> None:
        super().__post_init__()
        for setting in ("source_column", "target_column"):
            self.require(
                all(getattr(self, setting).split(".")),
                f"'{setting}' must name a column, with a dot before each key within it, but is "
                f"'{getattr(self, setting)}'",
            )
        self.require(
            self.source_column != self.target_column,
            "'source_column' and 'target_column' name the same column",
        )
        paths = (self.source_column, self.target_column)
        self.columns = tuple(path for path in paths if "." not in path)
        self.either = tuple((path, path.split(".")[0]) for path in paths if "." in path)

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Go through the data set once.

        Args:
            nlp: Makes the documents.

        Yields:
            An Example for each row, in the order of the data set.

        Raises:
            DatasetError: If the data set cannot be opened, lacks a column, or has no row; or at a
                row that cannot be used.
        """
        if has_documents(self, also=["generated_attr", "skip_missing"]):
            yield from self._read_documents(nlp)
        else:
            yield from self.read_rows(lambda row, _: self._make_example(nlp, row))

    def _read_documents(self, nlp: Language) -> Iterator[Example]:
        docs = read_docs(self, nlp.vocab)
        missing = f"no target in 'doc._.{self.generated_attr}'"
        n_used = n_skipped = 0
        for example in Corpus(str(self.path)).make_examples(nlp, docs):
            if generated_text(example.reference, self.generated_attr) is not None:
                n_used += 1
                yield example
            elif self.skip_missing:
                n_skipped += 1
            else:
                raise DatasetError(
                    f"{self}, document {n_used} (counted from 0), {example.text!r:.80}: it has "
                    f"{missing}; set it to a text, and store the file with store_user_data=True, "
                    "or set skip_missing = true to pass over such documents"
                )
        if n_skipped and not n_used:
            raise DatasetError(f"{self}: every document was skipped ({missing})")
        if n_skipped:
            self.warn(f"skipped {n_skipped} documents that have {missing}")

    def _make_example(self, nlp: Language, row: Row) -> Example:
        source = self._read_text(row, self.source_column, "source_column")
        target = self._read_text(row, self.target_column, "target_column")
        predicted = tokenize(nlp, source, self.source_column)
        reference = predicted.copy()
        store_target(reference, target, self.generated_attr)
        return Example(predicted, reference)

    def _read_text(self, row: Row, path: str, setting: str) -> str:
        """Follow the path to a text."""
        column, *keys = [path] if path in row else path.split(".")
        value = row[column]
        for key in keys:
            if value is None:
                break
            if not isinstance(value, Mapping):
                raise RowProblem(
                    path,
                    f"leads into {value!r:.80} of type {type(value).__name__}, which has no "
                    f"'{key}'; correct '{setting}'",
                )
            if key not in value:
                raise RowProblem(
                    path,
                    f"leads to '{key}', and there are {listing(list(value))}; correct '{setting}'",
                )
            value = value[key]
        text = check_text(value, path, setting)
        if self.skip_missing and not text.strip():
            raise MissingValue(path, "has no text")
        return text
