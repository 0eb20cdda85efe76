"""The default model and score weights of the components."""

from thinc.api import Config

# Why these: benchmarks/RESULTS.md.
DEFAULT_MODEL = Config().from_str(
    """
[model]
@architectures = "spacy-attn.BiLSTMAttention.v1"
hidden_width = 128
depth = 1
dropout = null
attention = "additive_query"
attention_width = 64
evidence = 1.0
mixed_precision = false
grad_scaler_config = null
nO = null

[model.tok2vec]
@architectures = "spacy-attn.SubwordEmbedding.v1"
width = 96
attr = "NORM"
min_frequency = 2
max_size = 30000
vectors = null
ngram_sizes = [3,4,5]
ngram_rows = 20000
word_dropout = 0.5
initial = "cooccurrence"
"""
)["model"]

# About doubles the time of training, and is more accurate.
DEFAULT_PERTURBATION = 3.0

# Those of spaCy's own text classifiers, and what else the training table is to show: with weight 0,
# it is not chosen by.
SCORE_WEIGHTS = {
    "cats_score": 1.0,
    "cats_acc": 0.0,
    "cats_ece": 0.0,
    "cats_score_desc": None,
    "cats_micro_p": None,
    "cats_micro_r": None,
    "cats_micro_f": 0.0,
    "cats_macro_p": None,
    "cats_macro_r": None,
    "cats_macro_f": 0.0,
    "cats_macro_auc": 0.0,
    "cats_f_per_type": None,
}
