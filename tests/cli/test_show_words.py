"""`spacy attn words`."""

import json

import pytest
import spacy
import srsly

import spacy_attn

from ..conftest import TEXTS, make_examples, make_nlp
from .test_explain_and_render import run

pytestmark = pytest.mark.usefixtures("load_once")


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    srsly.write_jsonl(path, [{"text": text, "label": label} for text, label in TEXTS.items()])
    return path


def test_words_are_those_of_summarize_corpus(model, data, tmp_path):
    output = tmp_path / "new" / "words.json"
    options = ("--min-count", "1", "--top", "3", "--sort-by", "total")
    assert (
        "Saved the words of 6 documents" in run("words", model, data, "-o", output, *options).output
    )
    nlp = spacy.load(model)
    summary = spacy_attn.summarize_corpus(
        nlp, make_examples(nlp), min_count=1, top=3, sort_by="total"
    )
    assert json.loads(output.read_text(encoding="utf8")) == json.loads(
        json.dumps(summary.to_dict())
    )


def test_two_pipelines_are_compared_under_their_names(model, data, tmp_path):
    other, output = tmp_path / "other", tmp_path / "words.json"
    nlp = make_nlp(lang="en")
    nlp.to_disk(other)
    run("words", model, data, "--compare", other, "-o", output, "--limit", "4")
    found = json.loads(output.read_text(encoding="utf8"))
    assert found["n_docs"] == 4
    assert found["names"][1] == "/".join(other.parts[-2:])
    page = tmp_path / "words.html"
    run("words", model, data, "--compare", other, "-o", page)
    assert f"“{found['names'][1]}” alone" in page.read_text(encoding="utf8")


def test_options_without_effect_are_refused_and_unlabelled_data_have_words(model, data, tmp_path):
    texts = tmp_path / "texts.jsonl"
    srsly.write_jsonl(texts, [{"text": text} for text in TEXTS])
    output = tmp_path / "words.json"
    run("words", model, texts, "-o", output, "--unlabelled", "--min-count", "1")
    found = json.loads(output.read_text(encoding="utf8"))
    assert (found["n_docs"], found["n_gold"], found["misleading"]) == (6, 0, {})
    for options, said in (
        (("--unlabelled", "--compare", model), "leave out '--unlabelled'"),
        (("--other-component", "x"), "needs '--compare'"),
    ):
        printed = run("words", model, data, "-o", output, *options, code=1).output
        assert said in " ".join(printed.split())


def test_an_ending_that_nobody_knows_is_refused_before_the_pipeline_is_loaded(data, tmp_path):
    output = run("words", "no/model", data, "-o", tmp_path / "words.docx", code=1).output
    assert "'words.docx' must end in one of" in " ".join(output.split())


def test_empty_data_and_other_labels_are_clear_errors(model, data, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    output = run("words", model, tmp_path / "empty.jsonl", "-o", tmp_path / "w.html", code=1).output
    assert "Can't" in output
    nlp = spacy.blank("en")
    component = nlp.add_pipe("attn_textcat")
    component.add_label("other")
    component.add_label("positive")
    nlp.initialize()
    nlp.to_disk(tmp_path / "other")
    output = run(
        "words", model, data, "--compare", tmp_path / "other", "-o", tmp_path / "w.html", code=1
    ).output
    assert "Pipelines are compared label by label" in " ".join(output.split())
    assert not (tmp_path / "w.html").exists()
