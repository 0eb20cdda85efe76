"""`spacy attn card`."""

import shutil
import sys
import warnings

import pytest
import spacy
import srsly
from huggingface_hub import ModelCard
from spacy.tokens import DocBin

from spacy_attn.interpret.show.model_card import is_untouched, sign

from ..conftest import LABELS, TEXTS, make_examples, make_nlp, train
from .test_explain_and_render import run as run_command
from .test_spacy_commands import run as run_spacy

pytestmark = pytest.mark.usefixtures("load_once")
CARD, PICTURE = "README.md", "explanations.svg"


def run(*arguments, code=0):
    result = run_command("card", *arguments, code=code)
    return " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a trained pipeline; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    nlp = make_nlp(lang="en")
    train(nlp, steps=10)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "test.jsonl"
    rows = [{"text": text, "label": label} for text, label in TEXTS.items()]
    srsly.write_jsonl(path, [*rows, {"text": "", "label": LABELS[0]}])
    return path


@pytest.fixture(scope="module")
def carded(trained, data, tmp_path_factory):
    """A copy of the pipeline with a card in it; tests must not change it."""
    folder = tmp_path_factory.mktemp("carded") / "model"
    run(trained, "--data", data, "--output", folder, "--name", "reviews", "--version", "1.2.0")
    return folder


def files_of(folder):
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def test_the_hub_reads_what_the_pipeline_scores(carded, data):
    nlp = spacy.load(carded)
    scores = nlp.get_pipe("attn_textcat").score(evaluated(nlp))
    card = ModelCard.load(carded / CARD)
    found = {result.metric_type: result for result in card.data.eval_results}
    names = {"accuracy": "cats_acc", "f1": "cats_macro_f", "expected_calibration_error": "cats_ece"}
    assert found.keys() == names.keys()
    for metric, name in names.items():
        assert found[metric].metric_value == pytest.approx(scores[name], abs=5e-5)
        assert found[metric].dataset_name == data.name
        assert found[metric].task_type == card.data.pipeline_tag == "text-classification"
    assert card.data.model_name == "en_reviews"
    assert (card.data.language, card.data.library_name) == ("en", "spacy")


def evaluated(nlp):
    examples = make_examples(nlp, {**TEXTS, "": LABELS[0]})
    for example in examples:
        example.predicted = nlp(example.predicted)
    return examples


def test_nothing_is_said_that_nobody_said_or_measured(carded):
    card = ModelCard.load(carded / CARD)
    assert not {"license", "datasets", "metrics", "base_model"} & card.data.to_dict().keys()
    assert card.data.eval_results[0].dataset_split is None
    for word in ("Author", "License", "About", "None", "nan"):
        assert word not in card.text
    assert "Fewer than 30 texts have the labels" in card.text


def test_the_card_has_a_picture_words_faithfulness_and_limits(carded):
    text = (carded / CARD).read_text(encoding="utf8")
    assert f"({PICTURE})" in text
    assert (carded / PICTURE).read_text(encoding="utf8").lstrip().startswith("<?xml")
    for heading in ("Install and use", "Results", "How far explanations can be trusted", "Limits"):
        assert f"\n## {heading}\n" in text
    for ranking in ("attention", "contributions", "leave one out", "chance"):
        assert f"\n| {ranking} |" in text
    assert "spacy.load('en_reviews')" in text
    assert "| Version | 1.2.0 |" in text


