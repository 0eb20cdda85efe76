import pytest

from spacy_attn.nn.attention import SCORINGS
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.head import AttentionHead


@pytest.mark.parametrize(
    "module",
    [
        *(BiLSTM(input_width=3, hidden_width=2, depth=depth) for depth in (1, 2, 3)),
        *(AttentionHead(4, scoring, 3, attention_width=5) for scoring in SCORINGS),
    ],
)
def test_shapes_known_beforehand_are_those_of_the_module(module):
    expected = {name: weight.shape for name, weight in module.state_dict().items()}
    assert dict(module.weight_shapes(**module.sizes)) == expected
