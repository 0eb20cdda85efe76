"""Word vectors out of an encoder: the pipeline that they become, and what is refused."""

import shutil

import numpy
import pandas as pd
import pytest
import spacy
from spacy.strings import get_string_id
from typer.testing import CliRunner

from spacy_attn.cli import app

from ..conftest import SMALL_MODEL, make_examples, train
from ..distill.conftest import encoder  # noqa: F401


@pytest.fixture
def texts(tmp_path):
    rows = ["good bad", "Good badly, good"]
    pd.DataFrame({"body": rows}).to_json(tmp_path / "texts.jsonl", lines=True, orient="records")
    return str(tmp_path / "texts.jsonl")


def init(model, texts, output, *options, code=0):
    command = ["init-vectors", str(model), texts, str(output), "--text-column", "body", *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_vectors_are_those_of_the_words_of_texts_and_encoder_and_train_a_model(
    encoder,  # noqa: F811
    texts,
    tmp_path,
):
    shown = init(f"hf:{encoder}", texts, tmp_path / "vectors", "--width", "8")
    vectors = spacy.load(tmp_path / "vectors").vocab.vectors
    assert "Saved 6 vectors of width 8: 4 words of the texts" in shown
    assert vectors.data.dtype == "float16"
    numpy.testing.assert_allclose(numpy.linalg.norm(vectors.data, axis=1), 1, atol=1e-3)
    assert all(get_string_id(word) in vectors for word in ("good", "bad", "badly", ",", "go", "un"))
    nlp = spacy.blank("en")
    tok2vec = {**SMALL_MODEL["tok2vec"], "vectors": "static"}
    nlp.add_pipe("attn_textcat", config={"model": {**SMALL_MODEL, "tok2vec": tok2vec}})
    nlp.config["initialize"]["vectors"] = str(tmp_path / "vectors")
    nlp.initialize(lambda: make_examples(nlp))
    assert "badly" in nlp.vocab.strings
    train(nlp, steps=1)


def test_folders_of_the_output_are_made(encoder, texts, tmp_path):  # noqa: F811
    init(f"hf:{encoder}", texts, tmp_path / "a" / "b" / "vectors")
    assert spacy.load(tmp_path / "a" / "b" / "vectors").vocab.vectors.shape[0] == 6


def test_a_place_that_cannot_be_written_to_is_refused_before_the_texts_are_read(
    encoder,  # noqa: F811
    tmp_path,
):
    (tmp_path / "file").write_text("mine")
    shown = init(f"hf:{encoder}", "none.jsonl", tmp_path / "file" / "vectors", code=1)
    assert "file" in shown
    assert "none.jsonl" not in shown
    assert (tmp_path / "file").read_text() == "mine"


def test_a_single_word_is_refused(encoder, tmp_path):  # noqa: F811
    pd.DataFrame({"body": ["good"]}).to_parquet(tmp_path / "one.parquet")
    one = str(tmp_path / "one.parquet")
    shown = init(f"hf:{encoder}", one, tmp_path / "vectors", "--max-size", "1", code=1)
    assert "needs two words at least, but there is ['good']" in shown


def test_the_most_frequent_words_are_kept(encoder, texts, tmp_path):  # noqa: F811
    init(f"hf:{encoder}", texts, tmp_path / "vectors", "--max-size", "2", "--layer", "0")
    nlp = spacy.load(tmp_path / "vectors")
    assert {nlp.vocab.strings[key] for key in nlp.vocab.vectors} == {"good", "bad"}


def test_texts_of_several_data_sets_are_read(encoder, texts, tmp_path):  # noqa: F811
    pd.DataFrame({"body": ["ungood"]}).to_parquet(tmp_path / "more.parquet")
    more = ["--texts", str(tmp_path / "more.parquet"), "--storage", "float32", "--attr", "ORTH"]
    init(f"hf:{encoder}", texts, tmp_path / "vectors", *more)
    vectors = spacy.load(tmp_path / "vectors").vocab.vectors
    assert vectors.data.dtype == "float32"
    assert get_string_id("ungood") in vectors
    assert get_string_id("Good") in vectors


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("bert", [], "'bert' names no model: write 'hf:NAME'"),
        ("hf:", [], "'hf:' names no model"),
        ("other:bert", [], "'other:bert' names no model"),
        ("hf:{}/none", [], "transformers cannot load"),
        ("hf:{}", ["--layer", "4"], "has the layers 0 to 3, but the layer 4 is asked for"),
        ("model2vec:{}", ["--layer", "1"], "'--layer' has no meaning for a model of model2vec"),
        ("hf:{}", ["--text-column", "text"], "there is no column 'text'"),
    ],
)
def test_what_cannot_be_used_is_named(encoder, texts, tmp_path, model, options, said):  # noqa: F811
    shown = init(model.format(encoder), texts, tmp_path / "vectors", *options, code=1)
    assert said in shown
    assert not (tmp_path / "vectors").exists()


def test_a_damaged_model_is_named_with_the_reason(encoder, texts, tmp_path):  # noqa: F811
    damaged = shutil.copytree(encoder, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"\xff" * 100)
    shown = init(f"hf:{damaged}", texts, tmp_path / "vectors", code=1)
    assert f"transformers cannot load '{damaged}' (Error while deserializing header" in shown
    (damaged / "tokenizer.json").write_text("{")
    shutil.copy(encoder / "model.safetensors", damaged)
    assert "transformers cannot load" in init(f"hf:{damaged}", texts, tmp_path / "vectors", code=1)


def test_a_width_of_nothing_is_refused_before_the_texts_are_read(encoder, tmp_path):  # noqa: F811
    shown = init(f"hf:{encoder}", "none.jsonl", tmp_path / "vectors", "--width", "0", code=2)
    assert "Invalid value for '--width'" in shown


@pytest.mark.parametrize("rows", [["", ""], [" ", "\n"]])
def test_texts_without_words_are_refused(encoder, rows, tmp_path):  # noqa: F811
    pd.DataFrame({"body": rows}).to_parquet(tmp_path / "empty.parquet")
    shown = init(f"hf:{encoder}", str(tmp_path / "empty.parquet"), tmp_path / "vectors", code=1)
    assert "There is no word in the texts: check the column of the texts" in shown
