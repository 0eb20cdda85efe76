import math

import numpy
import pytest
import torch

from spacy_attn.torch.attention import SCORINGS, Attention

WIDTH, KEYS, QUERIES = 6, 5, 3


def softmax(scores):
    exponentials = numpy.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def score(module: Attention, key, query):
    """The scoring functions, written out for one key and one query in NumPy."""
    weights = {name: value.detach().numpy() for name, value in module.named_parameters()}
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
    keys, queries = torch.randn(2, KEYS, WIDTH), torch.randn(2, QUERIES, WIDTH)
    lengths = [KEYS, 2]
    mask = torch.arange(KEYS) < torch.tensor(lengths).unsqueeze(1)
    contexts, weights = module(keys, queries, mask)
    for b, length in enumerate(lengths):
        own_keys = keys[b, :length].numpy()
        for q in range(QUERIES):
            query = queries[b, q].numpy()
            expected = softmax(numpy.array([score(module, key, query) for key in own_keys]))
            actual = weights[b, q].detach().numpy()
            numpy.testing.assert_allclose(actual[:length], expected, atol=1e-6)
            assert (actual[length:] == 0).all()
            numpy.testing.assert_allclose(
                contexts[b, q].detach().numpy(), expected @ own_keys, atol=1e-5
            )


@pytest.mark.parametrize("scoring", SCORINGS)
def test_padding_has_no_weight_and_no_effect_whatever_stands_there(scoring):
    module = Attention(WIDTH, scoring)
    keys, queries = torch.randn(1, KEYS, WIDTH), torch.randn(1, 1, WIDTH)
    mask = torch.tensor([[True, True, True, False, False]])
    contexts, weights = module(keys, queries, mask)
    keys[0, 3:] = 1e4
    other_contexts, other_weights = module(keys, queries, mask)
    assert torch.equal(contexts, other_contexts)
    assert torch.equal(weights, other_weights)


def test_large_scores_do_not_overflow():
    module = Attention(WIDTH, "dot")
    _, weights = module(
        torch.full((1, 2, WIDTH), 1e4),
        torch.full((1, 1, WIDTH), 1e4),
        torch.ones(1, 2, dtype=torch.bool),
    )
    torch.testing.assert_close(weights, torch.full((1, 1, 2), 0.5))
