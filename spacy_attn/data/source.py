"""Where a split of a data set is, and how it is opened: files, folders, the Hugging Face hub."""

import glob
import os
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from .delimited import Dialect
from .errors import DatasetError, MissingDataError, explained
from .features import require_one_numbering
from .hub import hub_answers, offline_mode
from .paths import FORMATS, DataFiles, extension, find_files, matching_files, state_of

if TYPE_CHECKING:
    from datasets import BuilderConfig, Dataset, DatasetBuilder, IterableDataset

# The rows of a split, and whether they are untyped.
Opened = tuple["Dataset | IterableDataset", bool]

_SPREADSHEETS = (".xls", ".xlsx", ".xlsm", ".ods")
_OF_HUB = ("name", "revision", "data_files")
_CONFIGS = ("ParquetConfig", "CsvConfig", "JsonConfig")
_OF_CSV = ("delimiter", "quoting", "escape")


@dataclass
class Source:
    """Where a split of a data set is, and which columns of it are read.

    A reader adds `columns`, those to read, and `label_columns`, those of them that hold class ids
    or in which an empty field of a CSV file is null. With `all_columns`, all others are read, too.
    `either` has pairs of columns: the second one is read where there is no first.

    Args:
        path: A data file (Parquet, JSON, JSON lines, CSV, TSV, Arrow), a pattern such as
            `data/*.parquet`, or a folder of data files. It can be a folder that `save_to_disk` has
            written, or the name of a data set on the Hugging Face hub. `.spacy` files are read as
            spaCy reads them.
        name: The configuration of the data set.
        split: The split, also as a slice (`train[:10%]`) or a sum (`train+test`). A file, and a
            `Dataset` saved alone, is one split called "train".
        revision: A branch, tag or commit on the hub.
        data_files: The files to read out of a folder or a data set on the hub: one, a list, or
            those of each split.
        streaming: Read while iterating, without a download. For `max_epochs = -1`.
        delimiter: What separates the fields of a CSV or TSV file. None finds it by the kind of file
            and the header.
        quoting: "minimal" if double quotes enclose fields, "none" if they are text. None takes them
            for text between tabs and for enclosing otherwise, and refuses a file that speaks
            against it.
        escape: The character that stands, in a CSV or TSV file, before a quote or a delimiter that
            is text.
        encoding: The encoding of CSV, TSV and JSON files. None is UTF-8.

    Raises:
        DatasetError: If the settings contradict one another.
    """

    path: str | None
    _: KW_ONLY
    name: str | None = None
    split: str = "train"
    revision: str | None = None
    data_files: DataFiles | None = None
    streaming: bool = False
    delimiter: str | None = None
    quoting: str | None = None
    escape: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = field(default=(), init=False, repr=False)
    label_columns: tuple[str, ...] = field(default=(), init=False, repr=False)
    either: tuple[tuple[str, str], ...] = field(default=(), init=False, repr=False)
    all_columns: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.path is None:
            raise DatasetError(
                f"the 'path' of spacy-attn.{type(self).__name__.removesuffix('_v1')}.v1 is null: "
                "set it in the config, or override it on the command line, say with --paths.train"
            )
        self.require(bool(self.path), "'path' is empty; give a file, a folder or a name on the hub")
        self.require(
            not (self.streaming and "[" in self.split),
            "a slice of a split needs streaming = false; use 'limit' for the first rows",
        )
        complaint = self.dialect.complaint()
        self.require(complaint is None, complaint)

    def __str__(self) -> str:
        configuration = f", configuration '{self.name}'" if self.name else ""
        return f"data set '{self.path}'{configuration}, split '{self.split}'"

    @property
    def dialect(self) -> Dialect:
        """How delimited text is written. JSON has an encoding, too."""
        return Dialect(self.delimiter, self.quoting, self.escape, self.encoding)

    def columns_among(self, names: Collection[str]) -> list[str]:
        """Return the columns to read where those of some names are there."""
        chosen = (
            other if other in names and one not in names else one for one, other in self.either
        )
        return list(dict.fromkeys([*self.columns, *chosen]))

    def require(self, condition: bool, complaint: str | None) -> None:
        """Refuse the settings with a complaint unless a condition holds."""
        if not condition:
            raise DatasetError(f"{self}: {complaint}")


