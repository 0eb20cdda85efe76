"""`python -m spacy attn convert`: the corpora of a config as `.spacy` files.

spaCy's `evaluate`, `find-threshold` and `benchmark speed` read nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy import util
from spacy.cli._util import Arg, Opt
from spacy.language import Language
from spacy.training import Example
from thinc.api import Config
from wasabi import msg

from ..data.reader import HFDataset
from .console import fail, failing, load_code, progress, read_overrides, warn
from .docbin_writer import DocBinWriter
from .options import CodePath


def convert_cli(
    ctx: typer.Context,  # This is only used to read the overrides
    config_path: Annotated[Path, Arg(help="Path to config file", exists=True, dir_okay=False)],
    output_dir: Annotated[Path, Arg(help="Directory to write to", file_okay=False)],
    corpora: Annotated[
        str | None,
        Opt(
            "--corpora",
            "-C",
            help="Comma-separated names in [corpora], say 'train,dev'. By default all that have a "
            "path, except the one for pretraining",
        ),
    ] = None,
    code_path: CodePath = None,
    docs_per_file: Annotated[
        int,
        Opt(
            "--docs-per-file",
            "-n",
            min=0,
            help="Write a corpus of more documents as a folder of files of that many each, which "
            "bounds the memory. 0 writes one file",
        ),
    ] = 0,
) -> None:
    """
    Write the corpora of a training config as .spacy files, one for each reader
    in [corpora], tokenized as [nlp] says. Nothing but the tokenizer is built,
    so that a config can be converted before it is trained. Settings of the
    config can be overridden on the command line, say --paths.train data.csv.
    """
    overrides = read_overrides(ctx)
    load_code(code_path)
    names = [name.strip() for name in corpora.split(",")] if corpora else None
    convert(
        config_path, output_dir, corpora=names, docs_per_file=docs_per_file, overrides=overrides
    )


def convert(
    config_path: Path,
    output_dir: Path,
    *,
    corpora: list[str] | None = None,
    docs_per_file: int = 0,
    overrides: Mapping[str, Any] = util.SimpleFrozenDict(),
) -> None:
    """Write the corpora of a config as `.spacy` files.

    Ends the process with a message on the standard error and status 1 if the config or the data
    cannot be used; the files of earlier runs are replaced only by complete ones.

    Args:
        config_path: The training config.
        output_dir: Where to write `NAME.spacy` for each corpus, or the folder `NAME`.
        corpora: Which corpora to write. None writes all that have a path, except the one for
            pretraining.
        docs_per_file: A corpus of more documents becomes a folder of files of that many each, which
            `spacy.Corpus.v1` reads as one; 0 writes one file whatever its size.
        overrides: Settings to replace in the config.
    """
    with failing(f"Can't read the config '{config_path}'", config_path):
        config = util.load_config(config_path, overrides=dict(overrides or {}), interpolate=True)
    blocks = _choose_corpora(config, corpora)
    with failing("Can't build the tokenizer from [nlp]", config_path):
        nlp = _build_tokenizer(config)
    readers = {}
    for name, block in blocks.items():
        # Each is built alone: another one, say without its path, must not get in the way.
        with failing(f"Can't build the reader 'corpora.{name}'", config_path):
            readers[name] = util.registry.resolve({name: block})[name]
    _share_labels(readers)
    for name, reader in readers.items():
        with failing(f"Can't convert 'corpora.{name}'"):
            output_dir.mkdir(parents=True, exist_ok=True)
            _write(name, reader(nlp), output_dir, docs_per_file)


def _choose_corpora(config: Config, wanted: list[str] | None) -> dict[str, dict[str, Any]]:
    corpora = config.get("corpora") or {}
    blocks = {name: block for name, block in corpora.items() if isinstance(block, dict)}
    if wanted is None:
        pretraining = (config.get("pretraining") or {}).get("corpus")
        wanted = [
            name
            for name, block in blocks.items()
            if block.get("path", "") is not None and f"corpora.{name}" != pretraining
        ]
        for name in blocks.keys() - set(wanted):
            msg.info(f"Skipping 'corpora.{name}', which has no path or is for pretraining")
    if unknown := [name for name in wanted if name not in blocks]:
        known = ", ".join(blocks) or "none"
        fail(f"There is no corpus '{unknown[0]}' in [corpora]", f"Available: {known}")
    if not wanted:
        fail("There is nothing to convert: no reader in [corpora] has a path")
    return {name: blocks[name] for name in wanted}


def _build_tokenizer(config: Config) -> Language:
    """Build the pipeline without components, which cost time and which the readers do not use."""
    settings = {**config.get("nlp", {}), "pipeline": [], "disabled": []}
    return util.load_model_from_config(Config({"nlp": settings}), auto_fill=True)


def _share_labels(readers: Mapping[str, Any]) -> None:
    """Have rows name the independent labels that only other corpora contain, as training does."""
    tables = {name: reader for name, reader in readers.items() if isinstance(reader, HFDataset)}
    labels: dict[str, None] = {}
    for name, reader in tables.items():
        with failing(f"Can't convert 'corpora.{name}'"):
            labels |= dict.fromkeys(reader.label_names())
    for reader in tables.values():
        reader.other_labels = list(labels)


def _write(name: str, examples: Iterable[Example], output_dir: Path, docs_per_file: int) -> None:
    n_empty = 0
    with DocBinWriter(output_dir / name, docs_per_file=docs_per_file) as writer:
        for example in progress(examples, name=name):
            n_empty += not len(example.reference)
            writer.add(example.reference)
        path = writer.finish()
    msg.good(f"Saved {writer.n_docs} documents: {path}")
    if n_empty:
        warn(f"{n_empty} of them have no tokens; spacy.Corpus.v1 passes over such documents")
