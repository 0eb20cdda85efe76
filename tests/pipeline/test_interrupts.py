"""A training step that is interrupted: all of it has been made, or nothing."""

import pickle
import sys
from itertools import count
from pathlib import Path

import numpy
import pytest
import torch
from thinc.api import Adam

import spacy_attn
from spacy_attn.models.fused_adam import FusedAdam_v1
from spacy_attn.models.weights import parameters

from ..conftest import SMALL_MODEL, make_examples, make_nlp

# Interrupts are raised at lines of these.
FILES = tuple(str(Path(package.__file__).parent) for package in (spacy_attn, torch.optim))
SUBWORDS = {
    "@architectures": "spacy-attn.SubwordEmbedding.v1",
    "width": 4,
    "min_frequency": 1,
    "ngram_rows": 20,
    "word_dropout": 0.0,
}
MODEL = {**SMALL_MODEL, "tok2vec": SUBWORDS, "hidden_width": 4}


def interrupt(function, place):
    """Run a function, and raise KeyboardInterrupt at its line number `place`, counted as it runs.

    Returns:
        Whether it has so many lines.
    """
    lines = count()

    def trace(frame, event, _):
        if not frame.f_code.co_filename.startswith(FILES):
            return None
        if event == "line" and next(lines) == place:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def gradients_of(component):
    return numpy.concatenate(
        [
            numpy.zeros(weights.numel()) if gradient is None else gradient.numpy().ravel().copy()
            for _, weights, gradient in parameters(component.model)
        ]
    )


def state_of(component, sgd):
    """Weights, moments, averages and numbers of updates."""
    found = [weights.numpy().ravel() for _, weights, _ in parameters(component.model)]
    for table in (sgd.mom1, sgd.mom2, sgd.averages):
        found += [table[key].ravel() for key in sorted(table) if table[key].any()]
    found.append([n for key, n in sorted(sgd.nr_update.items()) if n])
    return numpy.concatenate(found)


def make_component():
    nlp = make_nlp(model=MODEL)
    return nlp.get_pipe("attn_textcat"), make_examples(nlp)


@pytest.mark.parametrize("accumulated", [False, True], ids=["alone", "after another batch"])
def test_an_interrupted_batch_adds_nothing_to_the_gradients(accumulated):
    component, examples = make_component()
    component.cfg["temperature"] = 1.0 if accumulated else 2.0
    if accumulated:
        component.update(examples[:3])
    before, temperature = gradients_of(component), component.temperature
    assert before.any() == accumulated
    place, n_interrupted = 0, 0
    # Every eleventh line, since each takes an update.
    while interrupt(lambda: component.update(examples), place):
        if not numpy.array_equal(gradients_of(component), before):
            break  # in the last lines, after all of the batch has been added
        assert component.temperature == temperature
        place, n_interrupted = place + 11, n_interrupted + 1
    assert n_interrupted > 20
    whole = gradients_of(component)
    reference, _ = make_component()
    if accumulated:
        reference.update(examples[:3])
    reference.update(examples)
    numpy.testing.assert_allclose(whole, gradients_of(reference), atol=1e-6)


def test_an_interrupted_step_is_made_as_a_whole_or_not_at_all():
    component, examples = make_component()
    sgd = FusedAdam_v1(0.01, L2=0.01)
    component.update(examples, sgd=sgd)
    stored = pickle.dumps((component.model, sgd))
    nothing = state_of(component, sgd)
    component.update(examples)
    component.finish_update(sgd)
    everything = state_of(component, sgd)
    outcomes = []
    for place in count(0, 11):
        component.model, sgd = pickle.loads(stored)
        component.update(examples)
        if not interrupt(lambda optimizer=sgd: component.finish_update(optimizer), place):
            break
        state = state_of(component, sgd)
        outcomes.append(numpy.array_equal(state, everything))
        assert outcomes[-1] or numpy.array_equal(state, nothing), place
        # At place 0 nothing has begun.
        assert place == 0 or not gradients_of(component).any(), place
    assert outcomes == sorted(outcomes)
    assert {True, False} == set(outcomes)


def test_the_first_step_interrupted_leaves_no_averages():
    component, examples = make_component()
    sgd = FusedAdam_v1(0.01)
    component.update(examples)
    place = 0
    while not sgd.averages:
        assert interrupt(lambda: component.finish_update(sgd), place)
        component.update(examples)
        place += 7
    assert all(average.any() for average in sgd.averages.values())


def test_gradients_are_forgotten_when_another_optimizer_is_interrupted(monkeypatch):
    component, examples = make_component()
    component.update(examples)

    def interrupt_step(*args, **kwargs):
        raise KeyboardInterrupt

    sgd = Adam(0.01)
    monkeypatch.setattr(type(sgd), "__call__", interrupt_step)
    with pytest.raises(KeyboardInterrupt):
        component.finish_update(sgd)
    assert not gradients_of(component).any()
