"""Training in two processes, which are forked here: it does what training in one process does."""

import io
import random
from zlib import crc32

import numpy
import pytest
from spacy import registry
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from spacy_attn.models.weights import parameters
from spacy_attn.pipeline.parallel import train_together

from ..conftest import LISTENER, SMALL_MODEL, TEXTS, TOK2VEC
from ..conftest import make_examples as make_categories
from ..in_processes import Failure, run_in_processes
from .made_up import SMALL, WITH_CONTEXT
from .made_up import make_examples as make_lemmas
from .test_seq2seq import SMALL as SMALL_WRITER
from .test_seq2seq import make_examples as make_pairs

# Seven documents, in batches of three: the last one leaves nothing to one of two processes. One
# document has no token.
CATEGORIES = {**TEXTS, "": "negative"}
# Each form comes once, so that the lemmatizer draws all of them.
STEMS = [["bat"], ["cot", "dun"], ["elk"], ["fog", "gum", "hat"], ["ink", "jar"], ["kit"], []]
ROWS = [([f"{x}s" for x in own], own, ["NOUN", "VERB", "X"][: len(own)]) for own in STEMS]

TEXTCAT = {"factory": "attn_textcat", "model": SMALL_MODEL, "perturbation": 0.0}
SHARED = {"tok2vec": {"factory": "tok2vec", "model": TOK2VEC}}
LISTENING = {**SMALL_MODEL, "tok2vec": LISTENER}
ALSO_LISTENS = {
    "factory": "attn_textcat_multilabel",
    "model": LISTENING,
    "attention_attr": "other_attention",
}
PIPELINES = {
    "classes": {"attn_textcat": TEXTCAT},
    "perturbed classes": {"attn_textcat": {**TEXTCAT, "perturbation": 3.0}},
    "labels": {"attn_textcat_multilabel": {**TEXTCAT, "factory": "attn_textcat_multilabel"}},
    "listeners": {
        **SHARED,
        "attn_textcat": {**TEXTCAT, "model": LISTENING},
        "attn_textcat_multilabel": ALSO_LISTENS,
    },
    "lemmas": {
        "attn_lemmatizer": {"factory": "attn_lemmatizer", "model": {**SMALL, "dropout": 0.0}}
    },
    "lemmas in context": {
        "attn_lemmatizer": {
            "factory": "attn_lemmatizer",
            "model": {**WITH_CONTEXT, "dropout": 0.0},
            "pos_loss": 1.0,
        }
    },
    "texts": {
        "attn_seq2seq": {
            "factory": "attn_seq2seq",
            "model": SMALL_WRITER,
            "min_frequency": 1,
            "scorer": None,
        }
    },
}
EXAMPLES = {
    "attn_textcat": lambda nlp: make_categories(nlp, CATEGORIES),
    "attn_textcat_multilabel": lambda nlp: make_categories(nlp, CATEGORIES),
    "attn_lemmatizer": lambda nlp: make_lemmas(nlp, ROWS),
    "attn_seq2seq": lambda nlp: make_pairs(nlp),
}
# What a callback or a reader of this module has seen in this process.
SEEN: list = []


@registry.readers("tests.examples.v1")
def read_examples(name: str):
    return EXAMPLES[name]


@registry.readers("tests.first_alone.v1")
def read_dev(name: str):
    def read(nlp):
        SEEN.append("evaluated")
        yield from EXAMPLES[name](nlp)

    return read


@registry.callbacks("tests.note_weights.v1")
def make_note_weights():
    """Note all weights before each step, and random numbers that all processes draw alike."""

    def note(nlp, _):
        weights = [w for pipe in models(nlp) for _, w, _ in parameters(pipe)]
        SEEN.append([crc32(w.numpy().copy()) for w in weights])
        SEEN.append([random.random(), numpy.random.random()])

    return note


def models(nlp):
    return [pipe.model for _, pipe in nlp.pipeline]


def make_config(kind="classes", components=None, **training) -> Config:
    components = PIPELINES[kind] if components is None else components
    name = list(components)[-1]
    config = {
        "nlp": {"lang": "xx", "pipeline": list(components)},
        "components": components,
        "corpora": {
            "train": {"@readers": "tests.examples.v1", "name": name},
            "dev": {"@readers": "tests.first_alone.v1", "name": name},
        },
        "training": {
            "seed": 0,
            "gpu_allocator": None,
            "dropout": 0.0,
            "max_steps": 8,
            "eval_frequency": 4,
            "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 3},
            # Unlike Adam, it makes no long steps of gradients that are mere rounding.
            "optimizer": {"@optimizers": "SGD.v1", "learn_rate": 0.1},
            "before_update": {"@callbacks": "tests.note_weights.v1"},
            **training,
        },
    }
    return Config(config)


def weights_of(nlp):
    return [weights.numpy().copy() for each in models(nlp) for _, weights, _ in parameters(each)]


def train_alone(config):
    nlp = init_nlp(config)
    train(nlp, stdout=io.StringIO())
    return weights_of(nlp)


def train_in_two(config, change=lambda: None):
    """Return, of each process, the weights, the scores, and what was seen there."""

    def run():
        SEEN.clear()
        change()
        nlp = train_together(config, None)
        return weights_of(nlp), nlp.meta["performance"], SEEN

    return run_in_processes(run)


def succeed(found):
    for each in found:
        assert not isinstance(each, Failure), each
    return found


ADAM = {"@optimizers": "spacy-attn.FusedAdam.v1", "learn_rate": 0.001}
SETTINGS = [
    *((kind, {}) for kind in PIPELINES),
    # Learns in batches of one document, so that one of two processes gets nothing.
    ("perturbed classes", {"accumulate_gradient": 2}),
    ("listeners", {"accumulate_gradient": 2}),
    ("lemmas", {"accumulate_gradient": 2}),
    ("texts", {"max_epochs": -1}),
    ("perturbed classes", {"optimizer": ADAM}),
    ("lemmas in context", {"optimizer": ADAM}),
]


@pytest.mark.filterwarnings("ignore:.*streamed corpus", "ignore:The first batch has 1")
@pytest.mark.parametrize(("kind", "training"), SETTINGS)
def test_two_processes_end_with_the_weights_of_one(kind, training):
    config = make_config(kind, **training)
    alone = train_alone(config)
    first, second = succeed(train_in_two(config))
    for one, two in zip(alone, first[0], strict=True):
        numpy.testing.assert_allclose(one, two, rtol=0, atol=1e-5)
    noted = [[each for each in seen if each != "evaluated"] for _, _, seen in (first, second)]
    assert len(noted[0]) > 8
    assert noted[0] == noted[1]
