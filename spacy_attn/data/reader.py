"""The corpus reader `spacy-attn.HFDataset.v1`: a data set of labelled texts as spaCy Examples."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar, cast

from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer, TextCategorizer
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.vocab import Vocab

from .docbins import has_documents, read_docs
from .errors import DatasetError, MissingValue, RowProblem, explained
from .labels import Cats, ColumnEncoder, Encoder, GoldFirst, make_encoder, sums_to_integer
from .lazy_examples import LazyExample, Shared, can_be_lazy
from .row_texts import check_text, tokenize
from .rows import Row, Rows, Skipped

Item = TypeVar("Item")
Augmenter = Callable[[Language, Example], Iterable[Example]]


@dataclass(kw_only=True)
class HFDataset(Rows):
    """Read a data set as `HFDataset_v1` says. That, `Rows` and `Source` describe the settings.

    A list of no columns as `label_column` reads the texts alone. `other_labels` may be set before
    the first pass, to the labels of other parts of the data set. Where these share some with this
    one, rows that name independent labels have 0 for those that this part does not contain.

    Raises:
        DatasetError: If the settings contradict one another.
    """

    text_column: str | list[str] = "text"
    text_separator: str = " "
    label_column: str | list[str] = "label"
    labels: list[str] | None = None
    exclusive: bool | None = None
    label_separator: str | None = None
    gold_column: str | None = None
    lazy: bool = False
    augmenter: Augmenter | None = None
    other_labels: Sequence[str] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        texts, columns = _as_list(self.text_column), _as_list(self.label_column)
        gold = [] if self.gold_column is None else [self.gold_column]
        self.columns = tuple(dict.fromkeys([*texts, *columns, *gold]))
        self.label_columns = (*columns, *gold)
        self._text_columns = texts
        labels, several = self.labels or [], not isinstance(self.label_column, str)
        for condition, complaint in (
            (all(texts or [""]), "'text_column' must name a column"),
            (all(columns), "'label_column' must name a column"),
            (len({*columns}) == len(columns), "'label_column' names a column twice"),
            (self.gold_column != "", "'gold_column' is empty; name a column, or give null"),
            (self.gold_column not in columns, "'gold_column' and 'label_column' must be different"),
            (self.labels != [], "'labels' is empty; give all labels, or null"),
            (all(labels), "'labels' holds an empty name"),
            (len({*labels}) == len(labels), "'labels' holds a name twice"),
            (
                not several or len(labels) in (0, len(columns)),
                f"{len(labels)} 'labels' cannot name {len(columns)} label columns",
            ),
            (self.label_separator != "", "'label_separator' is empty; give a string, or null"),
            (
                not several or self.label_separator is None or self.gold_column is not None,
                "'label_separator' is for a single label column, or a gold one",
            ),
        ):
            self.require(condition, complaint)

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Go through the data set once.

        Args:
            nlp: Makes the documents.

        Yields:
            An Example for each row, in the order of the data set, and what the augmenter makes of
            it.

        Raises:
            DatasetError: If the data set cannot be opened, lacks a column, or has no row; or at a
                row that cannot be used.
        """
        if self._has_documents():
            docs = read_docs(self, nlp.vocab, exclusive=self.exclusive)
            examples = Corpus(str(self.path)).make_examples(nlp, docs)
        else:
            make = self._example_maker(nlp)
            examples = self._read(lambda text, cats: make(self._tokenize(nlp, text), cats), nlp)
        for example in examples:
            yield from [example] if self.augmenter is None else self.augmenter(nlp, example)

    def label_names(self) -> list[str]:
        """Return the labels that a column of labels spells out, or that its type names."""
        if self._has_documents() or not isinstance(self._encoder, ColumnEncoder):
            return []
        return list(self._encoder.inventory or ())

    def read_cats(self, vocab: Vocab) -> Iterator[dict[str, float]] | None:
        """Go through the labels of the rows, without making documents.

        Args:
            vocab: The pipeline's.

        Returns:
            `Doc.cats` of each row; None for a stream, which may have no end.

        Raises:
            DatasetError: As `__call__`.
        """
        if self._has_documents():
            docs = read_docs(self, vocab, exclusive=self.exclusive)
            return (doc.cats for doc in docs)
        return None if self.streaming else self._read(lambda text, cats: cats)

    def read_texts(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Go through the texts of the rows and their labels, without keeping documents.

        Yields:
            The text and `Doc.cats` of each row.

        Raises:
            DatasetError: As `__call__`.
        """
        if self._has_documents():
            docs = read_docs(self, Vocab(), exclusive=self.exclusive)
            return ((doc.text, doc.cats) for doc in docs)
        return self._read(lambda text, cats: (text, cats))

    def _has_documents(self) -> bool:
        return has_documents(self, also=["exclusive", "skip_missing", "lazy", "augmenter"])

    @cached_property
    def _encoder(self) -> Encoder:
        dataset, untyped = self.opened
        with explained(self):
            try:
                make = partial(
                    make_encoder,
                    dataset,
                    exclusive=self.exclusive,
                    streaming=self.streaming,
                    untyped=untyped,
                )
                several, separator = not isinstance(self.label_column, str), self.label_separator
                encoder = make(
                    self.label_column,
                    labels=self.labels,
                    separator=None if several else separator,
                )
                if self.gold_column is None:
                    return encoder
                gold = make(self.gold_column, labels=encoder.inventory, separator=separator)
                return GoldFirst(cast(ColumnEncoder, gold), encoder)
            except RowProblem as problem:
                raise DatasetError(f"{self}: {problem}") from None

    def _read(
        self, finish: Callable[[str, dict[str, float]], Item], nlp: Language | None = None
    ) -> Iterator[Item]:
        """Read text and labels of each row, and finish an item of these.

        Labels are made to suit the components of a pipeline, if there is one.
        """
        encode = self._encoder
        absent = self._absent_labels(nlp) if nlp else {}
        compact = self.exclusive and nlp is not None and _is_for_exclusive_labels(nlp)
        n_used = n_unclear = 0

        def convert(row: Row, skipped: Skipped) -> Item:
            nonlocal n_used, n_unclear
            text = self._read_text(row)
            cats = self._known_values(encode(row), skipped)
            if absent and not isinstance(row[self.label_columns[0]], Mapping):
                cats = absent | cats
            if compact and n_used:
                # All but the first row, which names all labels, need only what is true.
                cats = {label: value for label, value in cats.items() if value}
            n_used += 1
            n_unclear += self.exclusive is None and not sums_to_integer(cats)
            return finish(text, cats)

        yield from self.read_rows(convert)
        if n_unclear:
            self.warn(
                f"the probabilities of {n_unclear} rows do not sum to 1; set exclusive = false if "
                "the labels do not exclude one another, or exclusive = true to refuse such rows"
            )

    def _read_text(self, row: Row) -> str:
        """Join the text columns of a row. Nothing else is done to the text."""
        texts = [check_text(row[column], column, "text_column") for column in self._text_columns]
        text = self.text_separator.join(texts)
        if self.skip_missing and not text.strip():
            raise MissingValue(self._text_columns[0], "has no text")
        return text

    def _known_values(self, cats: Cats, skipped: Skipped) -> dict[str, float]:
        """Leave out the labels of which the row says nothing, or refuse the row."""
        unknown = [label for label, value in cats.items() if value is None]
        if unknown and (len(unknown) == len(cats) or not self.skip_missing):
            several = not isinstance(self.label_column, str)
            column = self.label_columns[list(cats).index(unknown[0]) if several else 0]
            raise MissingValue(column, f"gives no value for the label '{unknown[0]}'")
        for label in unknown:
            skipped[f"values of the label '{label}'"] += 1
        return {label: value for label, value in cats.items() if value is not None}

    def _absent_labels(self, nlp: Language) -> dict[str, float]:
        """Return 0 for independent labels that the rows happen not to contain.

        They are labels of the pipeline, or of other parts of the data set. Rows that name their
        labels name all of them. A label that is not among those found in the rows would otherwise
        be unknown, and predicting it would cost nothing.
        """
        if self.exclusive or self.labels or not (known := set(self.label_names())):
            return {}
        components = [
            list(pipe.labels)
            for _, pipe in nlp.pipeline
            if isinstance(pipe, MultiLabel_TextCategorizer)
        ]
        return {
            label: 0.0
            for labels in (*components, self.other_labels)
            if not known.isdisjoint(labels)
            for label in labels
            if label not in known
        }

    def _tokenize(self, nlp: Language, text: str) -> Doc:
        return tokenize(nlp, text, self._text_columns[0])

    def _example_maker(self, nlp: Language) -> Callable[[Doc, dict[str, float]], Example]:
        """Return what makes an Example of a document, with the labels in the reference alone."""
        if self.lazy and not self.streaming and can_be_lazy(nlp):
            shared = Shared()
            return lambda doc, cats: LazyExample(doc, cats, shared)
        return _make_example


class HFDataset_v1(HFDataset):  # noqa: N801
    """Read a Hugging Face data set as spaCy Examples with `reference.cats`.

    Every row is used, or refused with an error that says which it is. Texts are not changed. The
    predicted document of an Example carries nothing but the tokens. Nothing is kept from one pass
    to the next: `spacy train` keeps the training Examples itself, unless `max_epochs = -1`.

    Args:
        skip_missing: Pass over rows without a label or with a text that is null, empty or blank.
            A warning at the end of a pass says how many there were. A null for some labels of
            several leaves those out of `cats`, which spaCy's multi-label component reads as
            unknown.
        text_column: The column that holds the text, or several columns to be joined.
        text_separator: What stands between joined columns.
        label_column: The column that holds the label or labels; or several columns, each of which
            is one label. These hold booleans, 0 and 1, or probabilities.
        labels: All labels, in their order. They name plain class ids, the entries of a vector, the
            two booleans (false first), or the label columns. Where the data set names its classes
            itself, `labels` sets their order and must contain all of these names. Without it, rows
            that name their labels have 0 for all other labels found in the data set. They have 0
            for those of a multi-label component of the pipeline, too, if it knows some of these.
        exclusive: True refuses a row without exactly one label, or without probabilities whose sum
            is 1. False says that labels do not exclude one another. None expects one label of a
            single value, and any number of a list or of several columns. It warns of probabilities
            that do not sum to 1. True saves memory, too, where all text classifiers of the pipeline
            have exclusive labels: the first row names all labels, the others those that are not 0.
        gold_column: Another column of a label or labels, in words or ids. Where it has one, that
            counts, and `label_column` is not read. So rows with probabilities and rows with gold
            labels are one corpus.
        lazy: Make the two documents of a row anew each time they are asked for, and keep its tokens
            and labels as numbers. Training keeps all rows: a short row then takes 2.4 KB in
            place of 21. What is written to a document is lost with it. Without effect where
            `streaming` is true, on `.spacy` files, and where a tokenizer is not spaCy's own.
        label_separator: What stands between the labels in a string of several labels. A string
            that spells a list, such as "['a', 'b']", is read as that list without it.
        augmenter: Yields what to train on in place of each Example, as that of `spacy.Corpus.v1`
            does. `spacy-attn.augment.v1` adds variants of the text. They are kept as they are, also
            where `lazy` is true.

    Raises:
        DatasetError: If the settings contradict one another. The data set itself is opened at the
            first pass.
    """

    def __post_init__(self) -> None:
        if self.label_column == []:
            raise DatasetError("the 'label_column' of spacy-attn.HFDataset.v1 must name a column")
        super().__post_init__()


def _make_example(predicted: Doc, cats: dict[str, float]) -> Example:
    reference = predicted.copy()
    reference.cats = cats
    return Example(predicted, reference)


def _is_for_exclusive_labels(nlp: Language) -> bool:
    """Return whether those who read the labels take an absent one for 0, and not for unknown."""
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, TextCategorizer)]
    return bool(pipes) and not any(isinstance(pipe, MultiLabel_TextCategorizer) for pipe in pipes)


def _as_list(columns: str | list[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)
