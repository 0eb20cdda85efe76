import pytest

from spacy_attn.models.bilstm_attention import BiLSTMAttention_v1
from spacy_attn.models.embeddings.words import WordEmbedding_v1


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("hidden_width", 0, "'hidden_width'.*0"),
        ("depth", 0, "'depth'.*0"),
        ("attention_width", 0, "'attention_width'.*0"),
        ("evidence", -0.5, "'evidence' must be 0 or more, but is -0.5"),
        ("dropout", 1.0, "'dropout'.*1.0"),
        ("attention", "cosine", "'attention'.*'cosine'"),
    ],
)
def test_settings_out_of_range_are_refused_by_name_and_value(setting, value, message):
    with pytest.raises(ValueError, match=f"spacy-attn.BiLSTMAttention.v1: {message}"):
        BiLSTMAttention_v1(WordEmbedding_v1(width=4), **{setting: value})
