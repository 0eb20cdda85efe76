import re

import pytest
from thinc.api import Model

from spacy_attn.models.bilstm_attention import BiLSTMAttention_v1
from spacy_attn.models.embeddings.subwords import SubwordEmbedding_v1
from spacy_attn.models.embeddings.words import WordEmbedding_v1

EMBEDDING = {"width": 4, "ngram_rows": 10}
MODEL = {"hidden_width": 2, "attention_width": 3}


def make(kind, **settings) -> Model:
    if kind is SubwordEmbedding_v1:
        return SubwordEmbedding_v1(**{**EMBEDDING, **settings})
    return BiLSTMAttention_v1(WordEmbedding_v1(4), **{**MODEL, **settings})


@pytest.mark.parametrize(
    ("kind", "name", "trained", "configured"),
    [
        (None, "depth", 1, 2),
        (None, "attention", "additive_query", "dot"),
        (None, "attention_width", 3, None),
        (None, "evidence", 1.0, 0.0),
        (SubwordEmbedding_v1, "attr", "NORM", "LOWER"),
        (SubwordEmbedding_v1, "ngram_sizes", [3, 4, 5], [3, 4]),
    ],
)
def test_weights_trained_with_another_setting_are_refused(kind, name, trained, configured):
    data = make(kind, **{name: trained}).to_bytes()
    message = (
        f"'{name}' is {configured!r} in the config, but the weights were trained with {trained!r}. "
        f"Set '{name}' back to {trained!r}, or train again."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        make(kind, **{name: configured}).from_bytes(data)


def test_what_only_initialization_asks_is_taken_from_the_config():
    data = WordEmbedding_v1(4, min_frequency=2).to_bytes()
    settings = {"min_frequency": 5, "max_size": 7, "vectors": "tuned", "initial": "cooccurrence"}
    loaded = WordEmbedding_v1(4, **settings).from_bytes(data)
    assert vars(loaded.layers[0].attrs["settings"]) == {
        "min_frequency": 5,
        "max_size": 7,
        "tuned": True,
        "initial": "cooccurrence",
    }
