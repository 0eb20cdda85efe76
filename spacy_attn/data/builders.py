"""How `datasets` builds a data set out of CSV and JSON files: by readers of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import IO, Any

import datasets
import pyarrow as pa
from datasets.table import table_cast

from .delimited import DelimitedFile, Dialect
from .errors import FileProblem, listing, no_column
from .jsonlines import Batch, read_json
from .paths import extension, shown

# To be raised whenever files are read in another way: the cache of `datasets` goes by it.
VERSION = "2"

# Names of files, and where they lie once they are downloaded.
_Files = list[tuple[str, str]]


@dataclass
class TableConfig(datasets.BuilderConfig):
    """What to read, as `Source` has it, and how the files are written.

    Attributes:
        all_columns: Whether to read all other columns, too.
        either: Pairs of columns of which one is needed, and those that are there are read: of JSON.
        features: The types of the columns, if they are known.
        declared: Types of some columns, if it is up to the files which there are.
        default_delimiter: What separates fields of CSV files unless the dialect says so.
    """

    columns: tuple[str, ...] = ()
    label_columns: tuple[str, ...] = ()
    all_columns: bool = False
    either: tuple[tuple[str, str], ...] = ()
    features: datasets.Features | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    default_delimiter: str = ","
    dialect: Dialect = field(default_factory=Dialect)


class TableBuilder(datasets.ArrowBasedBuilder):
    """Finds the files of each split, also compressed or remote ones, and makes tables of them."""

    BUILDER_CONFIG_CLASS = TableConfig

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=self.config.features)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        dl_manager.download_config.extract_on_the_fly = True
        extracted = dl_manager.download_and_extract(self.config.data_files)
        return [
            datasets.SplitGenerator(
                name=split,
                gen_kwargs={
                    "files": [
                        (name, path)
                        for name, files in zip(names, extracted[split], strict=True)
                        for path in dl_manager.iter_files(files)
                    ]
                },
            )
            for split, names in self.config.data_files.items()
        ]

    def _generate_tables(self, files: _Files) -> Iterator[tuple[tuple[int, int], pa.Table]]:
        schema = self.info.features.arrow_schema
        for i, columns in enumerate(self._columns(files)):
            table = pa.Table.from_arrays(list(columns.values()), names=list(columns))
            yield (0, i), table_cast(table, schema)

    def _columns(self, files: _Files) -> Iterator[Mapping[str, pa.Array]]:
        """Read the values of each column, some thousand rows at a time."""
        raise NotImplementedError


class DelimitedBuilder(TableBuilder):
    """Reads delimited text as `DelimitedFile`, where `datasets` would use pandas."""

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        splits = super()._split_generators(dl_manager)
        if self.config.all_columns:
            files = [file for split in splits for file in split.gen_kwargs["files"]]
            names, declared = self._find_names(files), self.config.declared
            types = {name: declared.get(name, datasets.Value("string")) for name in names}
            self.info.features = datasets.Features(types)
        return splits

    def _file(self, file: str, path: str) -> DelimitedFile:
        config = self.config
        return DelimitedFile(
            partial(_open, path),
            shown(file),
            config.columns,
            config.label_columns,
            config.dialect,
            "\t" if extension(file) == ".tsv" else config.default_delimiter,
            config.all_columns,
        )

    def _find_names(self, files: _Files) -> list[str]:
        """Return the columns of all files, which must have the same."""
        first, *others = [
            (shown(file), self._file(file, path).read_names()) for file, path in files
        ]
        for name, columns in others:
            if set(columns) != set(first[1]):
                reason = (
                    f"its columns are {listing(columns)}, and those of '{first[0]}' are "
                    f"{listing(first[1])}; read the files one by one"
                )
                raise FileProblem(name, None, reason)
        return first[1]

    def _columns(self, files: _Files) -> Iterator[Mapping[str, pa.Array]]:
        config = self.config
        for file, path in files:
            for batch in self._file(file, path).batches():
                arrays = {column: pa.array(values, pa.string()) for column, values in batch.items()}
                for column in config.label_columns:  # an empty label is missing
                    values = [value or None for value in batch[column]]
                    arrays[column] = pa.array(values, pa.string())
                yield arrays


class JsonBuilder(TableBuilder):
    """Reads JSON by `read_json`.

    `datasets` has Arrow parse whole objects, whose types must not change from one block of 10 MB to
    the next, even in columns that nobody asks for. Here the type of a column is that of all its
    values, or, if the data set is streamed, of those up to the first block that has any.
    """

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        splits = super()._split_generators(dl_manager)
        files = [file for split in splits for file in split.gen_kwargs["files"]]
        self.info.features = self._find_types(files, is_streamed=dl_manager.is_streaming)
        return splits

    def _batches(self, files: _Files) -> Iterator[tuple[str, Batch]]:
        encoding = self.config.dialect.encoding
        columns = [*self.config.columns, *chain.from_iterable(self.config.either)]
        wanted = None if self.config.all_columns else list(dict.fromkeys(columns))
        for file, path in files:
            name = shown(file)
            for batch in read_json(partial(_open, path), name, wanted, encoding):
                yield name, batch

    def _find_types(self, files: _Files, *, is_streamed: bool) -> datasets.Features:
        required = self.config.columns
        # All columns come in the order of the file.
        types: dict[str, Any] = dict.fromkeys(
            () if self.config.all_columns else required, pa.null()
        )
        keys: dict[str, None] = {}
        for name, batch in self._batches(files):
            keys.update(dict.fromkeys(batch.keys))
            for column, values in batch.columns.items():
                if column not in types and column not in batch.keys:
                    continue
                before = types.get(column, pa.null())
                found = _merged(before, _type_of(values))
                if found is None and not hasattr(datasets, "Json"):
                    raise _odd_value(before, column, name, batch)
                types[column] = found
            if is_streamed and pa.null() not in types.values():
                break
        missing = [column for column in required if keys and column not in keys]
        missing += [one for one, other in self.config.either if keys and not {one, other} & {*keys}]
        if missing:
            raise FileProblem(shown(files[0][0]), None, no_column(missing[0], keys))
        schema = pa.schema({column: kind or pa.string() for column, kind in types.items()})
        features = datasets.Features.from_arrow_schema(schema)
        # Values of different types are kept as JSON, as `datasets` does.
        mixed = {column: datasets.Json() for column, kind in types.items() if kind is None}
        return datasets.Features(features | mixed)

    def _columns(self, files: _Files) -> Iterator[Mapping[str, pa.Array]]:
        features = self.info.features
        for name, batch in self._batches(files):
            arrays = {}
            for column in features:
                values = batch.columns.get(column, [None] * len(batch.numbers))
                if type(features[column]).__name__ == "Json":
                    spelt = [None if value is None else json.dumps(value) for value in values]
                    arrays[column] = pa.array(spelt, pa.string())
                    continue
                kind = features.arrow_schema.field(column).type
                if _merged(kind, _type_of(values)) != kind:
                    raise _odd_value(kind, column, name, batch)
                arrays[column] = pa.array(values, kind)
            yield arrays


def _type_of(values: Sequence[Any]) -> Any:
    """Return the Arrow type of some values; None if there is none for all of them."""
    try:
        return pa.array(values).type
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return None


def _merged(one: Any, other: Any) -> Any:
    """Return the type of values of either type; None if there is none."""
    if one is None or other is None or one == other:
        return one if one == other else None
    try:
        schemas = [pa.schema({"values": kind}) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field("values").type
    except pa.ArrowException:
        return None


def _odd_value(kind: Any, column: str, name: str, batch: Batch) -> FileProblem:
    """Find the value that is of another type than those before."""
    values = batch.columns[column]
    i = 0
    while i < len(values) - 1 and (merged := _merged(kind, _type_of(values[i : i + 1]))):
        kind = merged
        i += 1
    return FileProblem(
        name,
        f"{batch.unit} {batch.numbers[i]}",
        f"column '{column}' holds {values[i]!r:.80}, which is of another type than the values "
        f"before ({kind}); write all values of a column in the same type",
    )


def _open(path: str) -> IO[bytes]:
    """Open a file. `datasets` gives this module an `open` that knows compressed and remote ones."""
    return open(path, "rb")
