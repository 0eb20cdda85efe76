"""The teachers that a command names: pipelines, models of transformers and tables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy import util

from ..data.errors import listing
from ..tables.annotator import Annotator
from . import labelled_table, transformers_models
from .comparison import size_of
from .hf_classifier import hf_pipeline, labels_of
from .labelled_table import LabelledTable
from .transformers_models import Precision, size_of_model

# That of a teacher, before what it has.
_NUMBER = re.compile(r"\d+:")


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
        exclusive: Whether labels of a table, or of a pipeline that does not say it, exclude one
            another.
        text_column: The columns of the texts of a table.
        renamed: Other names of labels and columns, by those that teachers have. "2:LABEL_0" is that
            of the second teacher alone.
        precision: The floating-point type of a model of transformers.
        component: Name of the component of a pipeline, where several classify texts.
    """

    lang: str
    exclusive: bool
    text_column: Sequence[str] = ("text",)
    renamed: Mapping[str, str] | None = None
    precision: Precision = "float32"
    component: str | None = None


def place_of(name: str) -> str:
    """Return the name of a teacher without its prefix."""
    for prefix in (labelled_table.PREFIX, transformers_models.PREFIX):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def is_place(name: str) -> bool:
    """Return whether the name of a teacher is that of a file or folder, behind its prefix."""
    return Path(place_of(name)).expanduser().exists()


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
    renamed = dict(settings.renamed or {})
    teachers = [
        _find(name, replace(settings, renamed=_of_teacher(renamed, number)))
        for number, name in enumerate(names, 1)
    ]
    for old in renamed:
        _check_renamed(old, renamed[old], teachers)
    of_transformers = any(name.startswith(transformers_models.PREFIX) for name in names)
    if settings.precision != TeacherSettings.precision and not of_transformers:
        raise ValueError(
            f"'--precision {settings.precision}' has no meaning without a model of transformers as "
            f"teacher: leave it out"
        )
    if settings.component is not None and not any(map(_is_pipeline, names)):
        raise ValueError(
            f"'--component {settings.component}' has no meaning without a pipeline as teacher: "
            f"leave it out"
        )
    return teachers


def _of_teacher(renamed: Mapping[str, str], number: int) -> dict[str, str]:
    """Return the other names that are for a teacher, counted from 1, if it has the old ones."""
    return {
        old.removeprefix(f"{number}:"): new
        for old, new in renamed.items()
        if old.startswith(f"{number}:") or not _NUMBER.match(old)
    }


def _check_renamed(old: str, new: str, teachers: Sequence[Teacher]) -> None:
    having = [
        each
        for number, each in enumerate(teachers, 1)
        if set(_of_teacher({old: new}, number)) & set(each.names)
    ]
    if not having:
        known = sorted({name for each in teachers for name in each.names})
        raise ValueError(
            f"'--rename {old}={new}' renames nothing: it is for labels of a model of "
            f"transformers and columns of a table. Of these, the teachers have "
            f"{listing(known) or 'none'}."
        )
    if len(having) > 1:
        number = teachers.index(having[1]) + 1
        raise ValueError(
            f"'--rename {old}={new}': the teachers '{having[0].name}' and '{having[1].name}' both "
            f"have '{old}', which may mean different things. Rename that of each, say "
            f"'--rename {number}:{old}={new}'."
        )


def _is_pipeline(name: str) -> bool:
    return not name.startswith((labelled_table.PREFIX, transformers_models.PREFIX))


def _find(name: str, settings: TeacherSettings) -> Teacher:
    renamed = settings.renamed or {}
    if name.startswith(labelled_table.PREFIX):
        table = LabelledTable(
            place_of(name),
            exclusive=settings.exclusive,
            text_column=settings.text_column,
            renamed=renamed,
        )
        return Teacher(name, table, names=table.names)
    if name.startswith(transformers_models.PREFIX):
        # What a shell does not do behind a prefix.
        model = os.path.expanduser(place_of(name))
        labels = labels_of(model)
        own = {old: new for old, new in renamed.items() if old in labels}
        nlp = hf_pipeline(model, own, settings.lang, settings.precision)
        size = size_of_model(Path(model)) if Path(model).is_dir() else None
        return Teacher(name, Annotator(nlp), size, labels)
    folder = Path(name)
    if not folder.is_dir() and util.is_package(name):
        folder = util.get_package_path(name)
    annotator = Annotator(name, component=settings.component, exclusive=settings.exclusive)
    return Teacher(name, annotator, size_of(folder) if folder.is_dir() else None)
