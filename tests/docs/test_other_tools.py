"""The page on other tools gives what it says."""

import numpy
import pytest
import spacy

import spacy_attn

from .pages import blocks

PAGE = "docs/other-tools.md"


def run_example(name: str) -> dict:
    (block,) = (b for b in blocks(PAGE, "python") if name in b.content)
    names: dict = {}
    exec(compile(block.content, PAGE, "exec"), names)
    return names


@pytest.mark.filterwarnings("ignore")
def test_values_of_shap_add_up_from_an_empty_text_to_the_scores(in_checkout):
    pytest.importorskip("shap")
    names = run_example("shap_explainer")
    values, nlp = names["values"], spacy.load("training/model-best")
    empty, whole = nlp(""), nlp("Witty, but far too long.")
    assert "".join(values.data[0]).split() == whole.text.split()
    assert values.values[0].shape == (len(whole), len(whole.cats))
    assert values.base_values[0] == pytest.approx(list(empty.cats.values()), abs=1e-5)
    total = values.values[0].sum(axis=0) + values.base_values[0]
    assert total == pytest.approx(list(whole.cats.values()), abs=1e-5)


def test_captum_gives_the_attributions_that_the_package_gives(in_checkout):
    names = run_example("InputXGradient")
    text, label = "Witty, but far too long.", names["nlp"].get_pipe("attn_textcat").labels[1]
    (ours,) = spacy_attn.explain(names["nlp"], [text], method="gradient_x_input")
    attributions = names["attributions"].detach().numpy()
    numpy.testing.assert_allclose(attributions, ours.of_label(label), atol=1e-6)
