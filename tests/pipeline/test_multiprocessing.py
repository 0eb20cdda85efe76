"""`nlp.pipe(n_process=2)`, in processes of their own so that a deadlock is a failure and not a
hang."""

import os
import signal
import subprocess
import sys

import pytest
import spacy

SECONDS = 120

SCRIPT = """
import multiprocessing
import sys

import numpy
import spacy
import torch

TEXTS = ["", "A gorgeous, witty, seductive movie.", "  ", "dull " * 50, "great fun"] * 8


def main():
    torch.set_num_threads(2)
    settings = {
        "attn_textcat": {"contributions_attr": "contributions"},
        "attn_lemmatizer": {"alignment": True},
    }
    nlp = spacy.load(sys.argv[1], config={"components": settings})
    # Run torch on several threads here first: what then hangs in a forked child that does the same.
    expected = list(nlp.pipe(["word " * 400] * 8 + TEXTS))[8:]
    threads = torch.get_num_threads()
    for method in sys.argv[2:]:
        multiprocessing.set_start_method(method, force=True)
        docs = list(nlp.pipe(TEXTS, n_process=2, batch_size=4))
        assert [doc.text for doc in docs] == TEXTS
        for doc, other in zip(docs, expected):
            scores, others = list(doc.cats.values()), list(other.cats.values())
            numpy.testing.assert_allclose(scores, others, atol=1e-5)
            numpy.testing.assert_allclose(doc._.attention, other._.attention, atol=1e-5)
            numpy.testing.assert_allclose(doc._.contributions, other._.contributions, atol=1e-5)
            assert doc._.contributions_labels == other._.contributions_labels
            assert doc._.attention.flags.owndata
            assert len(doc) == 0 or abs(doc[:]._.attention - 1.0) < 1e-5
            assert [token.lemma_ for token in doc] == [token.lemma_ for token in other]
            for token, same in zip(doc, other):
                assert token._.lemma_source == same._.lemma_source
                if token.is_space:
                    assert token._.lemma_alignment is None
                    continue
                numpy.testing.assert_allclose(
                    token._.lemma_alignment, same._.lemma_alignment, atol=1e-5
                )
        assert torch.get_num_threads() == threads == 2
        print("equal", method, len(docs))


if __name__ == "__main__":
    main()
"""

THREADS_SCRIPT = """
import copy
import os
import pickle
import sys

import spacy
import torch

torch.set_num_threads(2)
for how in sys.argv[2:]:
    nlp = spacy.load(sys.argv[1])
    if how == "pickled":
        nlp = pickle.loads(pickle.dumps(nlp))
    elif how == "copied":
        component = nlp.get_pipe("attn_textcat")
        component.model = copy.deepcopy(component.model)
    nlp("word " * 2000)
    pid = os.fork()
    if pid == 0:
        if how == "loaded in the child":
            nlp = spacy.load(sys.argv[1])
        nlp("word " * 2000)
        os._exit(0 if torch.get_num_threads() == 1 else 1)
    assert os.waitpid(pid, 0)[1] == 0, how
    assert torch.get_num_threads() == 2
    print(how)
"""


@pytest.fixture
def model_path(trained_nlp, lemmatizer, tmp_path):
    """The folder of a pipeline with a classifier and a lemmatizer."""
    trained_nlp.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model")
    nlp.add_pipe("attn_lemmatizer", source=lemmatizer)
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def run(script, tmp_path, *arguments):
    path = tmp_path / "script.py"
    path.write_text(script)
    process = subprocess.Popen(
        [sys.executable, str(path), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its hanging children, too
        raise
    assert process.returncode == 0, errors
    return output.strip()


def test_two_processes_give_the_same_documents_in_order(model_path, tmp_path):
    output = run(SCRIPT, tmp_path, model_path, "fork", "spawn")
    assert output.splitlines() == ["equal fork 40", "equal spawn 40"]


def test_a_forked_child_keeps_to_one_thread_and_does_not_hang(model_path, tmp_path):
    ways = ["loaded", "pickled", "copied", "loaded in the child"]
    assert run(THREADS_SCRIPT, tmp_path, model_path, *ways).splitlines() == ways
