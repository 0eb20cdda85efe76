"""How `datasets` builds a data set out of delimited text: by `read_delimited`, not by pandas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

import datasets
import pyarrow as pa  # type: ignore[import-untyped]
from datasets.table import table_cast

from .delimited import Dialect, Wanted, read_delimited
from .paths import extension, shown

# To be raised whenever files are read in another way: the cache of `datasets` goes by it.
_VERSION = "1"


@dataclass
class DelimitedConfig(datasets.BuilderConfig):
    """What to read, and how the files are written.

    features (Optional[datasets.Features]): The columns to read with their types.
    label_columns (tuple[str, ...]): Those that hold labels; an empty one is null.
    default_delimiter (str): What separates fields unless the file is a .tsv.
    dialect (Dialect): What the user says of it.
    """

    features: datasets.Features | None = None
    label_columns: tuple[str, ...] = ()
    default_delimiter: str = ","
    dialect: Dialect = field(default_factory=Dialect)


class DelimitedBuilder(datasets.ArrowBasedBuilder):
    """Reads delimited text; files may be compressed, remote and of several splits."""

    BUILDER_CONFIG_CLASS = DelimitedConfig

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

    def _generate_tables(
        self, files: list[tuple[str, str]]
    ) -> Iterator[tuple[tuple[int, int], pa.Table]]:
        features = self.config.features
        wanted = Wanted(list(features), self.config.label_columns)
        for i, (file, path) in enumerate(files):
            default = "\t" if extension(file) == ".tsv" else self.config.default_delimiter
            batches = read_delimited(
                partial(_open, path), shown(file), wanted, self.config.dialect, default
            )
            for j, columns in enumerate(batches):
                arrays = [
                    pa.array(
                        [value or None for value in values] if name in wanted.labels else values,
                        pa.string(),
                    )
                    for name, values in zip(features, columns, strict=True)
                ]
                table = pa.Table.from_arrays(arrays, names=list(features))
                yield (i, j), table_cast(table, features.arrow_schema)


def _open(path: str) -> IO[bytes]:
    """Open a file. `datasets` gives this module an `open` that knows compressed and remote ones."""
    return open(path, "rb")
