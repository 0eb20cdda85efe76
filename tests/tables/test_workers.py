import pytest

from .scripts import run_script

SPAWN = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from spacy_attn import Annotator


class Reporting:
    def __init__(self, annotator):
        self.annotator = annotator

    def __call__(self, batch):
        labels = self.annotator(batch)["label"]
        return labels, torch.get_num_threads()


if __name__ == "__main__":
    torch.set_num_threads(3)
    annotator = Annotator(sys.argv[1], n_threads=2)
    annotator({"text": ["fun"]})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        print(*pool.map(Reporting(annotator), [{"text": ["great fun"]}, {"text": ["dull"]}]))
    print(torch.get_num_threads())
"""


@pytest.mark.slow
def test_a_worker_has_the_threads_that_are_asked_for_and_its_parent_keeps_its_own(model, tmp_path):
    lines = run_script(SPAWN, tmp_path, model)
    assert lines == ["(['positive'], 2) (['negative'], 2)", "3"]
