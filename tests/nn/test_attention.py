import math

import numpy
import pytest
import torch

from spacy_attn.nn.attention import SCORINGS, Attention
from spacy_attn.nn.batching import Layout

WIDTH, QUERIES = 6, 3
LENGTHS = [5, 0, 2, 1]


def ragged(lengths):
    return Layout(lengths, torch.device("cpu"))


def softmax(scores):
    exponentials = numpy.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def score(module: Attention, key, query):
    """The scoring functions, written out for one key and one query in NumPy."""
    weights = {name: value.detach().numpy() for name, value in module.named_parameters()}
    if module.scoring == "uniform":
        return 0.0
    if module.scoring == "dot":
        return key @ query
    if module.scoring == "scaled_dot":
        return key @ query / math.sqrt(WIDTH)
    if module.scoring == "general":
        return key @ (weights["query.weight"] @ query)
    projected = weights["key.weight"] @ key + weights["key.bias"]
    if module.scoring == "additive_query":
        projected = projected + weights["query.weight"] @ query
    return weights["energy.weight"][0] @ numpy.tanh(projected)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_weights_and_contexts_agree_with_numpy_for_several_queries(scoring):
    module = Attention(WIDTH, scoring)
    keys = torch.randn(sum(LENGTHS), WIDTH)
    queries = torch.randn(len(LENGTHS), QUERIES, WIDTH)
    contexts, weights = module(keys, queries, ragged(LENGTHS))
    for b, (own_keys, own_weights) in enumerate(
        zip(keys.split(LENGTHS), weights.split(LENGTHS), strict=True)
    ):
        for q in range(QUERIES if len(own_keys) else 0):
            query = queries[b, q].numpy()
            scores = numpy.array([score(module, key, query) for key in own_keys.numpy()])
            expected = softmax(scores)
            numpy.testing.assert_allclose(own_weights[:, q].detach(), expected, atol=1e-6)
            numpy.testing.assert_allclose(
                contexts[b, q].detach(), expected @ own_keys.numpy(), atol=1e-5
            )


@pytest.mark.parametrize("scoring", SCORINGS)
def test_padded_keys_have_the_same_weights_and_contexts(scoring):
    module = Attention(WIDTH, scoring)
    lengths = [2, 4, 1]
    keys, queries = torch.randn(3, 4, WIDTH), torch.randn(3, QUERIES, WIDTH)
    padding = torch.arange(4) >= torch.tensor(lengths).unsqueeze(1)
    evidence = torch.zeros(3, 4).masked_fill(padding, -torch.inf)
    with torch.no_grad():
        contexts, weights = module.padded(keys, queries, evidence)
        again, _ = module.padded(keys, queries, evidence, module.compared(keys))
        expected, expected_weights = module(keys[~padding], queries, ragged(lengths))
    torch.testing.assert_close(contexts, expected)
    torch.testing.assert_close(again, contexts)
    torch.testing.assert_close(weights.transpose(1, 2)[~padding], expected_weights)
    assert not weights.transpose(1, 2)[padding].any()


@pytest.mark.parametrize("scoring", SCORINGS)
def test_keys_of_other_documents_have_no_effect_whatever_they_are(scoring):
    module = Attention(WIDTH, scoring)
    keys, queries = torch.randn(5, WIDTH), torch.randn(2, 1, WIDTH)
    contexts, weights = module(keys, queries, ragged([3, 2]))
    keys[3:] = 1e4
    other_contexts, other_weights = module(keys, queries, ragged([3, 2]))
    assert torch.equal(contexts[0], other_contexts[0])
    assert torch.equal(weights[:3], other_weights[:3])


def test_documents_without_keys_have_a_context_of_zeros():
    contexts, _ = Attention(WIDTH)(
        torch.randn(3, WIDTH), torch.randn(3, 1, WIDTH), ragged([0, 3, 0])
    )
    assert (contexts[[0, 2]] == 0).all()


@pytest.mark.parametrize("value", [1e4, -1e4])
def test_large_scores_do_not_overflow(value):
    keys, queries = torch.full((2, WIDTH), 1e4), torch.full((1, 1, WIDTH), value)
    _, weights = Attention(WIDTH, "dot")(keys, queries, ragged([2]))
    torch.testing.assert_close(weights, torch.full((2, 1), 0.5))


def test_weights_sum_to_one_over_very_many_keys():
    keys = torch.randn(100_000, WIDTH)
    _, weights = Attention(WIDTH, "dot")(keys, torch.randn(1, 1, WIDTH), ragged([100_000]))
    assert weights.double().sum().item() == pytest.approx(1.0, abs=1e-6)
