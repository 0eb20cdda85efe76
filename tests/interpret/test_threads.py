"""One pipeline that many threads use at once: nothing that explains changes it for the others."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
import torch
from spacy.language import Language

import spacy_attn
from spacy_attn.interpret.methods import METHODS
from spacy_attn.interpret.show.report_page import Decisions, report
from spacy_attn.interpret.subject import Classifier
from spacy_attn.pipeline.calibration import calibrate

from ..conftest import MIXED_TEXTS, make_examples
from ..conftest import TEXTS as TEXTS_AND_LABELS
from .conftest import make

TEXTS = [text[:40] for text in MIXED_TEXTS]
N_THREADS, N_TASKS = 8, 80


@Language.component("after_all")
def after_all(doc):
    doc.user_data["best"] = max(doc.cats, key=doc.cats.get)
    return doc


@pytest.fixture(scope="module", params=["words", "listener"])
def longer_nlp(request):
    """A component before the classifier, in one of the two pipelines, and one after it."""
    nlp = make(request.param)
    nlp.add_pipe("after_all")
    return nlp


def tasks_of(nlp):
    """What threads do with a pipeline: functions without arguments that return numbers."""
    classifier = Classifier(nlp)

    def scores(docs):
        assert all(doc.user_data["best"] in doc.cats for doc in docs)
        return [score for doc in docs for score in doc.cats.values()]

    def attributions(method):
        explanations = spacy_attn.explain(nlp, TEXTS, method=method, batch_size=2)
        return numpy.concatenate([e.attributions.ravel() for e in explanations])

    def shade():
        return [spacy_attn.render(list(nlp.pipe(TEXTS)), jupyter=False).count("<mark")]

    def write_report():
        explanations = list(spacy_attn.explain(nlp, TEXTS))
        page = report(
            explanations, [{}] * len(TEXTS), Decisions(classifier.labels, classifier.exclusive)
        )
        return [page.count("gorgeous")]

    def summarize():
        summary = spacy_attn.summarize_corpus(nlp, make_examples(nlp), min_count=1)
        return [summary.to_dict()["n_docs"]]

    return [
        lambda: scores([nlp(text) for text in TEXTS]),
        lambda: scores(nlp.pipe(TEXTS, batch_size=3)),
        *(lambda method=method: attributions(method) for method in METHODS),
        shade,
        write_report,
        summarize,
    ]


def test_threads_that_predict_and_explain_do_not_disturb_each_other(longer_nlp):
    tasks = tasks_of(longer_nlp)
    expected = [task() for task in tasks]
    order = random.Random(0).choices(range(len(tasks)), k=N_TASKS)
    with ThreadPoolExecutor(N_THREADS) as pool:
        found = list(pool.map(lambda which: tasks[which](), order))
    for which, values in zip(order, found, strict=True):
        numpy.testing.assert_allclose(values, expected[which], atol=1e-4, err_msg=str(which))


@pytest.mark.parametrize("method", METHODS)
def test_a_pipeline_is_never_changed_while_it_explains(longer_nlp, method, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the state of the pipeline was changed")

    for name in ("select_pipes", "disable_pipe", "enable_pipe"):
        monkeypatch.setattr(Language, name, refuse)
    monkeypatch.setattr(torch.nn.Module, "train", refuse)
    monkeypatch.setattr(torch.backends.cudnn, "set_flags", refuse)
    assert len(list(spacy_attn.explain(longer_nlp, TEXTS, method=method))) == len(TEXTS)
    summary = spacy_attn.summarize_corpus(longer_nlp, make_examples(longer_nlp), method=method)
    assert summary.to_dict()


def test_calibration_changes_nothing_but_the_temperature(monkeypatch):
    nlp = make("listener")
    nlp.add_pipe("after_all")

    def refuse(*args, **kwargs):
        raise AssertionError("the state of the pipeline was changed")

    for name in ("select_pipes", "disable_pipe", "enable_pipe"):
        monkeypatch.setattr(Language, name, refuse)
    assert calibrate(nlp, "attn_textcat", make_examples(nlp)) != 1.0


def test_a_document_that_an_earlier_component_drops_is_an_error_and_not_a_shift():
    nlp = make("listener")
    nlp.get_pipe("tok2vec").set_error_handler(lambda name, component, docs, error: None)
    real = nlp.get_pipe("tok2vec").predict
    nlp.get_pipe("tok2vec").predict = lambda docs: real(docs if len(docs[0]) != 2 else 1 / 0)
    nlp.batch_size = 1
    texts = ["great fun and a joy", "great fun", "dull"]
    with pytest.raises(ValueError, match=r"before 'attn_textcat' returned 2 of 3 documents"):
        list(spacy_attn.explain(nlp, texts, batch_size=3))


def test_calibration_uses_the_examples_that_earlier_components_do_not_drop():
    nlp = make("listener")
    tok2vec = nlp.get_pipe("tok2vec")
    examples = make_examples(nlp, {**TEXTS_AND_LABELS, "dull fun": "positive", "joy": "negative"})
    expected = calibrate(nlp, "attn_textcat", examples[1:])
    tok2vec.set_error_handler(lambda name, component, docs, error: None)
    real = tok2vec.predict
    tok2vec.predict = lambda docs: real(docs if docs[0][0].text != "A" else 1 / 0)
    nlp.batch_size = 1
    assert calibrate(nlp, "attn_textcat", examples) == pytest.approx(expected)
