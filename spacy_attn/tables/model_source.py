"""Where a pipeline comes from: small, fixed, and different for each model.

Whoever sends an annotator to another process sends this, and the pipeline is loaded there. So the
hashes that `datasets` makes of an annotator are the same in every run. They are others as soon as
the model is another.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import spacy
from spacy.language import Language
from spacy.util import get_lang_class, get_package_path, is_package

if TYPE_CHECKING:
    from collections.abc import Iterable

# Files are read in blocks of so many bytes.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class ModelSource:
    """A pipeline that can be loaded in any process.

    Attributes:
        digest: A hash of all that the pipeline consists of. Files in a folder that is the `model`
            of a component, which stays outside the pipeline, are part of it.
        package: Its name, if it is an installed package.
        folder: Its folder otherwise, as an absolute path.
        stored: What it was stored as, if it was an object in memory.
    """

    digest: str
    package: str | None = field(default=None, compare=False)
    folder: str | None = field(default=None, compare=False)
    stored: bytes | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        """Name the pipeline, for errors."""
        return f"'{self.package or self.folder}'" if self.stored is None else "given as an object"

    def load(self) -> Language:
        """Load the pipeline.

        Raises:
            OSError: If it is not on this machine.
            ValueError: If it is not the one any more that it was when its digest was made.
        """
        name = self.package or Path(self.folder or "")
        found = _digest_root(_root(name)) if self.stored is None else _digest_stored(self.stored)
        if found != self.digest:
            raise ValueError(
                f"The pipeline {self} is not the same as when the annotator was made: files in "
                f"its folder, or in one that a component names as its 'model', have changed or "
                f"differ between machines. Make the annotator anew."
            )
        return spacy.load(name) if self.stored is None else _unpack(self.stored)


def find_source(model: str | Path | Language) -> ModelSource:
    """Say where a pipeline comes from.

    Args:
        model: The name of an installed package, a folder, or a pipeline in memory, which is taken
            as it is now.

    Raises:
        OSError: If there is no such package or folder.
        TypeError: If it is none of these.
    """
    if isinstance(model, Language):
        stored = _pack(model)
        return ModelSource(_digest_stored(stored), stored=stored)
    if not isinstance(model, str | Path):
        raise TypeError(
            f"'model' must be the name of an installed pipeline, its folder, or a pipeline that "
            f"spacy.load has returned, but is of type {type(model).__name__}."
        )
    root = _root(model)
    digest = _digest_root(root)
    if isinstance(model, str) and is_package(model):
        return ModelSource(digest, package=model)
    return ModelSource(digest, folder=str(root))


def _root(model: str | Path) -> Path:
    """Return the folder of a package, or a folder itself; `spacy.load` looks in this order."""
    if isinstance(model, str) and is_package(model):
        return get_package_path(model)
    folder = Path(model).resolve()
    if not (folder / "config.cfg").is_file():
        raise OSError(
            f"There is no pipeline '{model}' on this machine: it is neither an installed package "
            f"nor a folder with a 'config.cfg'. On a cluster, every machine needs it under the "
            f"same name; a pipeline that spacy.load has returned travels along."
        )
    return folder


def _digest_root(root: Path) -> str:
    """Hash the folder of a pipeline, and those of models that its components name."""
    # A package has the pipeline in a folder of its own.
    configs = [*root.glob("config.cfg"), *root.glob("*/config.cfg")]
    text = configs[0].read_text(encoding="utf8") if configs else ""
    return _with_models(_digest_files(root), text)


def _digest_stored(stored: bytes) -> str:
    """Hash a pipeline in memory, and the folders of models that its components name."""
    config_text, *_ = pickle.loads(stored)
    return _with_models(hashlib.sha256(stored).hexdigest(), config_text)


def _with_models(digest: str, config_text: str) -> str:
    """Return a hash that folders of models outside a pipeline are part of, if there are any."""
    config = spacy.util.load_config_from_str(config_text)
    models = [block.get("model") for block in config.get("components", {}).values()]
    folders = [Path(name) for name in models if isinstance(name, str) and Path(name).is_dir()]
    if not folders:
        return digest
    return hashlib.sha256(" ".join([digest, *map(_digest_files, folders)]).encode()).hexdigest()


def _digest_files(root: Path) -> str:
    """Hash the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    for path in _files(root):
        name = path.relative_to(root).as_posix().encode()
        digest.update(b"%d %b %d " % (len(name), name, path.stat().st_size))
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _files(root: Path) -> Iterable[Path]:
    # What Python compiles beside the modules of a package appears when they are imported.
    found = (path for path in root.rglob("*") if "__pycache__" not in path.parts)
    return sorted((path for path in found if path.is_file()), key=lambda path: path.as_posix())


def _pack(nlp: Language) -> bytes:
    # The longest text that it takes is no part of its config.
    return pickle.dumps((nlp.config.to_str(), nlp.max_length, nlp.to_bytes()), protocol=4)


def _unpack(stored: bytes) -> Language:
    config_text, max_length, data = pickle.loads(stored)
    config = spacy.util.load_config_from_str(config_text, interpolate=False)
    nlp = get_lang_class(config["nlp"]["lang"]).from_config(config)
    nlp.max_length = max_length
    return nlp.from_bytes(data)
