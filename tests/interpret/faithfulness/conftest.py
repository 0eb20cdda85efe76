import numpy
import pytest

from spacy_attn.interpret.faithfulness.batch import Batch
from spacy_attn.interpret.subject import Classifier
from spacy_attn.pipeline.decisions import Decisions

from ...conftest import make_examples

METHODS = ("contributions", "gradient_x_input", "leave_one_out")


@pytest.fixture(scope="session")
def make_batch(words_nlp):
    """A function from texts (by default the training texts) to a batch of them."""

    def make(texts=None, nlp=words_nlp, methods=METHODS) -> Batch:
        return Batch.make(Classifier(nlp), make_examples(nlp, texts), methods)

    return make


class StubClassifier:
    """Labels exclude each other; the score of the first is 0.9 minus 0.2 for each of the tokens 0
    and 2 that is missing, and minus 0.1 for token 1."""

    exclusive = True
    labels = ("yes", "no")
    worth = numpy.array([0.2, 0.1, 0.2, 0.0])

    def logits_of_parts(self, docs, parts):
        for doc_parts in parts:
            yes = [0.9 - self.worth.sum() + self.worth[kept].sum() for kept in doc_parts]
            yield numpy.array([[score, 1 - score] for score in yes])

    def probabilities(self, logits):
        return logits

    decisions = Decisions(labels, exclusive)


@pytest.fixture
def stub() -> StubClassifier:
    return StubClassifier()