def test_a_package_takes_the_card_over(carded, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # spaCy leaves files open
        run_spacy("package", carded, tmp_path, "--name", "reviews", "--build", "none")
    (package,) = tmp_path.iterdir()
    card = (carded / CARD).read_bytes()
    assert (package / CARD).read_bytes() == card
    (inner,) = package.glob("*/*-*/")
    assert (inner / CARD).read_bytes() == card
    assert (inner / PICTURE).exists()


def test_a_copy_gets_the_card_and_the_pipeline_stays_as_it_was(trained, carded):
    copied = files_of(carded)
    del copied[carded.joinpath(CARD).relative_to(carded)]
    del copied[carded.joinpath(PICTURE).relative_to(carded)]
    assert files_of(trained) == copied


def test_a_card_is_replaced_and_an_edited_one_is_not(trained, data, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained, folder)
    (folder / CARD).write_text("# Mine")
    assert "was not made by this command" in run(folder, "--data", data, code=1)
    assert (folder / CARD).read_text() == "# Mine"
    run(folder, "--data", data, "--overwrite")
    run(folder, "--data", data)
    text = (folder / CARD).read_text(encoding="utf8")
    (folder / CARD).write_text(text.replace("## Limits", "## What I know"), encoding="utf8")
    assert "has been edited since" in run(folder, "--data", data, code=1)
    assert "What I know" in (folder / CARD).read_text(encoding="utf8")


def test_the_signature_tells_an_edited_text():
    assert is_untouched(sign("a"))
    for edited in ("a", sign("a") + "b", "b" + sign("a"), sign("a").replace("a", "b", 1)):
        assert not is_untouched(edited)


def test_no_other_folder_is_replaced(trained, carded, data, tmp_path):
    (tmp_path / "mine").write_text("")
    for output, message in (
        (tmp_path, "holds something else than a pipeline"),
        (carded, "give another --output, or --overwrite"),
        (trained / "card", "within the pipeline"),
    ):
        assert message in run(trained, "--data", data, "--output", output, code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_copy_that_fails_leaves_nothing(trained, data, tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError("No space left")

    monkeypatch.setattr("spacy_attn.cli.write_card.write_text", fail)
    output = tmp_path / "new" / "model"
    assert "No space left" in run(trained, "--data", data, "--output", output, code=1)
    assert list((tmp_path / "new").iterdir()) == []


def test_without_matplotlib_there_is_no_picture_and_a_warning(trained, data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    output = tmp_path / "model"
    said = run(trained, "--data", data, "--output", output)
    assert "There is no picture in the card" in said
    assert "pip install matplotlib" in said
    assert PICTURE not in (output / CARD).read_text(encoding="utf8")


def test_what_the_owner_says_and_what_looks_like_markup_is_shown_as_it_stands(data, tmp_path):
    labels = ("<b>", "a|b")
    texts = {"great fun": labels[0], "so dull": labels[1]}
    nlp = make_nlp(
        "attn_textcat_multilabel", examples=lambda nlp: make_examples(nlp, texts, labels)
    )
    nlp.meta["license"], nlp.meta["description"] = "CC BY 4.0", "Finds *stars*\nand more."
    nlp.to_disk(tmp_path / "model")
    others = {**texts, "what": "new"}
    gold = [e.reference for e in make_examples(nlp, others, (*labels, "new"))]
    DocBin(docs=[*gold, nlp.make_doc("no label")]).to_disk(tmp_path / "a.spacy")
    run(
        *(tmp_path / "model", "--data", tmp_path / "a.spacy", "--split", "test"),
        *("--data-name", "My data", "--text", "fun `` and <i>"),
    )
    card = ModelCard.load(tmp_path / "model" / CARD)
    assert card.data.license == "cc-by-4.0"
    assert "language" not in card.data.to_dict()
    assert card.data.eval_results[0].dataset_split == "test"
    for text in (
        *("\\<b\\>", "a\\|b", "Finds \\*stars\\* and more.", "3 labelled texts of My data"),
        *(
            "Texts without a label count for nothing here: 1.",
            "cannot give the labels new",
            "any number of them",
        ),
    ):
        assert text in card.text
    assert "<b>" not in card.text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "fun", "label": "pos"}, {"text": "dull", "label": "neg"}], "have no label of"),
        ([{"text": "fun"}], "label"),
        ([{"text": "", "label": "positive"}, {"text": "", "label": "negative"}], "tokens"),
    ],
)
def test_data_that_say_nothing_of_the_pipeline_are_refused(trained, tmp_path, rows, message):
    srsly.write_jsonl(tmp_path / "a.jsonl", rows)
    output = tmp_path / "model"
    assert message in run(trained, "--data", tmp_path / "a.jsonl", "--output", output, code=1)
    assert not output.exists()


def test_documents_without_labels_are_refused(trained, tmp_path):
    DocBin(docs=[spacy.blank("en")("great fun")]).to_disk(tmp_path / "a.spacy")
    said = run(trained, "--data", tmp_path / "a.spacy", "--output", tmp_path / "x", code=1)
    assert "None of the 1 documents has a label" in said


def test_a_folder_without_such_a_pipeline_is_refused(data, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "Can't load the pipeline" in run(tmp_path / "empty", "--data", data, code=1)
    spacy.blank("en").to_disk(tmp_path / "blank")
    assert "'attn_textcat' or" in run(tmp_path / "blank", "--data", data, code=1)
