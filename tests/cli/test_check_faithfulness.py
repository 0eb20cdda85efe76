"""`python -m spacy attn faithfulness`, on the project's own data."""

import re
import sys
from html.parser import HTMLParser

import pytest
import spacy
import srsly
from spacy.tokens import DocBin

from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness
from spacy_attn.interpret.show.faithfulness_page import to_markdown

from ..conftest import SMALL_MODEL, TEXTS, make_examples, make_nlp, train
from .test_spacy_commands import ROOT, run

DATA = "assets/movie_reviews/validation.parquet"
RATINGS = "assets/movie_reviews/word_ratings.tsv"


pytestmark = pytest.mark.usefixtures("load_once")


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two pipelines trained alike from different seeds."""
    folder = tmp_path_factory.mktemp("models")
    for seed in (0, 1):
        nlp = make_nlp(seed=seed)
        train(nlp, steps=10)
        nlp.to_disk(folder / str(seed))
    return folder


def test_all_three_reports_say_the_same(models, tmp_path):
    run(
        *("attn", "faithfulness", models / "0", DATA, "--output", tmp_path / "new", "--limit", 12),
        *("--other-models", models / "1", "--ratings", RATINGS),
    )
    data = srsly.read_json(tmp_path / "new/faithfulness.json")
    assert data["n_docs"] == 12
    assert list(data["rankings"]) == [
        *("attention", "contributions", "gradient_x_input", "leave_one_out"),
        *("integrated_gradients", "chance"),
    ]
    markdown = (tmp_path / "new/faithfulness.md").read_text()
    page = (tmp_path / "new/faithfulness.html").read_text()
    for ranking in data["rankings"].values():
        for measure in ("comprehensiveness", "sufficiency", "flip_share"):
            value = ranking[measure]
            text = f"{value['mean']:.3f} ± {value['margin']:.3f}"
            assert text in markdown
            assert text in page
    for heading in ("Tokens left out", "Other models", "Plausibility", "Conicity", "Diagnostic"):
        assert f"## {heading}" in markdown
        assert f"<h2>{heading}" in page
    for table in re.split("^## ", markdown, flags=re.MULTILINE)[1:]:
        widths = {line.count("|") for line in table.splitlines() if line.startswith("|")}
        assert len(widths) == 1


def test_the_page_is_complete_in_itself_and_well_formed(models, tmp_path):
    run("attn", "faithfulness", models / "0", DATA, "--output", tmp_path, "--limit", 4)
    page = (tmp_path / "faithfulness.html").read_text()
    opened, void = [], {"meta", "wbr"}

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag not in ("script", "img", "link", "iframe")
            assert not {"src", "href"} & dict(attrs).keys()
            if tag not in void:
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Checker().feed(page)
    assert opened == []
    assert "url(" not in page


def test_a_label_that_looks_like_html_is_escaped():
    nlp = make_nlp(examples=lambda nlp: make_examples(nlp, {"a": "<b>", "b": "c"}, ("<b>", "c")))
    from spacy_attn.interpret.show.faithfulness_page import to_html

    report = evaluate_faithfulness(nlp, make_examples(nlp), methods=[])
    assert "&lt;b&gt;" in to_html(report, "<i>")
    assert "<b>" not in to_html(report, "<i>")
    assert "<i>" not in to_html(report, "<i>")
    assert "\\<b\\>, c" in to_markdown(report, "title")


def test_without_an_output_folder_the_report_is_printed(models, tmp_path):
    output = run(
        *("attn", "faithfulness", models / "0", DATA, "--limit", 4, "--methods", "contributions")
    )
    assert "## Tokens left out" in output
    assert "| contributions |" in output
    assert "leave one out |" not in output


def test_spacy_files_are_read_and_the_same_seed_gives_the_same_report(models, tmp_path):
    nlp = spacy.load(models / "0")
    references = [example.reference for example in make_examples(nlp)]
    DocBin(docs=references).to_disk(tmp_path / "dev.spacy")
    arguments = ("attn", "faithfulness", models / "0", tmp_path / "dev.spacy", "--draws", 2)
    run(*arguments, "--output", tmp_path / "first")
    run(*arguments, "--output", tmp_path / "second")
    first, second = (
        srsly.read_json(tmp_path / name / "faithfulness.json") for name in ("first", "second")
    )
    assert first == second
    assert first["n_docs"] == len(TEXTS)
    assert first["uniform"]["accuracy"]["mean"] > 0.5


def test_other_columns_can_be_named(models, tmp_path):
    path = tmp_path / "data.jsonl"
    srsly.write_jsonl(path, [{"sentence": text, "gold": gold} for text, gold in TEXTS.items()])
    columns = ("--text-column", "sentence", "--label-column", "gold")
    output = run("attn", "faithfulness", models / "0", path, *columns, "--methods", "contributions")
    assert f"{len(TEXTS)} documents" in output


def test_what_is_not_installed_is_left_out_and_said_so(models, monkeypatch):
    def fail():
        raise ImportError("The method 'integrated_gradients' needs Captum")

    where = "spacy_attn.interpret.faithfulness.evaluate.require_captum"
    monkeypatch.setattr(where, fail)
    output = run("attn", "faithfulness", models / "0", DATA, "--limit", 2)
    assert "Integrated gradients are left out. The method" in output
    assert "| integrated gradients |" not in output


def test_without_scipy_it_says_what_to_install(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    output = run("attn", "faithfulness", models / "0", DATA, "--limit", 2, code=1)
    assert "pip install scipy" in " ".join(output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "contributions,lime"], "'method' must be one of contributions"),
        (["--positive-label", "good", "--ratings", RATINGS], "There is no label 'good'"),
        (["--component", "tagger"], "There is no component 'tagger'"),
        (["--text-column", "body"], "body"),
        (["--other-models", "nowhere"], "nowhere"),
    ],
)
def test_bad_arguments_end_with_a_message(models, arguments, message):
    output = run("attn", "faithfulness", models / "0", DATA, "--limit", 2, *arguments, code=1)
    assert "Can't measure faithfulness" in output
    assert message in " ".join(output.split())


def test_documents_without_labels_give_a_warning(models, tmp_path):
    DocBin(docs=[spacy.blank("en")("great fun")]).to_disk(tmp_path / "data.spacy")
    output = run(
        "attn", "faithfulness", models / "0", tmp_path / "data.spacy", "--methods", "contributions"
    )
    assert "there is no accuracy" in output


def test_a_corpus_without_tokens_is_refused():
    nlp = make_nlp()
    with pytest.raises(ValueError, match="no document with tokens"):
        evaluate_faithfulness(nlp, make_examples(nlp, {"": "positive"}))


def test_independent_labels_are_measured_likewise():
    nlp = spacy.blank("en")
    nlp.add_pipe("attn_textcat_multilabel", config={"model": SMALL_MODEL})
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp, steps=10)
    report = evaluate_faithfulness(nlp, make_examples(nlp), ratings={"great": 3.0})
    assert not report.exclusive
    assert report.plausibility.positive_label == "positive"
    assert "the label with the highest score" in to_markdown(report, "title")


def test_rationales_come_from_a_column_and_from_spans(models, tmp_path):
    rows = [{"text": text, "label": gold, "why": [text[:5]]} for text, gold in TEXTS.items()]
    srsly.write_jsonl(tmp_path / "data.jsonl", rows)
    nlp = spacy.load(models / "0")
    references = [example.reference for example in make_examples(nlp)]
    for reference in references:
        reference.spans["why"] = [reference.char_span(0, 5, alignment_mode="expand")]
    DocBin(docs=references).to_disk(tmp_path / "data.spacy")
    tables = []
    for name in ("data.jsonl", "data.spacy"):
        arguments = ("attn", "faithfulness", models / "0", tmp_path / name, "--rationales", "why")
        output = run(*arguments, "--methods", "contributions")
        tables.append(output[output.index("## Rationales") : output.index("## Diagnostic")])
    assert tables[0] == tables[1]
    assert "| Ranking | Token F1 | IOU | IOU F1 | Average precision |" in tables[0]