def open_source(source: Source) -> Opened:
    """Open a split, wherever it is.

    Returns:
        The rows, which are on disk and not in memory; and whether all values are strings only
        because everything in a CSV file is.

    Raises:
        DatasetError: If there is no such data set, it cannot be reached, or it has no such split.
    """
    with explained(source), _bars_on_terminals_only():
        local = _local_path(source)
        if _is_saved(local):
            return _open_saved(local, source)
        if found := _find_local(local, source):
            return _open_local(*found, source)
        path = str(source.path)
        _refuse_unless_on_hub(path, local, source)
        return _open_on_hub(path, source)


def local_files(source: Source) -> tuple[str, list[str]] | None:
    """Find the files of a split that lie on this machine.

    Returns:
        Their format, as `datasets` calls it, and their paths in the order of the rows. None if the
        split is anything else: files elsewhere, those that a folder gives settings for, what
        `save_to_disk` has written, or a slice of a split.

    Raises:
        DatasetError: As `open_source`, as far as no row is read.
    """
    from datasets import load_dataset_builder

    with explained(source):
        local = _local_path(source)
        found = None if _is_saved(local) else _find_local(local, source)
        if found is None:
            return None
        path, data_files = found
        data_files = data_files or source.data_files
        if "://" in str(data_files):
            return None
        with offline_mode():
            found_files = _find_files(path, data_files, source)
            builder = load_dataset_builder(path, name=source.name, data_files=found_files)
        if not any(_is_plain(builder.config, kind) for kind in _CONFIGS):
            return None
        if builder.name == "parquet":
            _refuse(source, "Parquet files", *_OF_CSV, "encoding")
        splits = {str(name): files for name, files in builder.config.data_files.items()}
        names = [name.strip() for name in source.split.split("+")]
        files = [file for name in names for file in splits.get(name, ())]
        is_whole = all(name in splits for name in names)
        return (builder.name, files) if is_whole and all(map(os.path.isfile, files)) else None


def _local_path(source: Source) -> str:
    return os.path.abspath(os.path.expanduser(str(source.path)))


def _is_saved(local: str) -> bool:
    # Either file is written by `save_to_disk`, of a `DatasetDict` or a `Dataset`.
    markers = ("dataset_dict.json", "state.json")
    return any(os.path.isfile(os.path.join(local, name)) for name in markers)


def _find_local(local: str, source: Source) -> tuple[str, DataFiles | None] | None:
    """Return a folder of files or the format of files, and the files if the path names them."""
    path = str(source.path)
    if os.path.isdir(local):
        return local, None
    if path in FORMATS.values():
        _refuse(source, "a file format", "name", "revision")
        has_files = source.data_files is not None
        reason = f"'{path}' is a file format; set 'data_files' to the files to read"
        source.require(has_files, reason)
        return path, None
    files = matching_files(os.path.expanduser(path))
    return _check_files(files, source) if files else None


def _open_saved(path: str, source: Source) -> Opened:
    from datasets import Dataset, load_from_disk

    _refuse(source, "a folder written by save_to_disk", *_OF_HUB, *_OF_CSV, "encoding")
    saved = load_from_disk(path)
    if isinstance(saved, Dataset):
        # A data set saved alone may have kept the name of the split it was cut from. It is also
        # called "train", as `datasets` calls a single file.
        splits = {"train": saved, str(saved.split or "train"): saved}
    else:
        splits = dict(saved)
    # A format such as "torch" is saved along and would turn every value into a tensor.
    splits = {name: split.with_format(None) for name, split in splits.items()}
    if source.streaming:
        streams = {name: split.to_iterable_dataset() for name, split in splits.items()}
        return _take_stream(streams, source), False
    return _take(splits, source), False


def _check_files(files: list[str], source: Source) -> tuple[str, DataFiles]:
    """Return the format of some files, and of which split they are."""
    _refuse(source, "data files", *_OF_HUB)
    kind, *others = sorted({extension(file) for file in files})
    source.require(
        not others,
        f"the files are of different kinds ({', '.join([kind, *others])}); give a pattern that "
        "matches one kind",
    )
    source.require(
        kind not in _SPREADSHEETS,
        "a spreadsheet is not read; convert it with two lines of Python, `import pandas` and "
        f"`pandas.read_excel({files[0]!r}).to_csv('rows.csv', index=False)`",
    )
    source.require(
        kind in FORMATS,
        f"cannot read a file of kind '{kind}'; use one of {', '.join(FORMATS)}, or a folder "
        "written by save_to_disk",
    )
    # A single file is the split that is asked for: it has no other, whatever that is called.
    is_single = os.path.isfile(os.path.expanduser(str(source.path))) and source.split.isidentifier()
    return FORMATS[kind], {source.split: files} if is_single else files


