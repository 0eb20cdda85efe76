"""On a GPU, with CuPy installed: the same results as on a CPU. Skipped where there is none."""

import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import prefer_gpu, require_cpu, set_gpu_allocator
from thinc.util import has_cupy_gpu, has_torch_cuda_gpu

from spacy_attn.results.written_data import store_target

from .conftest import MIXED_TEXTS, SMALL_MODEL, TOK2VEC, make_nlp, train

pytestmark = pytest.mark.skipif(
    not (has_cupy_gpu and has_torch_cuda_gpu), reason="needs a GPU, and CuPy"
)


@pytest.fixture(autouse=True)
def gpu():
    set_gpu_allocator("pytorch")
    assert prefer_gpu()
    yield
    require_cpu()


@pytest.mark.parametrize("mixed_precision", [False, True])
def test_training_on_a_gpu_learns_and_annotates_with_arrays_on_the_cpu(factory, mixed_precision):
    nlp = make_nlp(factory, model={**SMALL_MODEL, "mixed_precision": mixed_precision})
    first = train(nlp, steps=1)[factory]
    assert train(nlp, steps=40, drop=0.1)[factory] < first
    for doc in nlp.pipe(MIXED_TEXTS):
        assert isinstance(doc._.attention, numpy.ndarray)
        assert len(doc) == 0 or doc._.attention.sum() == pytest.approx(1.0, abs=1e-3)
        assert all(isinstance(score, float) for score in doc.cats.values())


def test_a_pipeline_trained_on_a_gpu_predicts_the_same_on_a_cpu(tmp_path):
    nlp = make_nlp()
    train(nlp, steps=20)
    nlp.to_disk(tmp_path)
    docs = list(nlp.pipe(MIXED_TEXTS))
    require_cpu()
    for doc, other in zip(docs, spacy.load(tmp_path).pipe(MIXED_TEXTS), strict=True):
        assert doc.cats == pytest.approx(other.cats, abs=1e-4)
        numpy.testing.assert_allclose(doc._.attention, other._.attention, atol=1e-3)


def test_averaged_weights_and_added_labels_work_on_a_gpu():
    nlp = make_nlp()
    sgd = nlp.create_optimizer()
    train(nlp, steps=5, sgd=sgd)
    with nlp.use_params(sgd.averages):
        averaged = nlp("great fun").cats
    assert averaged != nlp("great fun").cats
    nlp.get_pipe("attn_textcat").add_label("neutral")
    assert len(nlp("great fun").cats) == 3


LEMMAS = {"cats": "cat", "Dogs": "dog", "mice": "mouse", "houses": "house", "walked": "walk"}
SMALL_DECODER = {"symbol_width": 16, "hidden_width": 16, "decoder_width": 32, "output_width": 16}


def lemmatizer(steps):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("attn_lemmatizer", config={"model": SMALL_DECODER, "dictionary": False})
    words = list(LEMMAS)
    gold = [Doc(nlp.vocab, words=words, lemmas=list(LEMMAS.values()), pos=["NOUN"] * 5)]
    examples = [Example(nlp.make_doc(" ".join(words)), doc) for doc in gold]
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.01
    losses = [nlp.update(examples, sgd=sgd)["attn_lemmatizer"] for _ in range(steps)]
    return nlp, pipe, losses


def test_a_lemmatizer_trained_on_a_gpu_writes_the_same_on_a_cpu(tmp_path):
    nlp, pipe, losses = lemmatizer(steps=80)
    assert losses[-1] < losses[0] / 10
    doc = nlp(" ".join(LEMMAS))
    assert [token.lemma_ for token in doc] == list(LEMMAS.values())
    (alignments,) = pipe.explain([doc])
    nlp.to_disk(tmp_path)
    require_cpu()
    loaded = spacy.load(tmp_path)
    other = loaded(" ".join(LEMMAS))
    assert [token.lemma_ for token in other] == [token.lemma_ for token in doc]
    (expected,) = loaded.get_pipe("attn_lemmatizer").explain([other])
    for alignment, on_cpu in zip(alignments, expected, strict=True):
        numpy.testing.assert_allclose(alignment.weights, on_cpu.weights, atol=1e-3)


def test_texts_are_written_on_a_gpu_as_on_a_cpu(tmp_path):
    nlp = spacy.blank("en")
    model = {**SMALL_DECODER, "tied": False, "tok2vec": TOK2VEC}
    config = {"model": model, "min_frequency": 1, "beam_width": 2}
    nlp.add_pipe("attn_seq2seq", config=config)
    examples = []
    for text, target in {"one two": "eins zwei", "two three": "zwei drei"}.items():
        doc = nlp.make_doc(text)
        store_target(doc, target)
        examples.append(Example(nlp.make_doc(text), doc))
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.01
    for _ in range(80):
        nlp.update(examples, sgd=sgd)
    docs = [nlp(example.text) for example in examples]
    assert [doc._.generated for doc in docs] == ["eins zwei", "zwei drei"]
    assert all(isinstance(doc._.alignment, numpy.ndarray) for doc in docs)
    nlp.to_disk(tmp_path)
    require_cpu()
    for doc, other in zip(docs, spacy.load(tmp_path).pipe(doc.text for doc in docs), strict=True):
        assert other._.generated == doc._.generated
        numpy.testing.assert_allclose(doc._.alignment, other._.alignment, atol=1e-3)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_processes_train_on_a_gpu_each(tmp_path):
    root = Path(__file__).parents[1]
    few = {"corpora.train.limit": 200, "corpora.dev.limit": 50, "training.max_steps": 4}
    settings = {**few, "training.eval_frequency": 2, "system.gpu_allocator": "pytorch"}
    command = [
        sys.executable,
        *["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    ]
    command += ["-m", "spacy", "attn", "train", "configs/default.cfg", "--gpu-id", "0"]
    command += ["--output", str(tmp_path)]
    command += [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    require_cpu()
    assert spacy.load(tmp_path / "model-best")("great fun").cats
