"""`spacy attn explain` and `spacy attn render`."""

import json

import datasets
import numpy
import pytest
import spacy
import srsly
from spacy.cli import app
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from typer.testing import CliRunner

import spacy_attn
from spacy_attn import Explanation
from spacy_attn.cli.options import read_contrast
from spacy_attn.results.written_data import store_generated

from ..conftest import SMALL_MODEL, make_examples, make_nlp
from ..interpret.show.pages import Page

TEXT = "A gorgeous, witty, seductive movie."


pytestmark = pytest.mark.usefixtures("load_once")


def run(*arguments, code=0, **settings):
    result = CliRunner().invoke(app, ["attn", *map(str, arguments)], **settings)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_explain_prints_the_explanation_of_the_component_as_json(model):
    printed = run("explain", model, TEXT).stdout
    nlp = spacy.load(model)
    (explanation,) = nlp.get_pipe("attn_textcat").explain([nlp.make_doc(TEXT)])
    assert json.loads(printed) == explanation.to_dict()


def test_texts_come_from_files_and_the_standard_input(model, tmp_path):
    texts = ["great fun", "שלום", "it's \x85 \u2028 dull"]
    (tmp_path / "lines.txt").write_text("\ufeff" + "\n\n".join(texts), encoding="utf8")
    srsly.write_jsonl(tmp_path / "rows.jsonl", [{"text": text, "id": 1} for text in texts])
    for argument, settings in (
        (tmp_path / "lines.txt", {}),
        (tmp_path / "rows.jsonl", {}),
        ("-", {"input": "\n".join(texts) + "\n"}),
    ):
        lines = run("explain", model, argument, **settings).stdout.split("\n")
        assert [json.loads(line)["text"] for line in lines if line] == texts


def test_components_before_the_explained_one_have_seen_the_documents(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": listener}})
    nlp.add_pipe("sentencizer")
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "shared")
    explained = json.loads(run("explain", tmp_path / "shared", TEXT).stdout)
    assert explained["attention"] == pytest.approx(nlp(TEXT)._.attention.tolist(), abs=1e-6)


@pytest.mark.parametrize("style", ["attention", "contributions"])
def test_render_writes_a_page(model, tmp_path, style):
    output = tmp_path / "new" / "page.html"
    run("render", model, TEXT, "--output", output, "--style", style)
    assert "".join(Page(output.read_text(encoding="utf8")).texts) == TEXT


def test_render_shows_texts_in_the_terminal(model):
    printed = run("render", model, TEXT).stdout
    assert TEXT in printed
    assert "in multiples of the average" in printed
    printed = run("render", model, TEXT, "--style", "contributions", "--label", "negative").stdout
    assert "contributes to “negative”" in printed


def test_render_shows_the_method_that_is_asked_for(model, tmp_path):
    (expected,) = spacy_attn.explain(spacy.load(model), [TEXT], method="leave_one_out")
    printed = run("render", model, TEXT, "--method", "leave_one_out").stdout
    strongest = abs(expected.of_label(expected.labels[int(expected.scores.argmax())])).max()
    assert f"{strongest:.3f}" in printed.split("strongest:")[1].split(",")[0]
    assert "by leave one out" in " ".join(printed.split())
    output = tmp_path / "page.html"
    run("render", model, TEXT, "-m", "leave_one_out", "-s", "contributions", "-o", output)
    assert output.read_text("utf8") == spacy_attn.render(expected, "contributions", page=True)


def test_explain_and_render_show_why_one_label_and_not_another(model, tmp_path):
    pair = ("negative", "positive")
    printed = json.loads(run("explain", model, TEXT, "--contrast", "negative, positive").stdout)
    (expected,) = spacy_attn.explain(spacy.load(model), [TEXT], contrast=pair)
    assert printed == expected.to_dict()
    assert (
        "“negative” rather than “positive”"
        in run("render", model, TEXT, "--contrast", "negative,positive").stdout
    )
    output = tmp_path / "page.html"
    run("render", model, TEXT, "--contrast", "negative,positive", "-o", output)
    assert output.read_text("utf8") == spacy_attn.render(expected, "contributions", page=True)
    run("report", model, "--help")