def _open_local(path: str, data_files: DataFiles | None, source: Source) -> Opened:
    """Open a folder, or files of a format. The files are those of the source unless given."""
    from datasets import load_dataset_builder

    arguments: dict[str, Any] = {"name": source.name, "data_files": data_files or source.data_files}
    # The files of a format may also be given by web addresses.
    remote = "://" in str(arguments["data_files"])
    if not remote:
        arguments["data_files"] = _find_files(path, arguments["data_files"], source)
    with nullcontext() if remote else offline_mode():
        builder = load_dataset_builder(path, **arguments)
        state = state_of(builder.config.data_files or {})
        declared = builder.info.features
        if _is_plain(builder.config, "CsvConfig"):
            table = _table_builder(builder, source, state)
            return _build(table, source), not declared
        encoding = () if hasattr(builder.config, "encoding") else ("encoding",)
        _refuse(source, f"files of the kind '{builder.name}'", *_OF_CSV, *encoding)
        if _is_plain(builder.config, "JsonConfig") and not declared:
            return _build(_table_builder(builder, source, state), source), False
        if source.dialect.encoding is not None:
            arguments["encoding"] = source.dialect.encoding
        if builder.name == "parquet" and not remote:
            arguments |= _parquet_columns(builder, source)
        # A data set is found in the cache by all settings. This one has no other effect.
        builder = load_dataset_builder(path, **arguments, description=state)
        return _build(builder, source), False


def _find_files(path: str, data_files: DataFiles | None, source: Source) -> DataFiles | None:
    """Find the files where `datasets` would take for a pattern what is none."""
    is_folder = os.path.isdir(path)
    if data_files is not None:
        return find_files(data_files, path if is_folder else os.getcwd())
    if not (is_folder and glob.has_magic(path)):
        return None
    source.require(
        not os.path.exists(os.path.join(path, "README.md")),
        "the folder has a README.md, which may say what its files are, and a name that `datasets` "
        "takes for a pattern; rename the folder to one without *, ? and [",
    )
    return find_files(None, path)


def _is_plain(config: "BuilderConfig", kind: str) -> bool:
    """Return whether a builder reads that kind of file, and a folder gives no settings for it."""
    others = ("version", "name", "data_dir", "data_files", "description", "sep", "delimiter")
    return type(config).__name__ == kind and all(
        getattr(config, setting.name) == setting.default
        for setting in fields(config)
        if setting.name not in others
    )


def _table_builder(builder: "DatasetBuilder", source: Source, state: str) -> "DatasetBuilder":
    """Have CSV and JSON files read as written, and checked. Types that a folder declares are kept.

    Left alone, pandas takes "007" for a number, and "None" or "NA" for a null, be it a text or a
    label, decides anew for every 10,000 rows, and fills up rows that lack a field. Columns that
    nobody asks for are not read, whatever is in them.
    """
    from datasets import Features, Value

    from .builders import VERSION, DelimitedBuilder, JsonBuilder

    arguments: dict[str, Any] = {
        "dataset_name": builder.dataset_name,
        "data_files": builder.config.data_files,
        "base_path": builder.base_path,
        "columns": source.columns,
        "label_columns": source.label_columns,
        "dialect": source.dialect,
        "description": f"{VERSION} {state}",
    }
    if source.all_columns:  # the cache goes by the arguments, of which others have one less
        arguments["all_columns"] = True
    if builder.name == "json":
        either = {"either": source.either} if source.either else {}
        return JsonBuilder(**arguments, **either)
    # No value of a CSV file is a mapping, for which the second of two columns stands.
    columns = arguments["columns"] = (*source.columns, *(one for one, _ in source.either))
    declared = builder.info.features or {}
    if source.all_columns:
        return DelimitedBuilder(
            **arguments, declared=dict(declared), default_delimiter=builder.config.sep
        )
    features = Features({name: declared.get(name, Value("string")) for name in columns})
    return DelimitedBuilder(**arguments, features=features, default_delimiter=builder.config.sep)


