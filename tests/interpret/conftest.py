"""Trained pipelines whose token vectors come from different kinds of layers."""

import pytest
import spacy
from spacy.language import Language
from thinc.api import fix_random_seed

from ..conftest import LISTENER, SMALL_MODEL, TOK2VEC, make_examples, make_nlp, train

SUBWORDS = {
    "@architectures": "spacy-attn.SubwordEmbedding.v1",
    "width": 8,
    "min_frequency": 1,
    "ngram_rows": 100,
}


def make(kind: str, factory: str = "attn_textcat") -> Language:
    if kind == "words":
        nlp = make_nlp(factory, lang="en")
    else:
        tok2vec = {"subwords": SUBWORDS, "tok2vec": TOK2VEC, "listener": LISTENER}[kind]
        fix_random_seed(0)
        nlp = spacy.blank("en")
        if kind == "listener":
            nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
        nlp.add_pipe(factory, config={"model": {**SMALL_MODEL, "tok2vec": tok2vec}})
        nlp.initialize(lambda: make_examples(nlp))
    train(nlp, steps=20)
    nlp.get_pipe(factory).cfg["temperature"] = 1.3
    return nlp


@pytest.fixture(scope="session", params=["words", "subwords", "tok2vec", "listener"])
def nlp(request) -> Language:
    """Trained pipelines of four kinds; tests must not change them."""
    return make(request.param)


@pytest.fixture(scope="session")
def words_nlp() -> Language:
    """A trained pipeline with the package's own embedding; tests must not change it."""
    return make("words")
