import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.nn.known import KnownSequences

END, N_SYMBOLS = 0, 5
SEQUENCES = st.lists(st.lists(st.integers(1, N_SYMBOLS - 1), max_size=4), max_size=8)


def node_of(known, sequence):
    node = torch.tensor(known.ROOT)
    for symbol in sequence:
        node = known.after(node, torch.tensor(symbol))
    return int(node)


@given(SEQUENCES, SEQUENCES)
def test_a_beginning_has_a_node_of_its_own_if_a_known_sequence_begins_with_it(sequences, others):
    known = KnownSequences(sequences, END, N_SYMBOLS, 2.0)
    beginnings = {(): None} | {
        tuple([*each, END][: n + 1]): None for each in sequences for n in range(len(each) + 1)
    }
    nodes = {each: node_of(known, each) for each in beginnings}
    assert len(set(nodes.values())) == len(nodes)
    assert known.NONE not in nodes.values()
    for each in others:
        for sequence in (each, [*each, END]):
            assert (node_of(known, sequence) == known.NONE) == (tuple(sequence) not in beginnings)


def test_a_symbol_that_only_a_source_has_begins_nothing_that_is_known():
    # As numbers, a node and a symbol too large could be another node and a symbol.
    known = KnownSequences([[1, 2], [3]], END, N_SYMBOLS, 2.0)
    nodes = torch.tensor([[known.ROOT, known.NONE]])
    for symbol in range(N_SYMBOLS, 4 * N_SYMBOLS):
        found = known.after(nodes, torch.full((1, 2), symbol))
        assert found.tolist() == [[known.NONE, known.NONE]]


def test_what_is_known_has_the_bonus_and_nothing_else_has():
    known = KnownSequences([[1]], END, N_SYMBOLS, 2.5)
    assert known.bonuses(torch.tensor([known.ROOT, 1, known.NONE])).tolist() == [2.5, 2.5, 0.0]
