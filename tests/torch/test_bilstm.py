import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from spacy_attn.torch.batching import make_sub_batches
from spacy_attn.torch.bilstm import BiLSTM

LENGTHS = [4, 1, 9, 4, 2]


def packed_twin(encoder: BiLSTM, input_width: int, depth: int) -> torch.nn.LSTM:
    """torch's own bidirectional LSTM with the same weights."""
    twin = torch.nn.LSTM(
        input_width, encoder.hidden_width, depth, bidirectional=True, batch_first=True
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


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_hidden_and_final_states_equal_those_of_a_packed_bidirectional_lstm(depth):
    encoder = BiLSTM(6, 5, depth).eval()
    twin = packed_twin(encoder, 6, depth)
    tokens = torch.randn(sum(LENGTHS), 6)
    documents = tokens.split(LENGTHS)
    packed = pack_padded_sequence(
        pad_sequence(documents, batch_first=True), LENGTHS, batch_first=True, enforce_sorted=False
    )
    outputs, (states, _) = twin(packed)
    expected, _ = pad_packed_sequence(outputs, batch_first=True)
    for batch in make_sub_batches(LENGTHS, torch.device("cpu")):
        hidden, final = encoder(tokens, batch, 0.0)
        for column, document in enumerate(batch.documents.tolist()):
            n = LENGTHS[document]
            torch.testing.assert_close(
                hidden[:n, column], expected[document, :n], atol=1e-6, rtol=0
            )
            top = torch.cat((states[-2, document], states[-1, document]))
            torch.testing.assert_close(final[column], top, atol=1e-6, rtol=0)


def test_gradients_equal_those_of_a_packed_bidirectional_lstm():
    encoder = BiLSTM(6, 5, 2)
    twin = packed_twin(encoder, 6, 2)
    tokens = torch.randn(sum(LENGTHS), 6, requires_grad=True)
    other = tokens.detach().clone().requires_grad_()
    for batch in make_sub_batches(LENGTHS, torch.device("cpu")):
        hidden, final = encoder(tokens, batch, 0.0)
        (hidden[batch.mask].square().sum() + final.sum()).backward()
    packed = pack_padded_sequence(
        pad_sequence(other.split(LENGTHS), batch_first=True),
        LENGTHS,
        batch_first=True,
        enforce_sorted=False,
    )
    outputs, (states, _) = twin(packed)
    (outputs.data.square().sum() + states[-2:].sum()).backward()
    torch.testing.assert_close(tokens.grad, other.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        encoder.backwards[0].weight_hh_l0.grad, twin.weight_hh_l0_reverse.grad, atol=1e-5, rtol=1e-4
    )


def test_dropout_acts_between_layers_in_training_mode_only():
    encoder = BiLSTM(6, 5, 2)
    tokens = torch.randn(sum(LENGTHS), 6)
    (batch,) = make_sub_batches(LENGTHS, torch.device("cpu"))
    first, second = (encoder(tokens, batch, 0.5)[0] for _ in range(2))
    assert not torch.equal(first, second)
    encoder.eval()
    first, second = (encoder(tokens, batch, 0.5)[0] for _ in range(2))
    assert torch.equal(first, second)
