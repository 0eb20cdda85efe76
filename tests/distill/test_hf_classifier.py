"""A model of transformers as a component: its probabilities, labels and errors."""

import sys

import numpy
import pyarrow as pa
import pytest
import spacy
import torch

from spacy_attn import Annotator
from spacy_attn.distill.hf_classifier import HFClassifier, hf_pipeline

transformers = pytest.importorskip("transformers")

TEXTS = ["good", "good good bad", "", "bad", "bad good unknown bad bad", "good " * 60]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model with weights that nobody has trained."""
    path = tmp_path_factory.mktemp("hf") / "model"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizer(str(path / "vocab.txt"), model_max_length=32).save_pretrained(path)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        initializer_range=1.0,
        id2label={0: "LABEL_0", 1: "LABEL_1"},
        label2id={"LABEL_0": 0, "LABEL_1": 1},
    )
    torch.manual_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(path)
    return path


def expected(folder, text):
    """The probabilities, by the model alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits
    return logits.softmax(dim=1)[0].tolist()


def test_bfloat16_gives_about_the_same_probabilities(folder):
    nlp = hf_pipeline(str(folder), precision="bfloat16")
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        numpy.testing.assert_allclose(list(doc.cats.values()), expected(folder, text), atol=0.02)


@pytest.mark.parametrize("batch_tokens", [1, 40, 8192])
def test_probabilities_are_those_of_the_model_whatever_is_classified_beside(folder, batch_tokens):
    nlp = hf_pipeline(str(folder))
    nlp.get_pipe("hf_classifier").batch_tokens = batch_tokens
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        assert doc.text == text
        numpy.testing.assert_allclose(list(doc.cats.values()), expected(folder, text), atol=1e-5)


def test_labels_are_those_of_the_model_or_other_names_for_them(folder):
    assert list(hf_pipeline(str(folder))("good").cats) == ["LABEL_0", "LABEL_1"]
    nlp = hf_pipeline(str(folder), {"LABEL_1": "positive"})
    assert list(nlp("good").cats) == ["LABEL_0", "positive"]
    with pytest.raises(ValueError, match=r"no label 'LABEL_2' to rename. Its labels are \['LABEL"):
        hf_pipeline(str(folder), {"LABEL_2": "positive"})


def test_independent_labels_have_a_probability_each(folder, tmp_path):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    model.config.problem_type = "multi_label_classification"
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    nlp = hf_pipeline(str(tmp_path))
    assert not nlp.get_pipe("hf_classifier").exclusive
    assert sum(nlp("good").cats.values()) != pytest.approx(1.0)


def test_an_annotator_takes_it_and_decides_for_one_label(folder):
    annotator = Annotator(hf_pipeline(str(folder)))
    assert annotator.decisions.exclusive
    table = annotator(pa.table({"text": TEXTS}))
    scores = table.select(["score_LABEL_0", "score_LABEL_1"]).to_pandas().to_numpy()
    labels = [f"LABEL_{i}" for i in scores.argmax(axis=1)]
    assert table["label"].to_pylist() == labels


def test_a_component_without_a_model_can_be_made_and_not_used():
    nlp = spacy.blank("en")
    nlp.add_pipe("hf_classifier")
    with pytest.raises(ValueError, match=r"'model' is null\. Set it to the name of a model"):
        nlp("good")
    with pytest.raises(ValueError, match="'precision' must be one of float32, bfloat16, but is"):
        HFClassifier("hf_classifier", precision="int8")


def test_without_transformers_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"needs transformers .*: pip install transformers"):
        hf_pipeline(str(folder))
