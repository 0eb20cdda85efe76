"""The training config of a student, which is the user's but for the training data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from spacy import util
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from thinc.api import Config

from .soft_labels import SCORE

# Rows out of which each is drawn where training streams them, which does not shuffle them itself.
_SHUFFLE_BUFFER = 10_000
# What refers to the path of the training data.
_PATH = re.compile(r"\$\{paths(?:[.:]train)?\}")


def student_config(
    config: Config,
    texts: Path,
    labels: Sequence[str],
    *,
    exclusive: bool,
    has_unknown: bool = False,
) -> Config:
    """Return a config that trains on texts with probabilities.

    Args:
        config: That of a training, with its variables.
        texts: The file that `write_soft_labels` has written.
        labels: Its labels.
        exclusive: Whether they exclude one another.
        has_unknown: Whether some probabilities are null, which is for independent labels.

    Raises:
        ValueError: If the training corpus is none of [corpora].
    """
    config = config.copy()
    name, path = corpus_name(config, "train_corpus"), str(texts.resolve())
    interpolated = config.interpolate()
    streaming = interpolated["training"]["max_epochs"] == -1
    buffer = util.dot_to_object(interpolated, name).get("shuffle_buffer") or _SHUFFLE_BUFFER
    block = {
        "@readers": "spacy-attn.HFDataset.v1",
        "path": path,
        "label_column": [SCORE + label for label in labels],
        "labels": list(labels),
        "exclusive": exclusive,
        "skip_missing": has_unknown,
        "lazy": not streaming,
        "streaming": streaming,
        "shuffle_buffer": buffer if streaming else 0,
    }
    util.set_dot_to_object(config, name, block)
    if "train" in config.get("paths", {}) and not _PATH.search(config.to_str()):
        # Where users look for what was trained on. Other corpora may be parts of the user's data.
        config["paths"]["train"], block["path"] = path, "${paths.train}"
    return config


def filled(config: Config) -> Config:
    """Return a training config with what it leaves out, as spaCy fills it in for `spacy train`."""
    return Config(Language.default_config).merge(config)


def write_config(config: Config, path: Path) -> None:
    """Write a config so that `spacy train` reads what it holds.

    A file doubles the sign $, but without its variables filled in, it is not read so.
    """
    path.write_text(config.to_str().replace("$$", "$"), encoding="utf8")


def check_student(config: Config) -> None:
    """Refuse a training config that would fail when all texts have been labelled.

    Raises:
        ConfigValidationError: If [training] is not as spaCy wants it.
        ValueError: If a component cannot learn probabilities.
    """
    interpolated = config.interpolate()
    util.registry.resolve(interpolated["training"], schema=ConfigSchemaTraining)
    for name in interpolated["nlp"]["pipeline"]:
        if interpolated["components"].get(name, {}).get("factory") == "textcat":
            raise ValueError(
                f"The component '{name}' of the student is spaCy's 'textcat', which cannot learn "
                f"from probabilities. Take 'attn_textcat' in its place, or leave it out."
            )


def check_written(labels: Sequence[str]) -> None:
    """Refuse labels that a config, which names them, would read as something else.

    Raises:
        ValueError: If one looks like a variable.
    """
    for label in labels:
        if "${" in label:
            raise ValueError(
                f"The label {label!r} has '${{' in it, which begins a variable in a config: give "
                f"it another name in the data, and that of the teacher by '--rename'."
            )


def has_exclusive_labels(config: Config) -> bool:
    """Return whether the student of a config has labels that exclude one another."""
    factories = [block.get("factory", "") for block in config["components"].values()]
    return not any(factory.endswith("_multilabel") for factory in factories)


def corpus_name(config: Config, setting: str) -> str:
    """Return where in a config a corpus of [training] is.

    Raises:
        ValueError: If it is none of [corpora].
    """
    name = config["training"][setting]
    try:
        util.dot_to_object(config, name)
    except KeyError:
        raise ValueError(f"[training] {setting} is '{name}', but there is no such block") from None
    return str(name)
