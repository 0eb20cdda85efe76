import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.torch.batching import MAX_PADDED_TOKENS, cut_by_length, pad_by_length

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
def test_sub_batches_read_each_document_forward_and_backward_within_its_own_rows(lengths):
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    padding = pad_by_length(lengths, torch.device("cpu"))
    groups = cut_by_length(lengths)
    assert len(padding.forward) == len(padding.backward) == len(groups)
    for forward, backward, group in zip(padding.forward, padding.backward, groups, strict=True):
        assert forward.shape == backward.shape == (max(lengths[i] for i in group), len(group))
        for column, document in enumerate(group):
            n = lengths[document]
            rows = list(range(starts[document], starts[document] + n))
            assert forward[:n, column].tolist() == rows
            assert backward[:n, column].tolist() == rows[::-1]
            # Padding never points outside the document.
            assert set(forward[:, column].tolist()) <= set(rows)
            assert set(backward[:, column].tolist()) <= set(rows)


@given(lengths_of_documents.filter(any))
def test_every_token_is_found_again_in_the_sub_batches_of_either_direction(lengths):
    padding = pad_by_length(lengths, torch.device("cpu"))
    for sub_batches, after in (
        (padding.forward, padding.after_forward),
        (padding.backward, padding.after_backward),
    ):
        steps = torch.cat([rows.flatten() for rows in sub_batches])
        assert steps[after].tolist() == list(range(sum(lengths)))
        # The first step that reads a row is the token itself; those after it are padding.
        assert len(set(after.tolist())) == sum(lengths)
