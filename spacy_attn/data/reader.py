"""The corpus reader `spacy-attn.HFDataset.v1`: a Hugging Face data set as spaCy Examples."""

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer, TextCategorizer
from spacy.training import Example
from spacy.vocab import Vocab

from .label_strings import SpelledEncoder, read_column, value_of
from .delimited import Dialect
from .docbins import TABLE_SETTINGS, DocBins, is_spacy_data
from .errors import DatasetError, MissingValue, RowProblem
from .features import class_names, field_names, find_labels, holds_vectors
from .hub import explained
from .labels import Cats, ColumnEncoder, ColumnsEncoder, Encoder, sums_to_integer
from .lists import names_in, read_items, read_lists, without_lists
from .paths import DataFiles
from .rows import make_example, read_text
from .source import Source, open_dataset

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

_WARNED: set[str] = set()
# Rows that are turned from Arrow into Python at a time.
_BATCH = 256


def HFDataset_v1(
    *,
    path: str | None,
    name: str | None = None,
    split: str = "train",
    revision: str | None = None,
    data_files: DataFiles | None = None,
    streaming: bool = False,
    shuffle_buffer: int = 0,
    seed: int = 0,
    text_column: str | list[str] = "text",
    text_separator: str = " ",
    label_column: str | list[str] = "label",
    labels: list[str] | None = None,
    exclusive: bool | None = None,
    limit: int = 0,
    skip_missing: bool = False,
    delimiter: str | None = None,
    quoting: str | None = None,
    escape: str | None = None,
    encoding: str | None = None,
    label_separator: str | None = None,
) -> Callable[[Language], Iterator[Example]]:
    """Build the reader from a block of the config; `HFDataset` describes the arguments.

    Returns:
        The reader.

    Raises:
        DatasetError: If the arguments contradict one another. The data set itself is opened at the
            first call.
    """
    if path is None:
        raise DatasetError(
            "the 'path' of spacy-attn.HFDataset.v1 is null: set it in the config, or override it "
            "on the command line, say with --paths.train"
        )
    if label_column == []:
        raise DatasetError("the 'label_column' of spacy-attn.HFDataset.v1 must name a column")
    return HFDataset(
        path,
        name=name,
        split=split,
        revision=revision,
        data_files=data_files,
        streaming=streaming,
        shuffle_buffer=shuffle_buffer,
        seed=seed,
        text_column=text_column,
        text_separator=text_separator,
        label_column=label_column,
        labels=labels,
        exclusive=exclusive,
        limit=limit,
        skip_missing=skip_missing,
        delimiter=delimiter,
        quoting=quoting,
        escape=escape,
        encoding=encoding,
        label_separator=label_separator,
    )


class _Opened(NamedTuple):
    """A data set whose columns have been checked, and what reads its labels."""

    dataset: "Dataset | IterableDataset"
    encode: Encoder | SpelledEncoder


