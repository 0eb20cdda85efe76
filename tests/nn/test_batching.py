import itertools
import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.nn.batching import MAX_PADDED_TOKENS, cut_by_length, sub_batches

lengths_of_documents = st.lists(st.integers(0, 60), max_size=80)


@given(lengths_of_documents)
def test_every_document_with_tokens_is_in_exactly_one_sub_batch(lengths):
    groups = cut_by_length(lengths)
    assert sorted(i for group in groups for i in group) == [i for i, n in enumerate(lengths) if n]


@given(lengths_of_documents, st.integers(1, 200))
def test_no_sub_batch_of_several_documents_exceeds_the_bound(lengths, bound):
    for group in cut_by_length(lengths, bound):
        longest = max(lengths[i] for i in group)
        assert len(group) == 1 or len(group) * longest <= bound


def test_a_long_document_among_short_ones_costs_what_its_tokens_cost():
    lengths = [20] * 2000
    lengths[777] = 20_000
    padded = sum(len(group) * lengths[group[0]] for group in cut_by_length(lengths))
    assert padded < 1.05 * sum(lengths)


def test_mixed_lengths_are_padded_by_less_than_a_quarter():
    lengths = [5 + (i * 7919) % 300 for i in range(1000)]
    groups = cut_by_length(lengths)
    padded = sum(len(group) * lengths[group[0]] for group in groups)
    assert padded < 1.25 * sum(lengths)
    assert len(groups) > sum(lengths) / MAX_PADDED_TOKENS


@given(lengths_of_documents)
def test_where_calls_cost_most_only_the_bound_cuts(lengths):
    groups = cut_by_length(lengths, 100, call_cost=math.inf)
    for group, following in itertools.pairwise(groups):
        assert (len(group) + 1) * lengths[group[0]] > 100
        assert lengths[group[-1]] >= lengths[following[0]]


def sub_batches_of(lengths):
    return sub_batches(lengths, torch.device("cpu"))


@given(lengths_of_documents)
def test_every_token_is_in_exactly_one_sub_batch_in_the_order_of_its_documents(lengths):
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    groups = sub_batches_of(lengths)
    for group in groups:
        assert group.lengths == [lengths[i] for i in group.documents]
        rows = [row for i in group.documents for row in range(starts[i], starts[i] + lengths[i])]
        assert group.tokens.tolist() == rows
    found = sorted(row for group in groups for row in group.tokens.tolist())
    assert found == list(range(sum(lengths)))


@given(lengths_of_documents)
def test_sub_batches_read_each_document_forward_and_backward_within_its_own_tokens(lengths):
    for group in sub_batches_of(lengths):
        shape = (max(group.lengths), len(group.lengths))
        assert group.forward.shape == group.backward.shape == shape
        start = 0
        for column, n in enumerate(group.lengths):
            tokens = list(range(start, start + n))
            assert group.forward[:n, column].tolist() == tokens
            assert group.backward[:n, column].tolist() == tokens[::-1]
            # Padding never points outside the document.
            assert set(group.forward[:, column].tolist()) <= set(tokens)
            assert set(group.backward[:, column].tolist()) <= set(tokens)
            start += n


@given(lengths_of_documents)
def test_every_token_is_found_again_among_the_steps_of_either_direction(lengths):
    for group in sub_batches_of(lengths):
        n_tokens = sum(group.lengths)
        for steps, after in (
            (group.forward, group.after_forward),
            (group.backward, group.after_backward),
        ):
            assert steps.flatten()[after].tolist() == list(range(n_tokens))
            # The first step that reads a token is the token itself; those after it are padding.
            assert len(set(after.tolist())) == n_tokens
            assert all(step // len(group.lengths) < group.lengths[0] for step in after.tolist())
