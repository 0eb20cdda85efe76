import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from spacy_attn.nn import batching
from spacy_attn.nn.batching import Layout
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.head import final_states

LENGTHS = [4, 1, 9, 4, 2]


def packed_twin(encoder: BiLSTM, input_width: int, depth: int) -> torch.nn.LSTM:
    """torch's own bidirectional LSTM with the same weights."""
    twin = torch.nn.LSTM(
        input_width, encoder.sizes["hidden_width"], depth, bidirectional=True, batch_first=True
    )
    with torch.no_grad():
        for layer in range(depth):
            for suffix, module in (
                ("", encoder.forwards[layer]),
                ("_reverse", encoder.backwards[layer]),
            ):
                for name, parameter in module.named_parameters():
                    getattr(twin, name.replace("l0", f"l{layer}") + suffix).copy_(parameter)
    return twin


@pytest.fixture(autouse=True, params=[1, 8192], ids=["one by one", "all together"])
def sub_batches(request, monkeypatch):
    """Documents of these tests in a sub-batch each, and in as few as there are."""
    cut = batching.cut_by_length
    monkeypatch.setattr(batching, "cut_by_length", lambda lengths, _: cut(lengths, request.param))


def run_packed(twin, tokens):
    """RETURNS: Hidden states of all tokens and final states of all documents."""
    documents = pad_sequence(tokens.split(LENGTHS), batch_first=True)
    packed = pack_padded_sequence(documents, LENGTHS, batch_first=True, enforce_sorted=False)
    outputs, (states, _) = twin(packed)
    padded, _ = pad_packed_sequence(outputs, batch_first=True)
    hidden = torch.cat([own[:n] for own, n in zip(padded, LENGTHS, strict=True)])
    return hidden, torch.cat((states[-2], states[-1]), dim=-1)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_hidden_and_final_states_equal_those_of_a_packed_bidirectional_lstm(depth):
    encoder = BiLSTM(6, 5, depth)
    tokens = torch.randn(sum(LENGTHS), 6)
    hidden = encoder(tokens, LENGTHS)
    expected_hidden, expected_final = run_packed(packed_twin(encoder, 6, depth), tokens)
    torch.testing.assert_close(hidden, expected_hidden, atol=1e-6, rtol=0)
    final = final_states(hidden, Layout(LENGTHS, hidden.device))
    torch.testing.assert_close(final, expected_final, atol=1e-6, rtol=0)


def test_gradients_equal_those_of_a_packed_bidirectional_lstm():
    encoder = BiLSTM(6, 5, 2)
    twin = packed_twin(encoder, 6, 2)
    tokens = torch.randn(sum(LENGTHS), 6, requires_grad=True)
    other = tokens.detach().clone().requires_grad_()
    encoder(tokens, LENGTHS).square().sum().backward()
    run_packed(twin, other)[0].square().sum().backward()
    torch.testing.assert_close(tokens.grad, other.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        encoder.backwards[0].weight_hh_l0.grad, twin.weight_hh_l0_reverse.grad, atol=1e-5, rtol=1e-4
    )


@given(st.lists(st.integers(0, 15), min_size=1, max_size=12).filter(any), st.integers(1, 2))
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_document_is_encoded_alike_alone_and_in_any_batch(lengths, depth):
    encoder = BiLSTM(6, 5, depth)
    tokens = torch.randn(sum(lengths), 6)
    for own_tokens, hidden in zip(
        tokens.split(lengths), encoder(tokens, lengths).split(lengths), strict=True
    ):
        if len(own_tokens):
            alone = encoder(own_tokens, [len(own_tokens)])
            torch.testing.assert_close(alone, hidden, atol=1e-6, rtol=0)


def test_dropout_acts_on_token_vectors_and_between_layers_where_it_has_a_rate():
    tokens = torch.ones(sum(LENGTHS), 6)
    for depth, inputs in ((1, tokens), (2, torch.zeros_like(tokens))):
        encoder = BiLSTM(6, 5, depth)
        first, second = (encoder(inputs, LENGTHS, 0.5) for _ in range(2))
        assert not torch.equal(first, second)
        first, second = (mode()(inputs, LENGTHS) for mode in (encoder.train, encoder.eval))
        assert torch.equal(first, second)
