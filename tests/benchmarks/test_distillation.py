"""The benchmark of distillation: its teacher, its texts, what goes on where it was, its table."""

import json

import numpy
import pandas as pd
import pytest
import torch

from benchmarks import training
from benchmarks.distillation import OUTPUT, PUBLISHED, caption, table, write
from benchmarks.distilling import DISTILLED, PLAIN, STUDENTS, TEACHER, once, plan, with_texts
from benchmarks.models import UsageError
from benchmarks.sentences import cut, write_tokens
from benchmarks.splits import prepare
from benchmarks.teacher import batches, fine_tune
from benchmarks.training import Settings

transformers = pytest.importorskip("transformers")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
TEXTS = ["good film", "bad film", "good good film", "bad", "good", "bad bad film"] * 10


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny encoder that nobody has trained."""
    path = tmp_path_factory.mktemp("encoder") / "model"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizer(str(path / "vocab.txt")).save_pretrained(path)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(path)
    return str(path)


@pytest.fixture
def data(tmp_path):
    """A data set with a training and a validation split."""
    folder = tmp_path / "made_up"
    folder.mkdir()
    for split, n in (("train", 40), ("validation", 8)):
        texts = [f"{text} {split} {i}" for i, text in enumerate(TEXTS[:n])]
        labels = ["positive" if "good" in text else "negative" for text in texts]
        pd.DataFrame({"text": texts, "label": labels}).to_parquet(folder / f"{split}.parquet")
    return prepare(str(folder), tmp_path / "out")


# --- The teacher ----------------------------------------------------------------------------------


def test_an_epoch_has_every_text_once_beside_others_of_its_length():
    lengths = list(numpy.random.default_rng(0).integers(1, 50, 500))
    made = list(batches(lengths, 8, numpy.random.default_rng(1)))
    assert sorted(row for batch in made for row in batch) == list(range(500))
    spans = [max(lengths[row] for row in own) - min(lengths[row] for row in own) for own in made]
    assert numpy.mean(spans) < 10


def test_a_teacher_learns_and_is_read_with_its_labels(encoder, tmp_path):
    labels = ["positive" if "good" in text else "negative" for text in TEXTS]
    fine_tune(
        encoder,
        TEXTS,
        labels,
        ["negative", "positive"],
        tmp_path / "teacher",
        epochs=6,
        learn_rate=0.01,
        head_learn_rate=0.01,
    )
    from spacy_attn.distill.hf_classifier import hf_pipeline

    docs = hf_pipeline(str(tmp_path / "teacher")).pipe(TEXTS)
    assert [max(doc.cats, key=doc.cats.get) for doc in docs] == labels


# --- The texts ------------------------------------------------------------------------------------


def test_rows_that_lose_their_labels_are_texts_and_none_is_used_twice(data, tmp_path):
    pd.DataFrame({"text": ["another text"]}).to_parquet(tmp_path / "more.parquet")
    taught = with_texts(data, [tmp_path / "more.parquet"], labelled=20)
    found = {
        name: pd.read_parquet(taught.folder / f"{name}.parquet")["text"].tolist()
        for name in ("train", "validation", "test", "further")
    }
    assert [len(own) for own in found.values()] == [17, 3, 8, 21]
    assert taught.n_further == 21
    assert len({text for own in found.values() for text in own}) == 49
    assert taught.name == "made_up-20"
    assert with_texts(data, [], labelled=20).fingerprint != taught.fingerprint


def test_more_labels_than_there_are_and_a_file_without_texts_are_refused(data, tmp_path):
    with pytest.raises(UsageError, match="made_up has 40 rows to train on"):
        with_texts(data, [], labelled=41)
    pd.DataFrame({"body": ["a"]}).to_parquet(tmp_path / "more.parquet")
    with pytest.raises(UsageError, match="there is no column 'text'"):
        with_texts(data, [tmp_path / "more.parquet"])


# --- A run ----------------------------------------------------------------------------------------


def test_what_was_finished_before_is_not_made_anew(tmp_path):
    calls = []

    def make(folder):
        (folder / "made").touch()
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return {"score": 1}

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path / "a", make)
    for _ in range(2):
        assert once(tmp_path / "a", make)["score"] == 1
    assert len(calls) == 2


@pytest.mark.slow
def test_a_teacher_and_students_are_trained_and_measured(data, encoder, tmp_path):
    overrides = {"training.max_steps": 4, "training.eval_frequency": 2}
    settings = Settings(tmp_path / "out", (0,), overrides)
    # No texts beside the training split, but variants of those.
    taught = with_texts(data, [])
    (task,) = plan(taught, settings, encoder=encoder, augment=1, explained=2)
    task.place.mkdir(parents=True)
    task.write(training.measure(task))
    text = write(tmp_path / "out", [(taught, [task])])
    assert "36 labelled rows" in text
    assert all(title in text for title, _, _ in STUDENTS.values())
    result = json.loads(task.place.with_suffix(".json").read_text())
    assert result["texts"]["further"] == 0
    assert result["texts"]["variants"] > 0
    assert result["model"] == "distillation, augment 1"
    assert not list(task.place.iterdir())


def measures(accuracy, **others):
    scores = {"accuracy": accuracy, "macro_f": 0.5, "calibration_error": 0.02, "agreement": 0.9}
    return {"test": scores, "bytes": 1e7, "cpu_seconds": 60.0, **others}


def test_the_table_says_which_share_of_the_gap_is_closed_and_how_much_faster_students_are():
    students = {
        name: measures(0.8, words_per_second=100_000.0, comprehensiveness=0.9) for name in STUDENTS
    }
    students[DISTILLED]["test"]["accuracy"] = 0.86
    shown = table([{TEACHER: measures(0.9, words_per_second=2_000.0), **students}])
    lines = {line.split("|")[1].strip(): line.split("|")[2:] for line in shown.splitlines()}
    student = [cell.strip() for cell in lines[STUDENTS[DISTILLED][0]]]
    assert student[:2] == ["86.0", "50.0"]
    assert "60" in student
    assert "50" in student
    assert "90" in student
    assert lines[STUDENTS[PLAIN][0]][4].strip() == "-"


def test_published_results_have_all_that_the_table_shows():
    assert OUTPUT != PUBLISHED
    for file in PUBLISHED.rglob("*-seed*.json"):
        assert "student" in table([json.loads(file.read_text())])


def test_a_result_that_was_published_with_an_earlier_config_is_marked(data):
    texts = {"further": 0, "variants": 0}
    results = [{"texts": texts, "seed": seed, "same config": seed < 1} for seed in range(3)]
    assert "Published with an earlier config: seed 1, 2." in caption(with_texts(data, []), results)
    assert "earlier" not in caption(with_texts(data, []), results[:1])


def test_sentences_are_cut_and_written_as_sst2_has_them():
    texts = ["I won't see it again, ever! Too short.\n\nA well-made film is what this one is not."]
    found = cut(texts)
    assert found == ["I won't see it again, ever!", "A well-made film is what this one is not."]
    assert write_tokens(found) == [
        "i wo n't see it again , ever !",
        "a well made film is what this one is not .",
    ]
