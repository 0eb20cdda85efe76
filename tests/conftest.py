"""What tests of several packages use: a small configuration, texts, and a trained pipeline."""

import os
import pickle

# Of several workers (pytest -n), and of the commands they start, each uses one core. Torch reads
# this when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import fix_random_seed

# Properties are tried on fewer examples than Hypothesis would take, and on as many on demand.
hypothesis.settings.register_profile("quick", max_examples=30, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=300, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

SMALL_EMBEDDING = {"@architectures": "spacy-attn.WordEmbedding.v1", "width": 12, "min_frequency": 1}
SMALL_MODEL = {
    "@architectures": "spacy-attn.BiLSTMAttention.v1",
    "tok2vec": SMALL_EMBEDDING,
    "hidden_width": 8,
}

# Options of Python: any warning is an error, but one of spaCy 3.8.2 on where it imports from.
WARNINGS_ARE_ERRORS = ["-W", "error", "-W", "ignore:Importing 'parser.split_arg_string'"]

HASH_EMBEDDING = {
    "@architectures": "spacy.MultiHashEmbed.v2",
    "width": 12,
    "attrs": ["NORM", "PREFIX"],
    "rows": [50, 50],
    "include_static_vectors": False,
}
# Looks at the neighbours of a token, too.
TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": HASH_EMBEDDING,
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": 12,
        "depth": 1,
        "window_size": 1,
        "maxout_pieces": 2,
    },
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 12, "upstream": "*"}

TEXTS = {
    "A gorgeous, witty, seductive movie.": "positive",
    "great fun and a joy": "positive",
    "I loved every minute": "positive",
    "dull, long and boring": "negative",
    "a complete waste of time": "negative",
    "I hated this tedious film so much that I left": "negative",
}
LABELS = ("positive", "negative")
# Of all kinds of length: none, white space only, one token, and many.
MIXED_TEXTS = ["", "A gorgeous, witty, seductive movie.", "  \n ", "fun", "dull " * 80, "great fun"]


def make_examples(nlp: Language, texts=None, labels=LABELS) -> list[Example]:
    return [
        Example.from_dict(
            nlp.make_doc(text), {"cats": {label: float(label == gold) for label in labels}}
        )
        for text, gold in (texts or TEXTS).items()
    ]


def make_nlp(
    factory="attn_textcat", seed=0, examples=make_examples, lang="xx", **config
) -> Language:
    """An initialized pipeline of one component, which trains in half the time of the default.

    Its language has a tokenizer without exceptions: making English ones takes four times as long.
    """
    fix_random_seed(seed)
    nlp = spacy.blank(lang)
    nlp.add_pipe(factory, config={"model": SMALL_MODEL, "perturbation": 0.0, **config})
    nlp.initialize(lambda: examples(nlp))
    return nlp


def train(nlp: Language, steps=40, drop=0.0, sgd=None, examples=make_examples) -> dict[str, float]:
    """Train on all examples a few times. RETURNS: The losses of the last step."""
    sgd = nlp.create_optimizer() if sgd is None else sgd
    sgd.learn_rate = 0.01
    for _ in range(steps):
        losses: dict[str, float] = {}
        nlp.update(examples(nlp), drop=drop, sgd=sgd, losses=losses)
    return losses


def assert_same_predictions(one: Language, other: Language, texts=MIXED_TEXTS, atol=0.0) -> None:
    """Whether two pipelines give the same scores and attention."""
    for left, right in zip(one.pipe(texts), other.pipe(texts), strict=True):
        assert left.cats.keys() == right.cats.keys()
        numpy.testing.assert_allclose(
            list(left.cats.values()), list(right.cats.values()), atol=atol, rtol=0
        )
        numpy.testing.assert_allclose(left._.attention, right._.attention, atol=atol, rtol=0)


def copies_of(doc: Doc):
    """A document after each way it can be stored or sent: pairs of its name and the result."""
    yield "bytes", Doc(doc.vocab).from_bytes(doc.to_bytes())
    yield "pickle", pickle.loads(pickle.dumps(doc))
    yield "copy", doc.copy()
    doc_bin = DocBin(store_user_data=True)
    doc_bin.add(doc)
    yield "DocBin", next(DocBin().from_bytes(doc_bin.to_bytes()).get_docs(doc.vocab))


@pytest.fixture(scope="module")
def trained_nlp() -> Language:
    """A trained pipeline of English; tests must not change it."""
    nlp = make_nlp(lang="en")
    train(nlp)
    return nlp


@pytest.fixture(params=["attn_textcat", "attn_textcat_multilabel"])
def factory(request) -> str:
    return request.param
