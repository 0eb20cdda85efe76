"""Small data sets made on the spot, a cache of their own, and a hub that nobody can reach."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import spacy
from spacy.language import Language

from spacy_attn.data import HFDataset, rows

Rows = list[dict[str, Any]]
Read = list[tuple[str, dict[str, float]]]


@pytest.fixture(scope="session")
def closed_port() -> int:
    """A port of this machine that refuses connections."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


@pytest.fixture(autouse=True)
def _nothing_was_said(monkeypatch):
    """Warnings come once in a process; each test is one."""
    monkeypatch.setattr(rows, "_WARNED", set())


@pytest.fixture(autouse=True)
def _no_network(tmp_path, monkeypatch, closed_port):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def write(tmp_path) -> Callable[..., str]:
    """Write rows as JSON lines and return the path."""

    def write_rows(rows: Rows, name: str = "rows.jsonl") -> str:
        path: Path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
        return str(path)

    return write_rows


@pytest.fixture
def read(nlp) -> Callable[..., Read]:
    """Go through a reader once, and return the texts and labels of its references."""

    def read_all(path: str, **settings: Any) -> Read:
        examples = HFDataset(path, **settings)(nlp)
        return [(example.text, example.reference.cats) for example in examples]

    return read_all
