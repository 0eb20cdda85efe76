"""What a component stores, such as its `cfg` and its `model`, and what is checked at loading."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import srsly
from spacy import util
from spacy.pipeline.trainable_pipe import TrainablePipe

from ..models.settings import SettingError, check_layers
from ..models.weights import check_loaded, is_initialized
from .finite import check_weights

_CFG, _MODEL, _CHECKSUMS = "cfg", "model", "checksums"


class StorageMixin(TrainablePipe):
    """Stores a component with checksums, and loads only what is whole and fits together.

    As spaCy does, it writes a `cfg` in JSON and a `model` of Thinc's. The checksums in the `cfg`,
    CRC-32, protect against damage and mixed-up files, not against intent. Files of earlier
    versions have none, and load without. A subclass says what must hold of its `cfg` and `model`.
    """

    _n_updates: int
    # What users may change by hand in the `cfg`: the weights do not depend on it.
    _editable: tuple[str, ...] = ()
    # What the `cfg` of earlier versions may lack.
    _cfg_of_before: Mapping[str, Any] = {}
    # What is stored beside `cfg` and `model`.
    _further_parts: tuple[str, ...] = ()

    def _store_part(self, name: str) -> bytes:
        """Return a further part in bytes."""
        raise NotImplementedError

    def _read_part(self, name: str, data: bytes) -> Any:
        """Make a further part. Raise an error of any kind if the bytes are not those of one."""
        raise NotImplementedError

    def _take_part(self, name: str, part: Any) -> None:
        """Take over a further part, after all has been checked."""
        raise NotImplementedError

    def _check_cfg(self, cfg: Mapping[str, Any]) -> None:
        """Raise a ValueError for a value with which the component could not predict."""
        raise NotImplementedError

    def _check_outputs(self, cfg: Mapping[str, Any], n_outputs: int | None) -> None:
        """Raise a ValueError if a stored model has other outputs than its `cfg` says."""
        raise NotImplementedError

    def _check_widths(self) -> None:
        """Raise a ValueError if parts of a loaded model do not fit one another."""
        raise NotImplementedError

    def _open_sizes(self) -> None:
        """Forget sizes of the model that one to be loaded need not have."""

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Store the component.

        Args:
            exclude: What to leave out, of "cfg", "vocab", "model", and what else it stores.

        Raises:
            ValueError: If a weight is not finite, or a value in `cfg` could not be loaded. Nothing
                has been written then.
        """
        exclude = list(exclude)
        parts = self._store(exclude)
        return util.to_bytes(
            {
                _CFG: lambda: parts[_CFG],
                "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
                **{name: partial(parts.__getitem__, name) for name in parts if name != _CFG},
            },
            exclude,
        )

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Store the component in a folder, as `to_bytes` does in bytes."""
        exclude, folder = list(exclude), Path(path)
        parts = self._store(exclude)
        super().to_disk(folder, exclude=[*exclude, *self._part_names])
        for name, data in parts.items():
            (folder / name).write_bytes(data)

    def _store(self, exclude: list[str]) -> dict[str, bytes]:
        parts = {}
        try:
            self._check_cfg(self.cfg)
        except ValueError as error:
            raise ValueError(f"Component '{self.name}' cannot be saved: {error}.") from None
        if _MODEL not in exclude:
            check_weights(self.name, self._n_updates, self.model)
            parts[_MODEL] = self.model.to_bytes()
        for name in self._further_parts:
            if name not in exclude:
                parts[name] = self._store_part(name)
        if _CFG not in exclude:
            checksums: dict[str, int | None] = {k: crc32(v) for k, v in parts.items()}
            checksums.setdefault(_MODEL, None)
            checksums[_CFG] = self._checksum(self.cfg, checksums)
            # spaCy's own writer would round the temperature.
            parts[_CFG] = json.dumps({**self.cfg, _CHECKSUMS: checksums}, indent=2).encode("ascii")
        return parts

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "StorageMixin":
        """Load the component.

        Args:
            exclude: What to leave as it is, of "cfg", "vocab", "model", and what else it stores.

        Raises:
            ValueError: If the bytes are damaged, or do not fit the config.
        """
        exclude = list(exclude)
        with self._loading("the stored bytes"):
            stored = srsly.msgpack_loads(bytes_data)
            parts = {name: stored[name] for name in self._part_names if name in stored}
        self._load({k: v for k, v in parts.items() if k not in exclude}, "the bytes' ")
        super().from_bytes(bytes_data, exclude=[*exclude, *self._part_names])
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "StorageMixin":
        """Load the component from a folder, as `from_bytes` does from bytes.

        Raises:
            ValueError: If a file is missing or damaged, or does not fit the other one or the
                config.
        """
        exclude, folder = list(exclude), Path(path)
        parts = {}
        for name in self._part_names:
            if name not in exclude:
                with self._loading(str(folder / name)):
                    parts[name] = (folder / name).read_bytes()
        self._load(parts, f"{folder}/")
        super().from_disk(folder, exclude=[*exclude, *self._part_names])
        return self

    def _load(self, parts: Mapping[str, Any], place: str) -> None:
        """Check a stored `cfg`, `model` and further parts, as far as they are given.

        Take them over if nothing is wrong with any.
        """
        cfg: dict[str, Any] = {**self.cfg, **self._cfg_of_before}
        further: dict[str, Any] = {}
        checksums: dict[str, int] = {}
        if _CFG in parts:
            with self._loading(place + _CFG):
                stored, checksums = self._read_cfg(parts[_CFG])
                cfg.update(stored)
                self._check_cfg(cfg)
        for name in self._further_parts:
            if name in parts:
                with self._loading(place + name):
                    _check_part(parts[name], checksums.get(name), name)
                    further[name] = self._read_part(name, parts[name])
        if _MODEL in parts:
            with self._loading(place + _MODEL):
                data = parts[_MODEL]
                _check_part(data, checksums.get(_MODEL), "model")
                nodes = srsly.msgpack_loads(data)["nodes"]
                check_layers(self.model, nodes)
                if _CFG in parts:
                    self._check_outputs(cfg, nodes[0]["dims"].get("nO"))
                self._replace_model(data)
        for name, part in further.items():
            self._take_part(name, part)
        if _CFG in parts:
            self.cfg.update(cfg)

    @property
    def _part_names(self) -> tuple[str, ...]:
        return _CFG, _MODEL, *self._further_parts

    def _replace_model(self, data: bytes) -> None:
        """Load the model, or leave the weights that are there, or that none are."""
        before = self.model.to_bytes()
        self._open_sizes()
        try:
            self.model.from_bytes(data)
            check_loaded(self.model)
            if is_initialized(self.model):
                self._check_widths()
        except Exception:
            self._open_sizes()
            self.model.from_bytes(before)
            raise

    @contextmanager
    def _loading(self, what: str) -> Iterator[None]:
        """Say what cannot be loaded, and what to do."""
        try:
            yield
        except SettingError as error:
            raise ValueError(f"Component '{self.name}', {what}: {error}") from None
        # Of any kind: Thinc, msgpack and safetensors fail in many ways where bytes are not theirs.
        except Exception as error:
            kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__} "
            reason = kind + str(error).rstrip(".")
            raise ValueError(
                f"Component '{self.name}': {what} cannot be loaded: {reason}. Restore all files of "
                f"its folder and the config from one copy of the pipeline."
            ) from error

    def _read_cfg(self, data: bytes | str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a `cfg`, and the checksums that are in it, after checking its own."""
        try:
            cfg = json.loads(data)
        except ValueError as error:
            raise ValueError(f"it is not JSON: {error}") from error
        if not isinstance(cfg, dict):
            raise ValueError(f"it holds {cfg!r:.50}, not a table")
        checksums = cfg.pop(_CHECKSUMS, {})
        if checksums and self._checksum(cfg, checksums) != checksums.get(_CFG):
            beyond = f", or was edited beyond {' and '.join(self._editable)}"
            raise ValueError(
                f"it is damaged{beyond if self._editable else ' or edited'} (change the rest in "
                f"Python, and save the pipeline)"
            )
        return cfg, checksums

    def _checksum(self, cfg: Mapping[str, Any], of_parts: Mapping[str, int | None]) -> int:
        bound = {key: value for key, value in cfg.items() if key not in self._editable}
        others = [of_parts.get(name) for name in (_MODEL, *self._further_parts)]
        return crc32(json.dumps([bound, *others], sort_keys=True).encode("ascii"))


def _check_part(data: bytes, checksum: int | None, name: str) -> None:
    if checksum is not None and crc32(data) != checksum:
        raise ValueError(
            f"it is damaged, or not the {name} that the '{_CFG}' beside it was saved with (its "
            f"checksum is {crc32(data)}, but {checksum} was saved)"
        )