def test_labels_of_a_contrast_may_have_commas():
    labels = ["a", "a,b", "c", "b,c"]
    assert read_contrast("a,b,c", ["a,b", "c"]) == ("a,b", "c")
    assert read_contrast("c, a,b", labels) == ("c", "a,b")
    assert read_contrast(None, labels) is None
    for names, message in (
        ("a,b,c", "must name two labels, separated by a comma, of 'a', 'a,b', 'c', 'b,c'"),
        ("a", "'--contrast a' must name two labels, separated by a comma, of"),
        ("a,x", "There is no label 'x'"),
        ("a,a", "label 'a' with itself"),
    ):
        with pytest.raises(ValueError, match=message):
            read_contrast(names, labels)


def test_output_is_a_file_of_the_kind_that_its_name_ends_in(model, tmp_path):
    text = "A gorgeous movie. So dull."
    for command, name, beginning in (
        ("explain", "x.jsonl", b'{"text": "A gorgeous'),
        ("explain", "x.json", b"["),
        ("render", "x.svg", b"<?xml"),
        ("render", "x.tex", b"% Compile"),
    ):
        by = ["--by", "sentence"] if command == "render" else []
        run(command, model, text, "-o", tmp_path / name, *by)
        assert (tmp_path / name).read_bytes().startswith(beginning)
    (line,) = (tmp_path / "x.jsonl").read_text("utf8").splitlines()
    (expected,) = spacy_attn.explain(spacy.load(model), [text])
    assert Explanation.from_dict(json.loads(line)) == expected
    # The pipeline finds no sentences itself.
    printed = run("render", model, text, "--by", "sentence").stdout
    assert "the number of sentences" in " ".join(printed.split())


def test_the_component_is_chosen_by_name_where_there_are_several(tmp_path):
    nlp = make_nlp()
    other = make_nlp(attention_attr="other", seed=1)
    settings = {"model": SMALL_MODEL, "attention_attr": "other"}
    nlp.add_pipe("attn_textcat", name="second", config=settings)
    nlp.get_pipe("second").from_bytes(other.get_pipe("attn_textcat").to_bytes())
    nlp.to_disk(tmp_path / "two")
    result = run("explain", tmp_path / "two", TEXT, code=1)
    assert "['attn_textcat', 'second'] as 'component'" in result.stderr
    one, two = (
        run("explain", tmp_path / "two", TEXT, "--component", name).stdout
        for name in nlp.pipe_names
    )
    assert json.loads(one)["logits"] != json.loads(two)["logits"]


def test_errors_say_what_is_wrong_and_leave_the_standard_output_alone(model, tmp_path):
    blank = tmp_path / "blank"
    spacy.blank("en").to_disk(blank)
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n{"txt": "b"}\n')
    (tmp_path / "broken.jsonl").write_text('\n{"text": \n')
    (tmp_path / "latin.txt").write_bytes("good\nschön\n".encode("latin1"))
    (tmp_path / "wide.txt").write_text("good", encoding="utf-16")
    (tmp_path / "wide.jsonl").write_text('{"text": "a"}', encoding="utf-16-le")
    (tmp_path / "half.jsonl").write_text('{"text": "a"}\n{"text": "half \\ud800"}\n')
    (tmp_path / "table.docx").write_text("text\n")
    for arguments, message in (
        ((tmp_path / "none", TEXT), "[E050]"),
        ((blank, TEXT), "has no component that can be explained"),
        ((model, TEXT, "--component", "ner"), "There is no component 'ner'"),
        ((model, "missing.txt"), "There is no file 'missing.txt'"),
        ((model, "missing.csv"), "There is no file 'missing.csv'"),
        ((model, "missing.CSV.gz"), "There is no file 'missing.CSV.gz'"),
        ((model, tmp_path / "table.docx"), "cannot read a file of kind '.docx'"),
        ((model, tmp_path), "is a folder, not a text"),
        ((model, "owner/name", "--text-column", "review"), "'owner/name' is no file"),
        ((model, "-", "--split", "test"), "'-' is no file"),
        ((model, "."), "'.' is a folder, not a text"),
        ((model, tmp_path / "latin.txt"), "line 2 cannot be read as UTF-8: it has the byte 0xf6"),
        ((model, tmp_path / "wide.txt"), "line 1 cannot be read as UTF-8: it looks like UTF-16"),
        ((model, tmp_path / "wide.jsonl"), "line 1 cannot be read as UTF-8: it looks like UTF-16"),
        ((model, tmp_path / "half.jsonl"), "line 2 has '\\ud800', half a character"),
        ((model, b"sch\xf6n".decode("utf8", "surrogateescape")), "is not UTF-8"),
        ((model, tmp_path / "rows.jsonl"), "line 2 has no string under the key 'text'"),
        ((model, tmp_path / "broken.jsonl"), "line 2 is not JSON"),
    ):
        result = run("explain", *arguments, code=1)
        # Messages are wrapped at the width of the terminal.
        assert message in " ".join(result.stderr.split())
        lines = [line for line in result.stdout.split("\n") if line]
        assert all(json.loads(line)["text"] in ("a", "good") for line in lines)