@dataclass
class HFDataset:
    """Iterate over the rows of a Hugging Face data set as Examples with `reference.cats`.

    Every row is used, or refused with an error that says which it is. Texts are not changed. The
    predicted document of an Example carries nothing but the tokens. Nothing is kept from one pass
    to the next: `spacy train` keeps the training Examples itself, unless `max_epochs = -1`.

    Attributes:
        path: A data file (Parquet, JSON, JSON lines, CSV, TSV, Arrow), a pattern such as
            `data/*.parquet`, a folder written by `save_to_disk`, a folder of data files, or the
            name of a data set on the Hugging Face hub. Also `.spacy` files, read as spaCy reads
            them.
        name: The configuration of the data set.
        split: The split, also as a slice (`train[:10%]`) or a sum (`train+test`). A file, and a
            `Dataset` saved alone, is one split called "train".
        revision: A branch, tag or commit on the hub.
        data_files: The files to read out of a folder or a data set on the hub: one, a list, or
            those of each split.
        streaming: Read while iterating, without a download. For `max_epochs = -1`.
        shuffle_buffer: When streaming, draw each row at random out of that many; 0 keeps the order.
            Every pass has another order.
        seed: For that order: the same seed gives the same sequence of orders.
        text_column: The column that holds the text, or several to be joined.
        text_separator: What stands between joined columns.
        label_column: The column that holds the label or labels; or several columns, each of which
            is one label and holds booleans, 0 and 1, or probabilities. No columns at all, `[]`,
            read the texts alone.
        labels: All labels, in their order. Names plain class ids, the entries of a vector, the two
            booleans (false first), or the label columns. Where the data set names its classes
            itself, `labels` sets their order and must contain all of these names. Without it, rows
            that name their labels have 0 for all labels found in the data set, and for those of a
            multi-label component of the pipeline that knows some of these.
        exclusive: True refuses a row that has not exactly one label, or probabilities that sum to
            1. It saves memory, too, for pipelines all of whose text classifiers have exclusive
            labels: the first row names all labels, the others those that are not 0. False says that
            labels do not exclude one another. None expects one label of a single value, any number
            of a list or of several columns, and warns of probabilities that do not sum to 1.
        limit: Use the first rows only; 0 uses all.
        skip_missing: Pass over rows without a label or with a text that is null, empty or blank,
            and warn once, at the end of a pass, how many there were. A null for some labels of
            several leaves those out of `cats`, which spaCy's multi-label component reads as
            unknown.
        delimiter: What separates the fields of a CSV or TSV file. None finds it by the kind of file
            and the header.
        quoting: "minimal" if double quotes enclose fields, "none" if they are text. None: text
            between tabs, enclosing otherwise, and a file that speaks against it is refused.
        escape: In delimited text, the character that stands before a quote or a delimiter that is
            text.
        encoding: Of delimited text and JSON; None for UTF-8.
        label_separator: What stands between the labels in a string with several of them. Strings
            that spell lists, such as "['a', 'b']", are read as lists without it.
        other_labels: Labels of other parts of the data set, to be set before the first pass: where
            they share some with this one, rows that name independent labels have 0 for those that
            this part does not contain.

    Raises:
        DatasetError: If the arguments contradict one another.
    """

    path: str
    _: KW_ONLY
    name: str | None = None
    split: str = "train"
    revision: str | None = None
    data_files: DataFiles | None = None
    streaming: bool = False
    shuffle_buffer: int = 0
    seed: int = 0
    text_column: str | list[str] = "text"
    text_separator: str = " "
    label_column: str | list[str] = "label"
    labels: list[str] | None = None
    exclusive: bool | None = None
    limit: int = 0
    skip_missing: bool = False
    delimiter: str | None = None
    quoting: str | None = None
    escape: str | None = None
    encoding: str | None = None
    label_separator: str | None = None
    other_labels: list[str] = field(default_factory=list, init=False, repr=False)
    _opened: _Opened | None = field(default=None, init=False, repr=False)
    _passes: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._text_columns = _as_list(self.text_column)
        self._label_columns = _as_list(self.label_column)
        self._columns = list(dict.fromkeys([*self._text_columns, *self._label_columns]))
        self._source = Source(
            path=str(self.path),
            split=self.split,
            name=self.name,
            revision=self.revision,
            data_files=self.data_files,
            streaming=self.streaming,
            text_columns=tuple(self._text_columns),
            label_columns=tuple(self._label_columns),
            dialect=Dialect(self.delimiter, self.quoting, self.escape, self.encoding),
        )
        self._check_arguments()

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Go through the data set once.

        Args:
            nlp: Makes the documents.

        Yields:
            One for each row, in the order of the data set.

        Raises:
            DatasetError: If the data set cannot be opened, lacks a column, or has no row; or at a
                row that cannot be used.
        """
        if is_spacy_data(self.path):
            yield from self._open_documents().examples(nlp)
            return
        for number, text, cats in self._usable_rows(nlp):
            try:
                example = make_example(nlp, text, cats, self._text_columns)
            except RowProblem as problem:
                raise self._row_error(number, problem) from None
            yield example

    @property
    def source(self) -> Source:
        """What is read."""
        return self._source

    def label_names(self) -> list[str]:
        """The labels that a column of labels spells out, or that its type names; else none."""
        if is_spacy_data(self.path):
            return []
        self._opened = self._opened or self._open()
        encode = self._opened.encode
        encode = encode.encode if isinstance(encode, SpelledEncoder) else encode
        return list(encode.inventory or ()) if isinstance(encode, ColumnEncoder) else []

    def read_cats(self, vocab: Vocab) -> Iterator[dict[str, float]] | None:
        """Go through the labels of the rows, without making documents.

        Args:
            vocab: The pipeline's.

        Returns:
            `Doc.cats` of each row; None for a stream, which may have no end.

        Raises:
            DatasetError: As `__call__`.
        """
        if is_spacy_data(self.path):
            return (doc.cats for doc in self._open_documents().docs(vocab))
        return None if self.streaming else (cats for _, _, cats in self._usable_rows())

    def _usable_rows(
        self, nlp: Language | None = None
    ) -> Iterator[tuple[int, str, dict[str, float]]]:
        """Go through the numbers, texts and labels of the rows, without making documents."""
        self._opened = self._opened or self._open()
        dataset, encode = self._opened
        absent = self._absent_labels(nlp) if nlp else {}
        compact = self.exclusive and nlp is not None and _is_for_exclusive_labels(nlp)
        skipped: Counter[str] = Counter()
        n_used = n_unclear = 0
        for number, row in enumerate(self._rows(dataset)):
            try:
                text = read_text(row, self._text_columns, self.text_separator)
                if self.skip_missing and not text.strip():
                    raise MissingValue(self._text_columns[0], "has no text")
                cats = self._known_values(encode(row), skipped)
                if absent and not isinstance(row[self._label_columns[0]], Mapping):
                    cats = absent | cats
                if compact and n_used:
                    # All but the first row, which names all labels, need only what is true.
                    cats = {label: value for label, value in cats.items() if value}
            except RowProblem as problem:
                if not (self.skip_missing and isinstance(problem, MissingValue)):
                    raise self._row_error(number, problem) from None
                skipped[f"rows for want of a value in column '{problem.column}'"] += 1
                continue
            n_used += 1
            n_unclear += self.exclusive is None and not sums_to_integer(cats)
            yield number, text, cats
        self._report(n_used, skipped, n_unclear)

    def _open_documents(self) -> DocBins:
        default = {setting.name: setting.default for setting in fields(self)}
        given = [name for name in TABLE_SETTINGS if getattr(self, name) != default[name]]
        if given:
            raise DatasetError(
                f"{self._source}: '{given[0]}' has no meaning for .spacy files; remove it"
            )
        return DocBins(
            self.path,
            split=self.split,
            limit=self.limit,
            exclusive=bool(self.exclusive),
            where=str(self._source),
        )

    def _check_arguments(self) -> None:
        columns, labels = self._label_columns, self.labels or []
        several = not isinstance(self.label_column, str)
        for wrong, complaint in (
            (not self.path, "'path' is empty; give a file, a folder or a name on the hub"),
            (not all(self._text_columns or [""]), "'text_column' must name a column"),
            (not all(columns), "'label_column' must name a column"),
            (len({*columns}) < len(columns), "'label_column' names a column twice"),
            (self.labels == [], "'labels' is empty; give all labels, or null"),
            (not all(labels), "'labels' holds an empty name"),
            (len({*labels}) < len(labels), "'labels' holds a name twice"),
            (
                several and len(labels) not in (0, len(columns)),
                f"{len(labels)} 'labels' cannot name {len(columns)} label columns",
            ),
            (self.label_separator == "", "'label_separator' is empty; give a string, or null"),
            (
                several and self.label_separator is not None,
                "'label_separator' is for a single label column",
            ),
            (self.limit < 0, "'limit' must be 0, for all rows, or more"),
            (self.shuffle_buffer < 0, "'shuffle_buffer' must be 0, for no shuffling, or more"),
            (
                self.shuffle_buffer > 0 and not self.streaming,
                "'shuffle_buffer' is for streaming = true; otherwise spacy train itself shuffles",
            ),
            (
                self.streaming and "[" in self.split,
                "a slice of a split needs streaming = false; use 'limit' for the first rows",
            ),
        ):
            if wrong:
                raise DatasetError(f"{self._source}: {complaint}")
        if wrong_dialect := self._source.dialect.complaint():
            raise DatasetError(f"{self._source}: {wrong_dialect}")

    def _open(self) -> _Opened:
        dataset, spelled = open_dataset(self._source)
        with explained(str(self._source)):
            if not self.streaming and not len(dataset):
                raise self._no_rows()
            # The columns of a stream may not be known before its first row.
            if dataset.column_names is not None:
                self._require_columns(dataset.column_names)
                dataset = dataset.select_columns(self._columns)
            try:
                encode = self._make_encoder(dataset, spelled)
            except RowProblem as problem:
                raise DatasetError(f"{self._source}: {problem}") from None
            if self.limit and not self.streaming:
                dataset = dataset.select(range(min(self.limit, len(dataset))))
            elif self.limit:
                dataset = dataset.take(self.limit)
        return _Opened(dataset, encode)

    def _require_columns(self, columns: Collection[str]) -> None:
        if missing := [column for column in self._columns if column not in columns]:
            raise DatasetError(
                f"{self._source}: there is no column '{missing[0]}'; set 'text_column' and "
                f"'label_column' to some of {', '.join(repr(column) for column in columns)}"
            )

    def _make_encoder(
        self, dataset: "Dataset | IterableDataset", spelled: bool
    ) -> Encoder | SpelledEncoder:
        features: Mapping[str, Any] = dataset.features or {}
        columns = self._label_columns
        encode: Encoder
        if not isinstance(self.label_column, str):
            encode = ColumnsEncoder(
                columns,
                labels=self.labels,
                class_columns={name for name in columns if class_names(features.get(name))},
                exclusive=self.exclusive,
            )
            return SpelledEncoder(encode, dict.fromkeys(columns, value_of)) if spelled else encode
        feature = features.get(self.label_column)
        names = class_names(feature)
        learned = field_names(feature)
        read = read_lists(self.label_column, self.labels or names, self.label_separator)
        found = None
        if not (learned or names or self.streaming) and (spelled or not self.labels):
            found = find_labels(dataset, self.label_column)
        if found is not None:
            learned = names_in(found, read)
        if spelled:
            # What spells no list may spell an id or a boolean.
            read = read_items(read, read_column(without_lists(found, read), self.labels))
        encode = ColumnEncoder(
            self.label_column,
            labels=self.labels,
            class_names=names,
            learned=learned,
            exclusive=self.exclusive,
            vectors=holds_vectors(feature),
        )
        return SpelledEncoder(encode, {self.label_column: read})

    def _rows(self, dataset: "Dataset | IterableDataset") -> Iterator[dict[str, Any]]:
        if self.shuffle_buffer:
            dataset = dataset.shuffle(
                seed=self.seed + self._passes, buffer_size=self.shuffle_buffer
            )
        self._passes += 1
        with explained(str(self._source)):
            for batch in dataset.iter(batch_size=_BATCH):
                self._require_columns(batch)
                for values in zip(*batch.values(), strict=True):
                    yield dict(zip(batch, values, strict=True))

    def _absent_labels(self, nlp: Language) -> dict[str, float]:
        """Independent labels of the pipeline, or of other parts of the data set, that the rows
        happen not to contain, with 0.

        Rows that name their labels name all of them. Where the labels are those found in the rows,
        a label that is not among them would otherwise be unknown, and predicting it cost nothing.
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

    def _known_values(self, cats: Cats, skipped: Counter[str]) -> dict[str, float]:
        """Deal with labels of which the row says nothing."""
        unknown = [label for label, value in cats.items() if value is None]
        if unknown and (len(unknown) == len(cats) or not self.skip_missing):
            several = len(self._label_columns) > 1
            column = self._label_columns[list(cats).index(unknown[0]) if several else 0]
            raise MissingValue(column, f"gives no value for the label '{unknown[0]}'")
        for label in unknown:
            skipped[f"values of the label '{label}'"] += 1
        return {label: value for label, value in cats.items() if value is not None}

    def _row_error(self, number: int, problem: RowProblem) -> DatasetError:
        way_out = "; correct the row, or set skip_missing = true to pass over such rows"
        hint = way_out if isinstance(problem, MissingValue) else ""
        return DatasetError(f"{self._source}, row {number} (counted from 0): {problem}{hint}")

    def _no_rows(self) -> DatasetError:
        return DatasetError(
            f"{self._source}: there is no row in it; check 'split' and 'data_files'"
        )

    def _report(self, n_used: int, skipped: Counter[str], n_unclear: int) -> None:
        """Say at the end of a pass what has been passed over, and what may be wrong."""
        summary = "; ".join(f"{n} {what}" for what, n in skipped.items())
        if skipped and not n_used:
            raise DatasetError(f"{self._source}: every row was skipped ({summary})")
        if not n_used:
            raise self._no_rows()
        if skipped:
            self._warn(f"skipped {summary}")
        if n_unclear:
            self._warn(
                f"the probabilities of {n_unclear} rows do not sum to 1; set exclusive = false if "
                "the labels do not exclude one another, or exclusive = true to refuse such rows"
            )

    def _warn(self, remark: str) -> None:
        """Warn once in a process: a training makes several readers of the same rows, and Python
        forgets what it has shown whenever somebody sets a filter."""
        warning = f"{self._source}: {remark}."
        if warning not in _WARNED:
            _WARNED.add(warning)
            warnings.warn(warning, stacklevel=3)


def _is_for_exclusive_labels(nlp: Language) -> bool:
    """Whether those who read the labels take an absent one for 0, and not for unknown."""
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, TextCategorizer)]
    return bool(pipes) and not any(isinstance(pipe, MultiLabel_TextCategorizer) for pipe in pipes)


def _as_list(columns: str | list[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)
