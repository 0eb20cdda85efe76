"""Distillation as a whole: its steps, what it keeps, and what it refuses."""

import json
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest
import spacy
from thinc.api import Config
from typer.testing import CliRunner

from spacy_attn.cli import app
from spacy_attn.distill.comparison import Measures, closed_gap

from ..conftest import TEXTS, make_nlp, train
from ..docs.pages import ROOT

FEW_STEPS = ["--training.max_steps", "2", "--training.eval_frequency", "1"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    nlp = make_nlp(lang="en")
    train(nlp, 10)
    folder = tmp_path_factory.mktemp("teacher") / "model"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def data(tmp_path):
    """A folder with a config and the data that it names."""
    rows = [{"text": text, "label": label} for text, label in labelled()]
    for name in ("train", "validation", "test"):
        frame = pd.DataFrame(rows if name == "train" else rows[:3])
        if name != "train":
            frame["text"] += f" in {name}"
        frame.to_parquet(tmp_path / f"{name}.parquet")
    pd.DataFrame({"text": ["a further text", "another one"]}).to_parquet(tmp_path / "more.parquet")
    config = Config().from_disk(ROOT / "configs" / "default.cfg", interpolate=False)
    for name, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        config["paths"][name] = str(tmp_path / f"{split}.parquet")
    model = config["components"]["attn_textcat"]["model"]
    model["hidden_width"] = 4
    config.to_disk(tmp_path / "student.cfg")
    return tmp_path


def labelled():
    nlp = spacy.blank("en")
    for text, cats in TEXTS.items():
        yield nlp.make_doc(text).text, max(cats, key=cats.get) if isinstance(cats, dict) else cats


def distill(teacher, data, *options, code=0):
    output = data / "out"
    command = ["distill", str(teacher), str(data / "student.cfg"), "--output", str(output)]
    result = CliRunner().invoke(app, [*command, *FEW_STEPS, *options])
    assert result.exit_code == code, result.output
    return result.output, output


def test_a_student_is_trained_compared_and_saved(teacher, data):
    more = ["--texts", str(data / "more.parquet"), "--gold-weight", "0.5", "--baseline"]
    shown, output = distill(teacher, data, *more, "--augment", "2")
    assert f"{len(TEXTS)} texts of the corpus, 2 further ones and " in shown
    found = json.loads((output / "distillation.json").read_text())
    for corpus in ("dev", "test"):
        measures = found["measures"][corpus]
        assert list(measures) == ["teacher", "student", "without a teacher"]
        assert measures["teacher"]["agreement"] == 1.0
        assert all(each["words_per_second"] > 0 for each in measures.values())
        assert all(each["size"] > 0 for each in measures.values())
    student = spacy.load(output / "student" / "model-best")
    assert set(student("a text").cats) == set(spacy.load(teacher)("a text").cats)
    learned = pq.read_table(output / "train.parquet").to_pylist()
    assert found["texts"]["variants"] > 2
    assert len(learned) == len(TEXTS) + 2 + found["texts"]["variants"]


def test_texts_are_labelled_once_and_anew_if_they_or_the_teacher_change(teacher, data, tmp_path):
    _, output = distill(teacher, data)
    part = output / "teacher-0" / "part-00000.parquet"
    before = part.stat().st_mtime_ns
    distill(teacher, data)
    assert part.stat().st_mtime_ns == before
    distill(teacher, data, "--texts", str(data / "more.parquet"))
    assert pq.read_table(part).num_rows == len(TEXTS) + 2
    other = shutil.copytree(teacher, tmp_path / "other")
    nlp = spacy.load(other)
    nlp.get_pipe("attn_textcat").cfg["temperature"] = 2.0
    nlp.to_disk(other)
    at = part.stat().st_mtime_ns
    distill(other, data, "--texts", str(data / "more.parquet"))
    assert part.stat().st_mtime_ns > at


def test_a_teacher_with_other_labels_than_the_data_is_named(data, tmp_path):
    def examples(nlp):
        for text in ("one", "two"):
            doc = nlp.make_doc(text)
            yield spacy.training.Example.from_dict(doc, {"cats": {"x": text == "one", "y": 1.0}})

    nlp = make_nlp("attn_textcat_multilabel", examples=lambda nlp: list(examples(nlp)), lang="en")
    nlp.to_disk(tmp_path / "teacher")
    shown, _ = distill(tmp_path / "teacher", data, code=1)
    assert "which the teacher does not have" in " ".join(shown.split())


def test_a_teacher_that_fails_is_named_with_the_rows(teacher, data, monkeypatch):
    pd.DataFrame({"text": ["x" * 2_000_000]}).to_parquet(data / "more.parquet")
    shown, output = distill(teacher, data, "--texts", str(data / "more.parquet"), code=1)
    assert "could not label all texts" in " ".join(shown.split())
    assert not (output / "student").exists()


@pytest.mark.parametrize("pair", ["a", "=b", "a="])
def test_a_renaming_that_renames_nothing_is_refused(teacher, data, pair):
    shown, _ = distill(teacher, data, "--rename", pair, code=1)
    assert "renames nothing: write LABEL=NAME" in " ".join(shown.split())


def test_the_gap_is_closed_by_the_share_of_the_lead_that_is_made_up_for():
    teacher, student, plain = (Measures(x, 0, 0, 0, 0, 0) for x in (0.9, 0.875, 0.8))
    assert closed_gap(teacher, student, plain) == pytest.approx(0.75)
    assert closed_gap(plain, student, teacher) is None
