"""Training configs: spaCy's text classifiers as its quickstart sets them up, and any of ours."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from spacy import util
from spacy.cli.init_config import init_config
from thinc.api import Config

from .errors import UsageError

Optimize = Literal["efficiency", "accuracy"]
Block = dict[str, Any]

# Documented defaults of the architectures: https://spacy.io/api/architectures#textcat
BOW: Block = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "length": 262144,
    "ngram_size": 1,
    "no_output_layer": False,
}
REDUCE: Block = {
    "@architectures": "spacy.TextCatReduce.v1",
    "exclusive_classes": True,
    "use_reduce_first": False,
    "use_reduce_last": False,
    "use_reduce_max": False,
    "use_reduce_mean": True,
}
PARAMETRIC_ATTENTION: Block = {
    "@architectures": "spacy.TextCatParametricAttention.v1",
    "exclusive_classes": True,
}
ENSEMBLE: Block = {"@architectures": "spacy.TextCatEnsemble.v2", "linear_model": BOW}

# Corpora of a config that make room for those of the comparison.
REPLACED = ("train", "dev", "test")


def spacy_config(model: Block, optimize: Optimize | None) -> Config:
    """The config of spaCy's quickstart for `textcat`, on a CPU and in English, with a model.

    Args:
        model: The block of the architecture, without its tok2vec.
        optimize: Which of the quickstart's tok2vec layers goes into the model; None for none.
    """
    config = Config(quickstart("textcat", "efficiency")).copy()
    tok2vec = {"tok2vec": quickstart_tok2vec(optimize)} if optimize else {}
    config["components"]["textcat"]["model"] = {**model, **tok2vec}
    return config


@cache
def quickstart(component: str, optimize: Optimize) -> Config:
    return init_config(lang="en", pipeline=[component], optimize=optimize)


def quickstart_tok2vec(optimize: Optimize) -> Block:
    """The quickstart's own token-to-vector layer, without word vectors, since ours has none.

    It is asked for with `ner`, because for `textcat` the quickstart uses one only for accuracy.
    """
    config = quickstart("ner", optimize).interpolate()
    block: Block = config["components"]["tok2vec"]["model"]
    block["embed"]["include_static_vectors"] = False
    return block


def own_config(path: Path) -> Config:
    return util.load_config(path, interpolate=False)


def mean_pooling_config(path: Path) -> Config:
    """One of our configs, every token with the same weight in training and prediction."""
    config = own_config(path)
    config["components"]["attn_textcat"]["model"]["attention"] = "uniform"
    return config


def max_pooling_config(path: Path) -> Config:
    """One of our configs, with max pooling in place of attention."""
    config = mean_pooling_config(path)
    component = config["components"]["attn_textcat"]
    component["model"] = {
        "@architectures": "spacy-attn-benchmarks.MaxPooling.v1",
        "model": component["model"],
    }
    return config


def complete(
    config: Config,
    *,
    data: Path,
    labels: Sequence[str],
    seed: int,
    overrides: Mapping[str, Any],
) -> Config:
    """A copy that reads prepared data, trains with a seed, and refers to nothing else.

    Args:
        overrides: Values by dotted name, such as "training.max_steps".

    Raises:
        UsageError: For an override of what the config does not have.
    """
    config = config.copy()
    config.setdefault("system", {})["seed"] = seed
    for name, value in overrides.items():
        try:
            util.dot_to_object(config, name)  # it must be there
            util.set_dot_to_object(config, name, value)
        except KeyError:
            raise UsageError(f"no setting '{name}' in the config to override") from None
    # Before references are resolved: other blocks may refer to the corpora. Those of other names,
    # such as raw text that an encoder was pretrained on, stay.
    corpora = config.get("corpora", {})
    own = {name: block for name, block in corpora.items() if name not in REPLACED}
    config["corpora"] = {
        **own,
        "train": reader(data / "train.parquet", labels),
        "dev": reader(data / "validation.parquet", labels),
    }
    config = config.interpolate()
    config["training"] |= {
        "seed": seed,
        "train_corpus": "corpora.train",
        "dev_corpus": "corpora.dev",
    }
    # Of no more use, and perhaps of another data set.
    config["paths"] = {}
    return config


def reader(path: Path, labels: Sequence[str]) -> Block:
    return {
        "@readers": "spacy-attn.HFDataset.v1",
        "path": path.as_posix(),
        "labels": list(labels),
        "exclusive": True,
    }


def is_ours(config: Config) -> bool:
    """Whether one of a config's components is from this project."""
    factories = (block.get("factory", "") for block in config["components"].values())
    return any(factory.startswith("attn_textcat") for factory in factories)
