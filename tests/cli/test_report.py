"""`spacy attn report`."""

import pytest
import spacy
import srsly
from spacy.tokens import DocBin

import spacy_attn
from spacy_attn.interpret.methods import METHODS

from ..conftest import LABELS, TEXTS, make_examples, make_nlp
from ..interpret.show.test_report_page import data_of
from .test_explain_and_render import run

pytestmark = pytest.mark.usefixtures("load_once")


def test_documents_come_from_spacy_files_and_from_tables(model, tmp_path):
    nlp = spacy.load(model)
    DocBin(docs=[example.reference for example in make_examples(nlp)]).to_disk(tmp_path / "a.spacy")
    rows = [{"review": text, "sentiment": label} for text, label in TEXTS.items()]
    srsly.write_jsonl(tmp_path / "a.jsonl", rows)
    columns = ("--text-column", "review", "--label-column", "sentiment")
    pages = []
    for name, options in (("a.spacy", ()), ("a.jsonl", columns)):
        output = tmp_path / "new" / f"{name}.html"
        run("report", model, tmp_path / name, "--output", output, *options)
        pages.append(data_of(output.read_text(encoding="utf8")))
    assert pages[0] == pages[1]
    assert [doc["gold"] for doc in pages[0]["documents"]] == [
        [pages[0]["labels"].index(label)] for label in TEXTS.values()
    ]
    assert (pages[0]["direction"], pages[0]["language"]) == ("ltr", "en")


def test_the_page_shows_what_the_pipeline_predicts(factory, tmp_path):
    nlp = make_nlp(factory)
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[example.reference for example in make_examples(nlp)]).to_disk(tmp_path / "a.spacy")
    output = tmp_path / "a.html"
    run("report", tmp_path / "model", tmp_path / "a.spacy", "-o", output, "--limit", "2")
    data = data_of(output.read_text(encoding="utf8"))
    assert data["exclusive"] == (factory == "attn_textcat")
    assert len(data["documents"]) == 2
    for shown, text in zip(data["documents"], TEXTS, strict=False):
        doc = nlp(text)
        assert shown["scores"] == pytest.approx([doc.cats[x] for x in data["labels"]], rel=0.01)
        assert shown["attention"] == pytest.approx(doc._.attention.tolist(), rel=0.01)


def test_class_ids_are_named_in_the_order_given(model, tmp_path):
    rows = [{"text": text, "label": LABELS.index(label)} for text, label in TEXTS.items()]
    srsly.write_jsonl(tmp_path / "ids.jsonl", rows)
    output = tmp_path / "ids.html"
    run("report", model, tmp_path / "ids.jsonl", "-o", output, "--labels", ",".join(LABELS))
    data = data_of(output.read_text(encoding="utf8"))
    gold = [data["labels"][doc["gold"][0]] for doc in data["documents"]]
    assert gold == list(TEXTS.values())


@pytest.mark.parametrize("method", METHODS)
def test_the_page_has_the_attributions_of_the_method(model, tmp_path, method):
    srsly.write_jsonl(
        tmp_path / "a.jsonl", [{"text": text, "label": x} for text, x in TEXTS.items()]
    )
    output = tmp_path / "a.html"
    run("report", model, tmp_path / "a.jsonl", "-o", output, "--method", method)
    html = output.read_text(encoding="utf8")
    data = data_of(html)
    assert (f", by {data['method']}</title>" in html) == (method != "contributions")
    expected = list(spacy_attn.explain(spacy.load(model), TEXTS, method=method))
    assert len({explanation.attributions.tobytes() for explanation in expected}) == len(TEXTS)
    for shown, explanation in zip(data["documents"], expected, strict=True):
        values = explanation.attributions.T.tolist()
        for column, shown_column in zip(values, shown["attributions"], strict=True):
            assert shown_column == pytest.approx(column, rel=0.01, abs=1e-6)


def test_the_page_has_the_tokens_that_decisions_hang_on(model, tmp_path):
    data, output = tmp_path / "a.jsonl", tmp_path / "a.html"
    srsly.write_jsonl(data, [{"text": text, "label": x} for text, x in TEXTS.items()])
    run("report", model, data, "-o", output, "--contrast", "negative,positive")
    assert "removed" not in data_of(output.read_text("utf8"))["documents"][0]
    run("report", model, data, "-o", output, "--counterfactuals", "50", "-m", "gradient_x_input")
    nlp = spacy.load(model)
    for shown, text in zip(data_of(output.read_text("utf8"))["documents"], TEXTS, strict=True):
        found = spacy_attn.counterfactual(nlp, text, max_predictions=50)
        assert shown.get("removed") == (None if found is None else list(found.removed))


def test_errors_say_what_is_wrong(model, tmp_path):
    srsly.write_jsonl(tmp_path / "a.jsonl", [{"text": "fun", "label": "pos"}] * 2)
    DocBin().to_disk(tmp_path / "empty.spacy")
    for data, message in (
        (tmp_path / "none.spacy", "Can't read the data"),
        (tmp_path / "none.parquet", "none.parquet"),
        (tmp_path / "empty.spacy", "There is no document in it"),
    ):
        result = run("report", model, data, "--output", tmp_path / "x.html", code=1)
        assert message in " ".join(result.stderr.split())
    arguments = (tmp_path / "a.jsonl", "-o", tmp_path / "x.html", "--contrast", "positive,good")
    assert "There is no label 'good'" in run("report", model, *arguments, code=1).stderr
    arguments = (tmp_path / "a.jsonl", "-o", tmp_path / "x.html", "--method", "magic")
    assert "but is 'magic'" in run("report", model, *arguments, code=1).stderr
    assert not (tmp_path / "x.html").exists()
