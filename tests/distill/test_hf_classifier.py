"""A model of transformers as a component: its probabilities, labels and errors."""

import sys

import numpy
import pyarrow as pa
import pytest
import spacy
import torch

from spacy_attn import Annotator
from spacy_attn.distill import hf_classifier
from spacy_attn.distill.hf_classifier import HFClassifier, hf_pipeline
from spacy_attn.distill.transformers_models import n_positions

transformers = pytest.importorskip("transformers")

TEXTS = ["good", "good good bad", "", "bad", "bad good unknown bad bad", "good " * 60]


def expected(classifier, text):
    """The probabilities, by the model alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    with torch.inference_mode():
        logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits
    return logits.softmax(dim=1)[0].tolist()


def test_bfloat16_gives_about_the_same_probabilities(classifier):
    nlp = hf_pipeline(str(classifier), precision="bfloat16")
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        numpy.testing.assert_allclose(
            list(doc.cats.values()), expected(classifier, text), atol=0.02
        )


@pytest.mark.parametrize("batch_tokens", [1, 40, 8192])
def test_probabilities_are_those_of_the_model_whatever_is_classified_beside(
    classifier, batch_tokens
):
    nlp = hf_pipeline(str(classifier))
    nlp.get_pipe("hf_classifier").batch_tokens = batch_tokens
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS), strict=True):
        assert doc.text == text
        numpy.testing.assert_allclose(
            list(doc.cats.values()), expected(classifier, text), atol=1e-5
        )


def test_labels_are_those_of_the_model_or_other_names_for_them(classifier):
    assert list(hf_pipeline(str(classifier))("good").cats) == ["LABEL_0", "LABEL_1"]
    nlp = hf_pipeline(str(classifier), {"LABEL_1": "positive"})
    assert list(nlp("good").cats) == ["LABEL_0", "positive"]
    with pytest.raises(ValueError, match=r"no label 'LABEL_2' to rename. Its labels are \['LABEL"):
        hf_pipeline(str(classifier), {"LABEL_2": "positive"})
    with pytest.raises(
        ValueError, match=r"gives two labels of the model '.*' one name\. Its labels"
    ):
        hf_pipeline(str(classifier), {"LABEL_1": "LABEL_0"})


def changed(classifier, folder, max_length=32, **settings):
    """Save the model with other settings."""
    transformers.AutoModelForSequenceClassification.from_pretrained(
        classifier, ignore_mismatched_sizes=True, **settings
    ).save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier, model_max_length=max_length)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_a_model_of_the_hub_stays_the_commit_that_was_found(classifier, monkeypatch):
    found = transformers.AutoConfig.from_pretrained(classifier)
    found._commit_hash = "0123abc"
    monkeypatch.setattr(hf_classifier, "_config_of", lambda _: found)
    nlp = hf_pipeline(str(classifier))
    assert nlp.config["components"]["hf_classifier"]["revision"] == "0123abc"


def test_independent_labels_have_a_probability_each(classifier, tmp_path):
    settings = {"problem_type": "multi_label_classification"}
    nlp = hf_pipeline(changed(classifier, tmp_path, **settings))
    assert not nlp.get_pipe("hf_classifier").exclusive
    assert sum(nlp("good").cats.values()) != pytest.approx(1.0)


def test_a_single_output_is_the_probability_of_its_label(classifier, tmp_path):
    model = changed(classifier, tmp_path, num_labels=1)
    nlp = hf_pipeline(model)
    assert not nlp.get_pipe("hf_classifier").exclusive
    judge = transformers.pipeline("text-classification", model)
    for text in ("good", "bad"):
        assert nlp(text).cats == {"LABEL_0": pytest.approx(judge(text)[0]["score"], abs=1e-5)}


def test_a_model_that_predicts_numbers_is_refused(classifier, tmp_path):
    with pytest.raises(ValueError, match=r"predicts numbers .* Take one that classifies texts"):
        hf_pipeline(changed(classifier, tmp_path, problem_type="regression"))


def test_a_long_text_is_cut_where_only_the_model_knows_how_much_it_can_read(classifier, tmp_path):
    nlp = hf_pipeline(changed(classifier, tmp_path, max_length=int(1e30)))
    (long,) = nlp.pipe(TEXTS[-1:])
    numpy.testing.assert_allclose(list(long.cats.values()), expected(classifier, TEXTS[-1]), 1e-4)


def test_the_positions_of_a_model_are_those_that_texts_can_have():
    sizes = {"vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
    sizes |= {"intermediate_size": 4, "max_position_embeddings": 20}
    bert = transformers.BertModel(transformers.BertConfig(**sizes))
    roberta = transformers.RobertaModel(transformers.RobertaConfig(**sizes))
    assert (n_positions(bert), n_positions(roberta)) == (20, 18)
    unbounded = torch.nn.Linear(1, 1)
    unbounded.config = transformers.T5Config()
    assert n_positions(unbounded) > 1e6


def test_an_annotator_takes_it_and_decides_for_one_label(classifier):
    annotator = Annotator(hf_pipeline(str(classifier)))
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


def test_without_transformers_the_error_says_what_to_install(classifier, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"needs transformers .*: pip install transformers"):
        hf_pipeline(str(classifier))
