"""`spacy attn demo`."""

import sys

import pytest
import spacy
import srsly
from spacy.training import Example

from spacy_attn.cli.demo import choose_examples
from spacy_attn.pipeline.decisions import Decisions

from ..conftest import LABELS, TEXTS
from .test_explain_and_render import run

pytestmark = pytest.mark.usefixtures("load_once")


def test_examples_are_of_all_labels_in_turn_and_no_more_is_read_than_needed():
    nlp = spacy.blank("xx")
    read = []

    def examples(golds):
        for i, gold in enumerate(golds):
            read.append(i)
            cats = {gold: 1.0} if gold else {}
            yield Example.from_dict(
                nlp.make_doc(f"{gold}{i}" if gold != " " else " "), {"cats": cats}
            )

    decisions = Decisions(("a", "b"), exclusive=True)
    chosen = choose_examples(examples("aaaabbbb"), decisions, 4)
    assert chosen == [("a0", "a"), ("b4", "b"), ("a1", "a"), ("b5", "b")]
    assert read == [*range(6)]
    assert choose_examples(examples("aaa b"), decisions, 4) == [
        *(("a0", "a"), ("b4", "b"), ("a1", "a"), ("a2", "a"))
    ]
    assert choose_examples(examples("ac"), decisions, 9) == [("a0", "a"), ("c1", "c")]


def test_without_gradio_the_command_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    result = run("demo", model, code=1)
    message = " ".join(result.stderr.split())
    assert "The page to type into needs Gradio" in message
    assert "pip install gradio" in message


def test_a_space_has_examples_of_the_data(model, tmp_path):
    pytest.importorskip("gradio")
    rows = [{"text": text, "label": label} for text, label in TEXTS.items()]
    srsly.write_jsonl(tmp_path / "a.jsonl", rows)
    folder = tmp_path / "space"
    run("demo", model, "--data", tmp_path / "a.jsonl", "--examples", "2", "--space", folder)
    settings = srsly.read_json(folder / "demo.json")
    assert [gold for _, gold in settings["examples"]] == list(LABELS)
    assert all(TEXTS[text] == gold for text, gold in settings["examples"])
    assert settings["title"] == "saved/model" or settings["title"].endswith("/model")
    assert "already" in run("demo", model, "--space", folder, code=1).stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "test"], "no data: add --data"),
        (["--force"], "add --space"),
        (["--requirement", "x"], "add --space"),
        (["--data", "none.parquet"], "none.parquet"),
        (["--component", "none"], "none"),
    ],
)
def test_errors_say_what_is_wrong(model, options, message):
    pytest.importorskip("gradio")
    assert message in " ".join(run("demo", model, *options, code=1).stderr.split())