def test_the_standard_input_names_the_line_that_cannot_be_decoded(model):
    errors = run("explain", model, "-", input="good\nschön".encode("latin1"), code=1).stderr
    expected = "the standard input, line 2 cannot be read as utf-8: it has the byte 0xf6"
    assert expected in " ".join(errors.split())


def test_a_text_of_the_command_line_is_utf8_whatever_the_locale(model):
    argument = "schön".encode().decode(
        "ascii", "surrogateescape"
    )  # as Python reads it with LC_ALL=C
    assert json.loads(run("explain", model, argument).stdout)["text"] == "schön"


@pytest.mark.parametrize("command", ["explain", "render"])
def test_texts_come_from_data_as_those_of_other_commands(command, model, tmp_path):
    texts = ["great fun", "dull, and long"]
    srsly.write_jsonl(tmp_path / "a.jsonl", [{"review": text, "stars": 1} for text in texts])
    (tmp_path / "a.csv").write_text('review,stars\ngreat fun,1\n"dull, and long",0\n')
    datasets.Dataset.from_dict({"review": texts}).to_parquet(tmp_path / "a.parquet")
    splits = {"test": datasets.Dataset.from_dict({"review": texts, "stars": [1, 0]})}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "a")
    nlp = spacy.load(model)
    DocBin(docs=[nlp.make_doc(text) for text in texts]).to_disk(tmp_path / "a.spacy")
    labels = ("--label-column", "stars", "--labels", "negative,positive")
    for name, *options in (
        ("a.spacy",),
        ("a.csv", "--text-column", "review"),
        ("a.csv", "--text-column", "review", *labels),
        ("a.jsonl", "--text-column", "review"),
        ("a.parquet", "--text-column", "review", "--split", "train"),
        ("a", "--text-column", "review", "--split", "test", *labels),
    ):
        printed = run(command, model, tmp_path / name, *options).stdout
        if command == "explain":
            assert [json.loads(line)["text"] for line in printed.splitlines()] == texts
        else:
            assert all(text in printed for text in texts)


def test_labels_of_texts_are_checked_where_they_are_named(model, tmp_path):
    (tmp_path / "a.csv").write_text("text,stars\nfun,good\ndull,\n")
    run("explain", model, tmp_path / "a.csv")
    errors = run("explain", model, tmp_path / "a.csv", "--label-column", "stars", code=1).stderr
    assert "row 1 (counted from 0): column 'stars' is null" in " ".join(errors.split())


