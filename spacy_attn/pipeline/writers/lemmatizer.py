"""The factories of `attn_lemmatizer` and `attn_transducer`, one class with other defaults."""

from inspect import signature

from thinc.api import Config

from ..factories import register
from .transducer import AttentionTransducer

# What a pipeline without a tagger is served best by: the words around a token. Half of the time,
# training leaves out words that are known as a whole: lemmas would otherwise be learned by heart.
DEFAULT_LEMMATIZER_MODEL = Config().from_str(
    """
[model]
@architectures = "spacy-attn.AttentionDecoder.v1"
reads = "symbols"
symbol_width = 64
context_width = 64
hidden_width = 96
depth = 2
decoder_width = 192
output_width = 192
dropout = 0.3
attention = "general"
attention_width = null
input_feeding = false
copy = true
tied = false
mixed_precision = false
grad_scaler_config = null

[model.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[model.tok2vec.embed]
@architectures = "spacy-attn.SubwordEmbedding.v1"
width = 96
attr = "LOWER"
min_frequency = 2
max_size = 30000
vectors = null
ngram_sizes = [3,4,5]
ngram_rows = 20000
word_dropout = 0.5
initial = "random"

[model.tok2vec.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 96
depth = 2
window_size = 1
maxout_pieces = 3
"""
)["model"]
# A string that follows from another one alone.
DEFAULT_TRANSDUCER_MODEL = {**DEFAULT_LEMMATIZER_MODEL, "tok2vec": None}

_SETTINGS = signature(AttentionTransducer.__init__).parameters.values()

make_attn_lemmatizer = register(
    AttentionTransducer,
    "attn_lemmatizer",
    _SETTINGS,
    model=DEFAULT_LEMMATIZER_MODEL,
    scorer="spacy-attn.lemma_scorer.v1",
    assigns=["token.lemma", "token._.lemma_source", "token._.lemma_alignment"],
    score_weights={"lemma_acc": 1.0, "lemma_acc_unseen": 0.0},
    defaults={"capitals": 0.02},
)
make_attn_transducer = register(
    AttentionTransducer,
    "attn_transducer",
    _SETTINGS,
    model=DEFAULT_TRANSDUCER_MODEL,
    scorer="spacy-attn.transducer_scorer.v1",
    assigns=["token.norm", "token._.norm_source", "token._.norm_alignment"],
    score_weights={"norm_acc": 1.0, "norm_acc_unseen": 0.0},
    defaults={"target": "NORM", "overwrite": True, "known_bonus": 0.0, "beam_width": 1},
)
