"""The teachers that a command names: pipelines, models of transformers and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy import util

from ..data.errors import listing
from ..tables.annotator import Annotator
from . import labelled_table, transformers_models
from .comparison import size_of
from .hf_classifier import hf_pipeline, labels_of
from .labelled_table import LabelledTable
from .transformers_models import Precision


@dataclass(frozen=True)
class Teacher:
    """What to learn from: a pipeline, or a table that it has labelled.

    Attributes:
        name: As the user has written it.
        annotator: Applies it, or looks up what it has said.
        size: The bytes of its files; None where that is not known.
        names: Its own names of labels and columns, which can be given others.
    """

    name: str
    annotator: Annotator | LabelledTable
    size: int | None = None
    names: Sequence[str] = ()


@dataclass(frozen=True)
class TeacherSettings:
    """How teachers are found.

    Attributes:
        lang: The language whose tokenizer counts words for a model of transformers.
        exclusive: Whether labels of a table exclude one another.
        text_column: The column of the texts of a table.
        renamed: Other names of labels and columns, by those that teachers have.
        precision: The floating-point type of a model of transformers.
        component: Name of the component of a pipeline, where several classify texts.
    """

    lang: str
    exclusive: bool
    text_column: str = "text"
    renamed: Mapping[str, str] | None = None
    precision: Precision = "float32"
    component: str | None = None


def find_teachers(names: Sequence[str], settings: TeacherSettings) -> list[Teacher]:
    """Return the teachers of these names.

    Args:
        names: A trained pipeline, its name or folder; "hf:" and a model of transformers; or
            "table:" and a table of texts and probabilities.
        settings: How they are found.

    Raises:
        ImportError: If transformers is needed and missing.
        OSError: If there is no such pipeline.
        ValueError: If one cannot be used, or if a setting has no meaning for any of them.
    """
    teachers = [_find(name, settings) for name in names]
    known = sorted({name for each in teachers for name in each.names})
    for old, new in (settings.renamed or {}).items():
        if old not in known:
            raise ValueError(
                f"'--rename {old}={new}' renames nothing: it is for labels of a model of "
                f"transformers and columns of a table. Of these, the teachers have "
                f"{listing(known) or 'none'}."
            )
    if settings.component is not None and not any(map(_is_pipeline, names)):
        raise ValueError(
            f"'--component {settings.component}' has no meaning without a pipeline as teacher: "
            f"leave it out"
        )
    return teachers


def _is_pipeline(name: str) -> bool:
    return not name.startswith((labelled_table.PREFIX, transformers_models.PREFIX))


def _find(name: str, settings: TeacherSettings) -> Teacher:
    renamed = settings.renamed or {}
    if name.startswith(labelled_table.PREFIX):
        table = LabelledTable(
            name.removeprefix(labelled_table.PREFIX),
            exclusive=settings.exclusive,
            text_column=settings.text_column,
            renamed=renamed,
        )
        return Teacher(name, table, names=table.names)
    if name.startswith(transformers_models.PREFIX):
        model = name.removeprefix(transformers_models.PREFIX)
        labels = labels_of(model) if renamed else []
        own = {old: new for old, new in renamed.items() if old in labels}
        nlp = hf_pipeline(model, own, settings.lang, settings.precision)
        size = size_of(Path(model)) if Path(model).is_dir() else None
        return Teacher(name, Annotator(nlp), size, labels)
    folder = Path(name)
    if not folder.is_dir() and util.is_package(name):
        folder = util.get_package_path(name)
    annotator = Annotator(name, component=settings.component)
    return Teacher(name, annotator, size_of(folder) if folder.is_dir() else None)