def _parquet_columns(builder: "DatasetBuilder", source: Source) -> dict[str, list[str]]:
    """Have no other columns read than those asked for: files may differ in the others."""
    import pyarrow.parquet as pq

    if source.all_columns:
        return {}
    file = next(file for files in builder.config.data_files.values() for file in files)
    names = pq.read_schema(file).names
    wanted = source.columns_among(names)
    columns = [name for name in names if name in wanted]
    # Where one is missing, the reader names all that there are.
    return {"columns": columns} if len(columns) == len(wanted) else {}


def _refuse_unless_on_hub(path: str, local: str, source: Source) -> None:
    source.require(
        "://" not in path or path.startswith("hf://"),
        "a web address is not a data set; set 'path' to the format of the file, say 'json', and "
        "'data_files' to the address",
    )
    is_local = path.startswith((".", "/", "~")) or os.path.isabs(path) or glob.has_magic(path)
    # A name on the hub is `name` or `owner/name`.
    is_no_name = extension(path) in FORMATS or path.count("/") > 1 or "\\" in path
    if "://" not in path and (is_local or is_no_name):
        raise MissingDataError(f"{source}: there is no such file or folder (looked for '{local}')")


def _open_on_hub(path: str, source: Source) -> Opened:
    import datasets

    _refuse(source, "a data set of the hub", *_OF_CSV, "encoding")
    online = not datasets.config.HF_HUB_OFFLINE and hub_answers()
    # In its offline mode, `datasets` looks for the copy of an earlier download at once.
    with nullcontext() if online else offline_mode():
        builder = datasets.load_dataset_builder(
            path, source.name, data_files=source.data_files, revision=source.revision
        )
        # Without the options for CSV files: the cache goes by the options, and a copy made with
        # ours would not be found later on when the hub cannot be reached.
        dataset = _build(builder, source)
    if not online:
        warnings.warn(
            f"{source}: the Hugging Face hub cannot be reached (or offline mode is set), so the "
            "copy in the local cache is used, whatever its revision.",
            stacklevel=2,
        )
    return dataset, False


def _refuse(source: Source, kind: str, *settings: str) -> None:
    """Refuse settings that mean nothing for that kind of data set."""
    for name in settings:
        is_left_out = getattr(source, name) is None
        source.require(is_left_out, f"'{name}' has no meaning for {kind}; remove it")


def _build(builder: "DatasetBuilder", source: Source) -> "Dataset | IterableDataset":
    """Open what a builder of `datasets` reads, and converts to Arrow once unless it is streamed."""
    require_one_numbering(builder, source.split, source.label_columns, source)
    if source.streaming:
        return _take_stream(builder.as_streaming_dataset(), source)
    builder.download_and_prepare()
    return _take(builder.as_dataset(), source)


def _take(splits: Mapping[str, "Dataset"], source: Source) -> "Dataset":
    """Cut out of the splits what is asked for, in its order: names joined by +, and slices."""
    from datasets import ReadInstruction, concatenate_datasets

    lengths = {name: len(split) for name, split in splits.items()}
    try:
        instructions = ReadInstruction.from_spec(source.split).to_absolute(lengths)
    except (ValueError, AssertionError) as error:
        known = ", ".join(f"'{name}' ({n} rows)" for name, n in lengths.items())
        raise DatasetError(
            f"{source}: there is no such split or slice; set 'split' to one of {known}, "
            "or to a slice such as 'train[:10%]' of one"
        ) from error
    parts = [splits[part.splitname].select(range(part.from_, part.to)) for part in instructions]
    return parts[0] if len(parts) == 1 else concatenate_datasets(parts)


def _take_stream(splits: Mapping[str, "IterableDataset"], source: Source) -> "IterableDataset":
    """Join the splits asked for. Slices need a length, which a stream does not have."""
    from datasets import concatenate_datasets

    names = [name.strip() for name in source.split.split("+")]
    known = ", ".join(f"'{name}'" for name in splits)
    for name in names:
        source.require(name in splits, f"there is no split '{name}'; set 'split' to one of {known}")
    parts = [splits[name] for name in names]
    return parts[0] if len(parts) == 1 else concatenate_datasets(parts)


@contextmanager
def _bars_on_terminals_only() -> Iterator[None]:
    """Keep the progress bars of `datasets` out of log files."""
    import datasets

    silence = not (sys.stderr.isatty() or datasets.are_progress_bars_disabled())
    if silence:
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        if silence:
            datasets.enable_progress_bars()
