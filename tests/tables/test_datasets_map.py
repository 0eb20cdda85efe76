"""`Dataset.map` and `IterableDataset.map` of `datasets`, with processes and its cache."""

import pytest
from datasets import Dataset, Features
from datasets.fingerprint import Hasher

from spacy_attn import Annotator

from ..conftest import MIXED_TEXTS, make_nlp
from .scripts import run_script

# It starts many processes.
pytestmark = pytest.mark.slow

ALL = {"attention": True, "contributions": True, "tokens": True}

# Torch has used several threads before, in our component and in one that is not ours: what then
# hangs in a forked child that does the same.
FORK = """
import sys

import spacy
import torch
from datasets import Dataset
from datasets.fingerprint import Hasher
from spacy.language import Language

from spacy_attn import Annotator


@Language.component("uses_torch")
def uses_torch(doc):
    doc.cats["sum"] = float(torch.mm(torch.ones(500, 500), torch.ones(500, 500)).sum())
    return doc


torch.set_num_threads(4)
rows = {"text": ["word " * 500, "great fun", "", "dull"] * 2, "id": list(range(8))}
dataset = Dataset.from_dict(rows)
nlp = spacy.blank("xx")
nlp.add_pipe("uses_torch")
for model in (nlp, sys.argv[1]):
    annotator = Annotator(model)
    before = Hasher.hash(annotator)
    expected = annotator(rows)
    # As if another thread annotated something at the time of the fork
    with annotator._load().lock:
        annotated = dataset.map(annotator, batched=True, batch_size=2, num_proc=2)
    assert annotated["id"] == rows["id"]
    name = "label" if model is not nlp else "labels"
    assert annotated[name] == expected[name]
    assert torch.get_num_threads() == 4
    assert Hasher.hash(annotator) == before
    print(*annotated[name][:2])
"""

CACHE = """
import sys
from pathlib import Path

import spacy
from datasets import Dataset
from datasets.fingerprint import Hasher

from spacy_attn import Annotator

dataset = Dataset.from_json(sys.argv[2], cache_dir=sys.argv[3])
annotator = Annotator(sys.argv[1])
annotator({"text": ["used", "before"]})
print(Hasher.hash(annotator))
nlp = spacy.load(sys.argv[1])
print(Hasher.hash(Annotator(nlp)))
print(*dataset.map(annotator, batched=True)["label"])
print(*dataset.map(Annotator(nlp, scores=False), batched=True)["label"])
"""

DIES = """
import os
import signal
import sys

import spacy
from datasets import Dataset
from spacy.language import Language

from spacy_attn import Annotator


@Language.component("dies")
def dies(doc):
    if doc.text == "the last text":
        os.kill(os.getpid(), signal.SIGKILL)
    return doc


nlp = spacy.load(sys.argv[1])
nlp.add_pipe("dies")
dataset = Dataset.from_dict({"text": ["fun"] * 7 + ["the last text"]})
try:
    dataset.map(Annotator(nlp), batched=True, batch_size=2, num_proc=2)
except RuntimeError as error:
    print(error)
"""


@pytest.fixture
def dataset():
    texts = [*MIXED_TEXTS, "x"] * 3
    return Dataset.from_dict({"text": texts, "id": list(range(len(texts)))})


@pytest.mark.parametrize("form", [None, "arrow", "numpy", "torch"])
def test_a_dataset_gets_the_same_columns_and_types_in_every_format(model, dataset, form):
    annotator = Annotator(model, **ALL, batch_size=5)
    schema = annotator.schema(dataset.features.arrow_schema)
    annotated = dataset.with_format(form).map(annotator, batched=True, batch_size=5)
    assert annotated.features == Features.from_arrow_schema(schema)
    expected = annotator(dataset.data.table).to_pylist()
    assert annotated.with_format(None).to_list() == expected


def test_rows_may_be_null_from_the_first_batch_on_in_the_format_of_arrow(model):
    dataset = Dataset.from_dict({"text": [None, None, "fun"]}).with_format("arrow")
    annotator = Annotator(model, **ALL, on_error="null")
    annotated = dataset.map(annotator, batched=True, batch_size=2).with_format(None)
    assert annotated["label"] == [None, None, "positive"]


@pytest.mark.parametrize("form", [None, "arrow"])
def test_a_stream_is_annotated_as_it_is_read(model, dataset, form):
    annotator = Annotator(model, **ALL)
    stream = dataset.to_iterable_dataset().with_format(form).map(annotator, batched=True)
    expected = annotator(dataset.data.table).to_pylist()
    for row, other in zip(stream, expected, strict=True):
        found = row.to_pylist()[0] if form else row
        assert found == other


def test_columns_that_are_not_read_are_not_decoded(model):
    dataset = Dataset.from_dict({"text": ["fun"], "other": [1]})
    seen = []
    dataset.map(lambda batch: seen.append(Annotator(model)(batch)) or {}, batched=True)
    assert "other" in seen[0].keys_to_format


def test_the_hash_is_another_for_other_settings_and_other_models(model, tmp_path, trained_nlp):
    annotators = [
        Annotator(model),
        Annotator(model, scores=False),
        Annotator(model, tokens=True),
        Annotator(model, text_column="review"),
        Annotator(model, on_error="null"),
        Annotator(trained_nlp),
    ]
    assert len({Hasher.hash(annotator) for annotator in annotators}) == len(annotators)
    assert Hasher.hash(Annotator(model)) == Hasher.hash(annotators[0])


def test_two_forked_processes_do_not_hang_after_torch_has_used_threads(model, tmp_path):
    assert run_script(FORK, tmp_path, model) == ["['sum'] ['sum']", "positive positive"]


def test_a_later_run_finds_its_results_unless_the_model_has_changed(tmp_path, trained_nlp):
    rows, cache, folder = (tmp_path / name for name in ("rows.jsonl", "cache", "pipeline"))
    rows.write_text('{"text": "great fun"}\n{"text": "dull"}\n')
    trained_nlp.to_disk(folder)
    first = run_script(CACHE, tmp_path, folder, rows, cache)
    assert first[2:] == ["positive negative"] * 2
    written = set(cache.rglob("cache-*.arrow"))
    assert len(written) == 2
    assert run_script(CACHE, tmp_path, folder, rows, cache) == first
    assert set(cache.rglob("cache-*.arrow")) == written
    # The same folder, and another model in it
    make_nlp(seed=1).to_disk(folder)
    changed = Annotator(folder)
    assert Hasher.hash(changed) != first[0]
    Dataset.from_json(str(rows), cache_dir=str(cache)).map(changed, batched=True)
    assert len(set(cache.rglob("cache-*.arrow"))) == 3


def test_a_worker_that_dies_is_an_error(model, tmp_path):
    (message,) = run_script(DIES, tmp_path, model)
    assert "subprocesses has abruptly died" in message
