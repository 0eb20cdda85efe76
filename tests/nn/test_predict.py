import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.head import AttentionHead
from spacy_attn.nn.predict import classify


@pytest.mark.parametrize("depth", [1, 2])
@given(lengths=st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_sub_batch_by_sub_batch_gives_what_the_whole_batch_gives(depth, lengths):
    torch.manual_seed(0)
    encoder = BiLSTM(5, 4, depth)
    head = AttentionHead(8, "additive_query", 3)
    tokens = torch.randn(sum(lengths), 5)
    with torch.no_grad():
        logits, attention = classify(encoder, head, tokens, lengths)
        if len(tokens):
            expected_logits, expected_attention = head(encoder(tokens, lengths), lengths)
            torch.testing.assert_close(logits, expected_logits)
            torch.testing.assert_close(attention, expected_attention)
        for row, length in zip(logits, lengths, strict=True):
            if length == 0:
                assert torch.equal(row, head.output.bias)