def test_unknown_styles_labels_and_methods_are_errors(model, tmp_path):
    for arguments, message in (
        (("render", tmp_path / "none", TEXT), "[E050]"),
        (("render", model, "missing.txt"), "There is no file 'missing.txt'"),
        (("render", model, TEXT, "--style", "dep"), "There is no style 'dep'"),
        (
            ("render", model, TEXT, "--style", "attention", "--label", "positive"),
            "Attention is the same for all labels",
        ),
        (
            ("render", model, TEXT, "-s", "contributions", "-l", "good", "-o", tmp_path / "x.html"),
            "There is no label 'good'",
        ),
        (("explain", model, TEXT, "--method", "magic"), "but is 'magic'"),
        (("explain", model, TEXT, "--contrast", "positive"), "must name two labels"),
        (("render", model, TEXT, "--contrast", "positive,good"), "There is no label 'good'"),
        (("explain", model, TEXT, "-o", tmp_path / "x.doc"), "'x.doc' must end in one of"),
        (("render", model, TEXT, "-o", tmp_path / "x"), "'x' must end in one of"),
        (
            ("render", model, TEXT, "-o", tmp_path / "x.tex", "--theme", "dark"),
            "theme 'dark' is for",
        ),
        (("render", model, TEXT, "--by", "word"), "'by' must be one of"),
        (("render", model, TEXT, "--by", "entity"), "looked for the entities"),
        (("render", model, TEXT, "--method", "magic"), "but is 'magic'"),
        (
            ("render", model, TEXT, "--style", "attention", "--method", "contributions"),
            "Attention is not found by a method",
        ),
    ):
        assert message in " ".join(run(*arguments, code=1).stderr.split())
    assert not (tmp_path / "x.html").exists()


@Language.component("reverse")
def reverse(doc):
    """Write the words of a text backwards."""
    tokens = [token.text for token in doc][::-1]
    store_generated(doc, " ".join(tokens), tokens, numpy.eye(len(doc), dtype="float32")[::-1])
    return doc


@pytest.fixture
def reversing_model(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("reverse")
    nlp.to_disk(tmp_path / "reversing")
    return tmp_path / "reversing"


def test_render_shows_what_a_pipeline_writes(reversing_model, tmp_path):
    printed = run("render", reversing_model, "great fun", "--style", "alignment").stdout
    assert "fun great" in printed
    assert "great 100" in printed
    (tmp_path / "texts.txt").write_text("great fun\nso dull\n")
    output = tmp_path / "page.html"
    text = tmp_path / "texts.txt"
    run("render", reversing_model, text, "--style", "alignment", "--output", output)
    page = Page(output.read_text(encoding="utf8"))
    assert "fun great" in page.text
    assert "dull so" in page.text
    assert "<title>Alignment</title>" in output.read_text(encoding="utf8")


def test_render_refuses_options_that_have_no_effect_on_the_file(model, reversing_model, tmp_path):
    output = tmp_path / "x.json"
    for arguments, said in (
        ((reversing_model, TEXT, "--style", "alignment", "--output", output), "write '.html'"),
        ((model, TEXT, "--label", "positive", "--output", output), "has all labels"),
        ((model, TEXT, "--theme", "dark"), "give an --output"),
    ):
        printed = run("render", *arguments, code=1).output
        assert said in " ".join(printed.split())
    assert not output.exists()


def test_render_has_lemmatizers_store_the_alignments_that_it_shows(tmp_path):
    nlp = spacy.blank("en")
    lemmatizer = nlp.add_pipe("attn_lemmatizer")
    gold = Doc(nlp.vocab, words=["mice", "ran"], lemmas=["mouse", "run"])
    nlp.initialize(lambda: [Example(nlp.make_doc("mice ran"), gold)])
    assert not lemmatizer.alignment
    nlp.to_disk(tmp_path / "lemmas")
    printed = run("render", tmp_path / "lemmas", "mice ran", "--style", "alignment").stdout
    assert "mice → mouse" in printed
    assert "ran → run" in printed
    assert "   m  i  c  e" in printed


def test_what_does_not_go_with_alignments_is_an_error(model, reversing_model):
    for arguments, message in (
        ((model, TEXT), "The document 'A gorgeous, witty, seductive movie.' has no alignment"),
        ((reversing_model, TEXT, "--component", "x"), "leave out '--component x'"),
        ((reversing_model, TEXT, "--method", "leave_one_out"), "leave out '--method leave_one_out"),
        ((reversing_model, TEXT, "--label", "x"), "not to a label: leave out the label 'x'"),
        ((reversing_model, TEXT, "--contrast", "x,y"), "leave out '--contrast x,y'"),
        ((reversing_model, TEXT, "--by", "sentence"), "no bars: leave out by='sentence'"),
    ):
        errors = run("render", *arguments, "--style", "alignment", code=1).stderr
        assert message in " ".join(errors.split())


def test_a_text_may_be_longer_than_any_path(model):
    text = "so dull " * 1000
    assert json.loads(run("explain", model, text).stdout)["text"] == text
