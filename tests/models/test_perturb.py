import numpy
import pytest
from thinc.api import NumpyOps

from spacy_attn.models.arrays import TokenArrays
from spacy_attn.models.perturb import perturb


def arrays(*lengths, seed=0):
    generator = numpy.random.default_rng(seed)
    return TokenArrays(generator.normal(size=(sum(lengths), 4)).astype("f"), lengths)


def test_each_document_moves_along_its_gradient_by_the_given_norm():
    vectors, gradients = arrays(3, 1, 5), arrays(3, 1, 5, seed=1)
    rms = numpy.sqrt(numpy.mean(vectors.joined**2))
    moved = perturb(NumpyOps(), vectors, gradients, 2.0)
    for before, after, gradient in zip(vectors, moved, gradients, strict=True):
        step = after - before
        assert numpy.linalg.norm(step) == pytest.approx(2.0 * rms, rel=1e-4)
        cosine = (step * gradient).sum() / numpy.linalg.norm(step) / numpy.linalg.norm(gradient)
        assert cosine == pytest.approx(1.0, abs=1e-5)


def test_documents_without_tokens_or_gradient_stay():
    vectors = arrays(0, 2)
    moved = perturb(NumpyOps(), vectors, TokenArrays(0 * vectors.joined, vectors.lengths), 2.0)
    for before, after in zip(vectors, moved, strict=True):
        numpy.testing.assert_array_equal(before, after)
