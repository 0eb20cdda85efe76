"""Two small pipelines that an earlier state of the code saved, and what it predicted with them."""

import json
from pathlib import Path

import numpy
import pytest
import spacy
import torch

import spacy_attn

SAVED = Path(__file__).parent / "saved"


def results(nlp, texts) -> dict:
    """What a pipeline says of texts that come one by one, and together."""
    by_route = {
        "alone": (map(nlp, texts), (next(spacy_attn.explain(nlp, [text])) for text in texts)),
        "batch": (nlp.pipe(texts), spacy_attn.explain(nlp, texts)),
    }
    return {
        route: [
            {
                "cats": doc.cats,
                "attention": doc._.attention.tolist(),
                "contributions": explanation.contributions.tolist(),
            }
            for doc, explanation in zip(*found, strict=True)
        ]
        for route, found in by_route.items()
    }


@pytest.fixture
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["exclusive", "independent"])
def test_a_pipeline_saved_before_says_what_it_said_then(name):
    expected = json.loads((SAVED / f"{name}.json").read_text())
    made_with = (torch.__version__, torch.backends.cpu.get_cpu_capability())
    exact = list(made_with) == expected["made_with"]
    nlp = spacy.load(SAVED / name, exclude=["tokenizer"])
    for route, found in results(nlp, expected["texts"]).items():
        for text, result, before in zip(expected["texts"], found, expected[route], strict=True):
            assert result["cats"].keys() == before["cats"].keys()
            result["cats"], before["cats"] = (list(d["cats"].values()) for d in (result, before))
            for what, values in before.items():
                numpy.testing.assert_allclose(
                    numpy.float32(result[what]),
                    numpy.float32(values),
                    rtol=0,
                    # Scores of queries are products since then, and sums no more.
                    atol=1e-7 if exact else 1e-6,
                    err_msg=f"{what} of {text!r}, {route}",
                )
