"""`python -m spacy attn card`: a model card with what was measured, in the pipeline's folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from spacy import util
from spacy.cli._util import Opt
from spacy.language import Language
from wasabi import msg

from ..data.docbins import is_spacy_data
from ..data.paths import matching_files
from ..interpret.measured import measure
from ..interpret.methods import explain
from ..interpret.show.canvas import require_matplotlib
from ..interpret.show.model_card import About, DataSet, is_untouched, model_card
from ..interpret.show.saving import save
from ..interpret.subject import Classifier
from ..text_files import TEMPORARY, write_text
from . import options as opt
from .console import failing, prepare, progress, warn

CARD, PICTURE = "README.md", "explanations.svg"
# What any folder of a pipeline has.
_OF_PIPELINES = ("config.cfg", "meta.json")


def card_cli(
    model: opt.Model,
    data: Annotated[
        str,
        Opt(
            "--data",
            "-d",
            help="Labelled data to measure on, which training did not have: a .spacy file or a "
            "folder of them; a data set in files, say .parquet, .jsonl or .csv; or one on the hub",
        ),
    ],
    output: Annotated[
        Path | None,
        Opt(
            "--output",
            "-o",
            help="Folder for a copy of the pipeline with the card in it. By default the card goes "
            "into the folder of the pipeline itself",
            file_okay=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        Opt("--overwrite", help="Replace a card that was edited, or the folder of --output"),
    ] = False,
    name: Annotated[
        str | None,
        Opt("--name", help="Name that 'spacy package' will get. By default that in meta.json"),
    ] = None,
    package_version: Annotated[
        str | None, Opt("--version", help="Version that 'spacy package' will get, likewise")
    ] = None,
    license_name: Annotated[
        str | None,
        Opt(
            "--license", help="License as the hub names it, say 'mit'. By default that in meta.json"
        ),
    ] = None,
    data_name: Annotated[
        str | None,
        Opt("--data-name", help="What the card calls the data. By default the name of the file"),
    ] = None,
    texts: Annotated[
        list[str] | None,
        Opt(
            "--text",
            help="Text for the picture. May be given several times. By default, the picture shows "
            "a text of the data for each label",
        ),
    ] = None,
    limit: opt.Limit = 0,
    explain_limit: Annotated[
        int,
        Opt("--explain-limit", min=1, help="Measure faithfulness on so many documents at most"),
    ] = 200,
    component: opt.ComponentName = None,
    split: opt.Split = None,
    text_column: opt.TextColumn = None,
    label_column: opt.LabelColumn = None,
    labels: opt.LabelNames = None,
    settings: opt.ReaderSettings = None,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Measure a trained pipeline, and write a model card: README.md in its folder,
    with front matter for the Hugging Face hub. It has accuracy, F and
    calibration, how far explanations can be trusted, the words that contribute
    most, and a picture. 'spacy package' takes it over.
    """
    prepare(code_path, gpu_id, printing=False)
    options = opt.DataOptions(split, text_column, label_column, labels, settings)
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = Classifier(util.load_model(model), component)
    with failing("Can't write the card"):
        source, target = _places(classifier.nlp, model, output, overwrite=overwrite)
    with failing("Can't read the data"):
        reader = opt.make_reader(data, options)
        examples = list(progress(islice(reader(classifier.nlp), limit or None)))
    with failing("Can't measure the pipeline"):
        measured = measure(classifier, examples, n_explained=explain_limit)
        shown = measured.examples
        if texts:
            shown = list(explain(classifier.nlp, texts, component=classifier.name))
        measured = dataclasses.replace(measured, examples=shown, are_measured=not texts)
    picture = PICTURE if shown and _can_draw() else None
    with failing("Can't write the card"):
        about = _about(classifier.nlp, source, name, package_version, license_name)
        card = model_card(
            classifier, measured, about, _data_set(data, data_name, split), picture=picture
        )
        with _folder(source, target) as folder:
            if picture:
                save(shown, folder / picture, "contributions")
            write_text(folder / CARD, card)
    msg.good(f"Saved the model card: {target / CARD}")


def _places(
    nlp: Language, model: str, output: Path | None, *, overwrite: bool
) -> tuple[Path, Path]:
    """Return the pipeline's folder, and the one for the card.

    Raises:
        ValueError: If something would be lost.
    """
    source = Path(nlp.path).resolve()
    target = source if output is None else output.resolve()
    if output is None and not Path(model).is_dir():
        raise ValueError(
            f"'{model}' is an installed package, which is not to be changed: give --output, a "
            f"folder for a copy of it with the card."
        )
    if target == source:
        card = source / CARD
        files = [path for path in (card, source / PICTURE) if path.exists()]
        ours = card.is_file() and is_untouched(card.read_text(encoding="utf8", errors="replace"))
        if files and not ours and not overwrite:
            raise ValueError(
                f"'{files[0]}' exists. It was not made by this command, or has been edited since: "
                f"give --overwrite to replace it, or --output."
            )
    elif source in target.parents or target in source.parents:
        raise ValueError(f"'{target}' is within the pipeline, or around it: give another --output.")
    elif target.exists() and any(target.iterdir()):
        if not all((target / each).is_file() for each in _OF_PIPELINES):
            raise ValueError(f"'{target}' holds something else than a pipeline: give another.")
        if not overwrite:
            raise ValueError(f"'{target}' exists: give another --output, or --overwrite.")
    return source, target


@contextmanager
def _folder(source: Path, target: Path) -> Iterator[Path]:
    """Yield the folder to write to; where it is to be a copy, it is complete or not there."""
    if source == target:
        yield target
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = target.with_name(f".{uuid4().hex}{TEMPORARY}")
    try:
        shutil.copytree(source, copy)
        yield copy
        if target.exists():
            shutil.rmtree(target)
        copy.rename(target)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _can_draw() -> bool:
    try:
        require_matplotlib(Path(PICTURE).suffix)
    except ImportError as error:
        warn(f"There is no picture in the card. {error}")
        return False
    return True


def _about(
    nlp: Language,
    source: Path,
    name: str | None,
    package_version: str | None,
    license_name: str | None,
) -> About:
    """Return what the pipeline's meta.json and the options say."""
    from ..distill.comparison import size_of  # Not imported for other commands.

    meta = {key: " ".join(str(value).split()) for key, value in nlp.meta.items()}
    name = name or meta["name"]
    prefix = f"{nlp.lang}_"
    return About(
        name=name if name.startswith(prefix) else prefix + name,
        version=package_version or meta["version"],
        license=(license_name or meta["license"]).lower().replace(" ", "-"),
        description=meta["description"],
        author=meta["author"],
        url=meta["url"],
        size=size_of(source),
    )


def _data_set(data: str, name: str | None, split: str | None) -> DataSet:
    """Describe the data. The only split of a file has no name."""
    if is_spacy_data(data) or Path(data).exists() or matching_files(data):
        return DataSet(name or Path(data).name, split=split)
    return DataSet(name or data, hub=data, split=split or "train")
