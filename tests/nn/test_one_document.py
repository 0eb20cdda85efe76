import pytest
import torch

from spacy_attn.nn.attention import SCORINGS
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.head import AttentionHead
from spacy_attn.nn.predict import classify


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("evidence", [0.0, 1.5])
@pytest.mark.parametrize("scoring", SCORINGS)
# The last is too long for what short documents go through.
@pytest.mark.parametrize("length", [1, 2, 64, 65])
def test_one_document_alone_gets_what_it_gets_in_a_batch(depth, length, scoring, evidence):
    torch.manual_seed(0)
    encoder = BiLSTM(5, 4, depth)
    head = AttentionHead(8, scoring, 3, 6, evidence)
    tokens = torch.randn(length + 7, 5)
    with torch.no_grad():
        logits, attention = classify(encoder, head, tokens, [length, 7])
        alone_logits, alone_attention = classify(encoder, head, tokens[:length], [length])
    torch.testing.assert_close(alone_logits[0], logits[0])
    torch.testing.assert_close(alone_attention, attention[:length])
