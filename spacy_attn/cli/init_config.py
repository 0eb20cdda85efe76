"""`python -m spacy attn init-config`: a complete training config, from the installed package."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy import util
from spacy.cli._util import Arg, Opt
from thinc.api import Config
from wasabi import msg

from ..pipeline.defaults import DEFAULT_MODEL
from ..text_files import write_text
from . import options as opt
from .console import failing, require_output

_TEMPLATE = Path(__file__).with_name("training.cfg")


def init_config_cli(
    output_file: Annotated[
        Path, Arg(help="File to write, or - for the standard output", dir_okay=False)
    ],
    lang: Annotated[str, Opt("--lang", "-l", help="Code of the language")] = "en",
    multilabel: Annotated[
        bool, Opt("--multilabel", "-m", help="Documents may have any number of labels")
    ] = False,
    train: Annotated[str | None, Opt("--train", help="Training data")] = None,
    dev: Annotated[str | None, Opt("--dev", help="Data to choose the best model by")] = None,
    test: Annotated[str | None, Opt("--test", help="Data to evaluate on")] = None,
    vectors: Annotated[
        str | None, Opt("--vectors", help="Pipeline or folder with pretrained word vectors")
    ] = None,
    text_column: opt.TextColumn = None,
    label_column: opt.LabelColumn = None,
    force: Annotated[bool, Opt("--force", "-F", help="Replace a file that exists")] = False,
) -> None:
    """
    Write a complete config with the recommended settings. Data that are not
    named here are named in training, say with --paths.train train.csv.
    """
    paths = {"train": train, "dev": dev, "test": test, "vectors": vectors}
    printing = str(output_file) == "-"
    if printing:
        require_output()
    with failing("Can't write the config"):
        if not printing and output_file.exists() and not force:
            raise ValueError(f"'{output_file}' exists already: add --force to replace it.")
        columns = {
            key: opt.column_names(given)
            for key, given in (("text_column", text_column), ("label_column", label_column))
            if given is not None
        }
        config = init_config(lang=lang, multilabel=multilabel, paths=paths, columns=columns)
        text = config.to_str(interpolate=False)
        if printing:
            typer.echo(text)
            return
        write_text(output_file, text)
    missing = [f"--paths.{name} DATA" for name in ("train", "dev") if paths[name] is None]
    command = " ".join(["python -m spacy train", str(output_file), "--output training", *missing])
    msg.good(f"Saved {output_file}. To train: {command}")


def init_config(
    *,
    lang: str = "en",
    multilabel: bool = False,
    paths: dict[str, str | None] | None = None,
    columns: dict[str, str | list[str]] | None = None,
) -> Config:
    """Return a complete training config with the recommended settings, and with its variables.

    Args:
        lang: Code of the language.
        multilabel: Whether documents may have any number of labels, and not exactly one.
        paths: Those of the data "train", "dev" and "test", and of the "vectors".
        columns: The "text_column" and "label_column" of the data, where they have other names.

    Raises:
        ImportError: If spaCy does not know the language.
    """
    config = util.load_config(_TEMPLATE, interpolate=False)
    name = "attn_textcat_multilabel" if multilabel else "attn_textcat"
    component: dict[str, Any] = {"factory": name}
    config["paths"].update(paths or {})
    if config["paths"]["test"] is None:
        # Training builds every reader, and refuses one without a path.
        del config["corpora"]["test"]
    for corpus in config["corpora"].values():
        corpus.update(columns or {}, exclusive=not multilabel)
    if config["paths"]["vectors"] is not None:
        component["model"] = copy.deepcopy(DEFAULT_MODEL)
        # Vectors of all words take the place of a vocabulary of learned ones.
        component["model"]["tok2vec"].update(vectors="static", max_size=0)
    config["nlp"] = {"lang": lang, "pipeline": [name]}
    config["components"] = {name: component}
    return util.load_model_from_config(config, auto_fill=True).config
