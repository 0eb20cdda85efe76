"""A pipeline that is sent to worker processes: each has weights of its own."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.reduction import ForkingPickler

import numpy
import pytest
import torch

from ..conftest import SMALL_MODEL, make_nlp, train

TEXT = "great fun and a joy"
LABEL = "positive"


def arrays_of(nlp):
    """All weights: those of torch and those of Thinc."""
    for node in nlp.get_pipe("attn_textcat").model.walk():
        for name in node.param_names:
            yield node.get_param(name)
        for shim in node.shims:
            yield from (parameter.detach().numpy() for parameter in shim.module.parameters())


def train_in_worker(nlp):
    torch.set_num_threads(1)
    before = nlp(TEXT).cats[LABEL]
    train(nlp, steps=5)
    return before, nlp(TEXT).cats[LABEL]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_training_in_workers_changes_neither_the_parent_nor_what_others_are_sent(method):
    nlp = make_nlp()
    score = nlp(TEXT).cats[LABEL]
    weights = [array.copy() for array in arrays_of(nlp)]
    # One worker, which takes seconds to start. Its second task would see what the first changes.
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        results = list(pool.map(train_in_worker, [nlp] * 2))
    for before, after in results:
        assert before == pytest.approx(score, abs=1e-6)
        assert after != pytest.approx(score, abs=1e-3)
    for array, expected in zip(arrays_of(nlp), weights, strict=True):
        numpy.testing.assert_array_equal(array, expected)
    assert nlp(TEXT).cats[LABEL] == score


def test_what_a_pool_is_sent_shares_no_memory_and_is_about_as_large_as_the_weights():
    # A module that is much larger than what surrounds it.
    nlp = make_nlp(model={**SMALL_MODEL, "hidden_width": 256})
    component = nlp.get_pipe("attn_textcat")
    sgd = nlp.create_optimizer()
    train(nlp, steps=1, sgd=sgd)
    sent = bytes(ForkingPickler.dumps((component.model, sgd)))
    assert b"torch.multiprocessing" not in sent
    # Weights and two moments.
    size = 3 * sum(array.nbytes for array in arrays_of(nlp))
    assert size < len(sent) < 1.1 * size + 50_000
    model, _ = ForkingPickler.loads(sent)
    docs = [nlp.make_doc(TEXT)]
    numpy.testing.assert_array_equal(model.predict(docs)[0], component.model.predict(docs)[0])


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_training_a_copy_leaves_the_original_as_it_is(duplicate):
    nlp = make_nlp()
    component = nlp.get_pipe("attn_textcat")
    original = component.model
    weights = [array.copy() for array in arrays_of(nlp)]
    component.model = duplicate(original)
    train(nlp, steps=1)
    component.model = original
    for array, expected in zip(arrays_of(nlp), weights, strict=True):
        numpy.testing.assert_array_equal(array, expected)
