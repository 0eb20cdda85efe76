import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.nn.batching import MAX_PADDED_TOKENS, Layout
from spacy_attn.nn.read_states import MAX_PROBABILITIES, Source


def make_source(lengths) -> Source:
    """Sources whose parts are all counted through."""
    n, cpu = sum(lengths), torch.device("cpu")
    states = torch.arange(n, dtype=torch.float32).view(n, 1)
    each = torch.arange(len(lengths), dtype=torch.float32).view(-1, 1)
    return Source(states, states + 0.5, Layout(lengths, cpu), torch.arange(n), each, each + 0.5)


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=20),
    st.integers(1, 9),
    st.sampled_from([3, MAX_PROBABILITIES // 10, 2 * MAX_PROBABILITIES]),
)
def test_every_source_is_in_one_group_to_write_and_no_group_exceeds_memory(
    lengths, beam_width, n_symbols
):
    source = make_source(lengths)
    groups = [group.tolist() for group in source.groups_to_write(beam_width, n_symbols)]
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        longest = max(lengths[i] for i in group)
        assert len(group) == 1 or len(group) * longest * beam_width <= MAX_PADDED_TOKENS
        assert len(group) == 1 or len(group) * n_symbols * beam_width <= MAX_PROBABILITIES


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6), st.randoms())
def test_padded_sources_have_their_own_parts_and_padding_has_no_weight(lengths, random):
    source, order = make_source(lengths), list(range(len(lengths)))
    random.shuffle(order)
    padded = source.padded(torch.tensor(order)).rows(torch.tensor([1, 0]))
    for row, i in enumerate([order[1], order[0]]):
        start, n = sum(lengths[:i]), lengths[i]
        assert padded.symbols[row, :n].tolist() == list(range(start, start + n))
        assert torch.equal(padded.states[row, :n], source.states[start : start + n])
        assert torch.equal(padded.compared[row, :n], source.compared[start : start + n])
        assert not padded.evidence[row, :n].any()
        assert padded.evidence[row, n:].isneginf().all()
        assert padded.context[row] == source.context[i]
        assert padded.first[row] == source.first[i]
