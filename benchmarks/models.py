"""The models that are compared: ours, spaCy's text classifiers, and linear ones of scikit-learn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.svm import LinearSVC
from spacy import util
from spacy.cli.init_config import init_config
from thinc.api import Config

from .splits import ROOT

Block = dict[str, Any]
# "ours": what is compared; "ablation": ours with a part replaced; "variant": ours with other
# settings; "peer": anybody else's.
Role = Literal["ours", "ablation", "variant", "peer"]

OURS = "attn_textcat"
SPACY_DEFAULT = "spacy textcat"
ENSEMBLE = "spacy ensemble"
DEFAULT_CONFIG = ROOT / "configs" / "default.cfg"


class UsageError(ValueError):
    """A model or option that cannot be used, and what to do."""


@dataclass(frozen=True)
class Model:
    """A row of the tables.

    Attributes:
        name: What options and files call it.
        title: What tables call it.
        role: What it is compared as.
        config: Makes the training config; None for a linear model.
        trained_as: The model whose training this one shares; None if it is trained itself.
        retired: Whether its code is gone, so that only published results are shown.
    """

    name: str
    title: str
    role: Role
    config: Callable[[], Config] | None = None
    trained_as: str | None = None
    retired: bool = False

    @property
    def training(self) -> str:
        return self.trained_as or self.name


# --- Training configs -----------------------------------------------------------------------------


def file_config(path: Path) -> Config:
    return util.load_config(path, interpolate=False)


def mean_pooling_config() -> Config:
    """Make our config with the same weight for every token, in training and prediction."""
    config = file_config(DEFAULT_CONFIG)
    config["components"][OURS]["model"]["attention"] = "uniform"
    return config


@cache
def _quickstart(component: str) -> Config:
    return init_config(lang="en", pipeline=[component], optimize="efficiency")


def quickstart_config(model: Block, *, tok2vec: bool = False) -> Config:
    """Make the config of spaCy's quickstart for `textcat`, on a CPU and in English, with a model.

    Args:
        model: The block of the architecture.
        tok2vec: Whether to put the quickstart's own token vectors into it.
    """
    config = Config(_quickstart("textcat")).copy()
    config["components"]["textcat"]["model"] = dict(model)
    if tok2vec:
        # Of the config for `ner`, because the one for `textcat` has none.
        block = _quickstart("ner").interpolate()["components"]["tok2vec"]["model"]
        config["components"]["textcat"]["model"]["tok2vec"] = block
    return config


def add_pipe_config() -> Config:
    """Make the quickstart's config with the model that `nlp.add_pipe("textcat")` has."""
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    return quickstart_config(nlp.get_pipe_config("textcat")["model"])


# Documented defaults of the architectures: https://spacy.io/api/architectures#textcat
_BOW: Block = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "length": 262144,
    "ngram_size": 1,
    "no_output_layer": False,
}
_OVER_TOKEN_VECTORS: dict[str, Block] = {
    "reduce": {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": True,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": False,
        "use_reduce_mean": True,
    },
    "parametric attention": {
        "@architectures": "spacy.TextCatParametricAttention.v1",
        "exclusive_classes": True,
    },
    "ensemble": {"@architectures": "spacy.TextCatEnsemble.v2", "linear_model": _BOW},
}

# --- Linear models --------------------------------------------------------------------------------

# Inverse strengths of the regularization, of which the validation split chooses: so wide a range
# that it hardly ever chooses an end of it.
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
_WORDS: Block = {"ngram_range": (1, 2)}
_CHARACTERS: Block = {"analyzer": "char_wb", "ngram_range": (3, 5)}
_LINEAR: dict[str, Block] = {
    "TF-IDF SVC": {"estimator": "LinearSVC", "random_state": 0},
    "TF-IDF logistic regression": {"estimator": "LogisticRegression", "max_iter": 1000},
}


def linear_settings(name: str) -> Block:
    """Return all that decides what a linear model learns."""
    name, characters, _ = name.partition(", characters")
    settings = {**_LINEAR[name], **_WORDS, "strengths": STRENGTHS}
    return {**settings, "characters": _CHARACTERS} if characters else settings


def make_linear(name: str, strength: float) -> Pipeline:
    """Make a linear model of TF-IDF features."""
    name, characters, _ = name.partition(", characters")
    settings = {**_LINEAR[name], "C": strength}
    classes = {"LinearSVC": LinearSVC, "LogisticRegression": LogisticRegression}
    features = [TfidfVectorizer(**block) for block in (_WORDS, _CHARACTERS)[: 1 + bool(characters)]]
    return make_pipeline(make_union(*features), classes[settings.pop("estimator")](**settings))


# --- All ------------------------------------------------------------------------------------------

_ours = partial(file_config, DEFAULT_CONFIG)
DEFAULT_MODELS = (
    Model(OURS, OURS, "ours", _ours),
    Model("uniform weights", f"{OURS}, equal weights at prediction", "ablation", _ours, OURS),
    Model("mean pooling", f"{OURS}, mean pooling", "ablation", mean_pooling_config),
    Model(SPACY_DEFAULT, "spaCy textcat (add_pipe default)", "peer", add_pipe_config),
    Model("spacy BOW", "spaCy BOW (quickstart)", "peer", partial(quickstart_config, _BOW)),
    *(
        Model(
            f"spacy {name}",
            f"spaCy {name} (quickstart tok2vec)",
            "peer",
            partial(quickstart_config, block, tok2vec=True),
        )
        for name, block in _OVER_TOKEN_VECTORS.items()
    ),
    *(Model(name, name, "peer") for name in _LINEAR),
)
OPTIONAL_MODELS = (
    *(Model(f"{name}, characters", f"{name}, characters, too", "peer") for name in _LINEAR),
    Model("max pooling", f"{OURS}, max pooling", "ablation", _ours, retired=True),
)
MODELS = {model.name: model for model in (*DEFAULT_MODELS, *OPTIONAL_MODELS)}


def choose(names: Sequence[str], configs: Sequence[Path] = ()) -> list[Model]:
    """Return the models to compare.

    Args:
        names: Of models; none for the default ones.
        configs: Of further models, which are called after these files.

    Raises:
        UsageError: For an unknown name, a missing file, or a name given twice.
    """
    if unknown := [name for name in names if name not in MODELS]:
        known = ", ".join(map(repr, MODELS))
        raise UsageError(f"there is no model '{unknown[0]}'; known are {known}")
    chosen = [MODELS[name] for name in names] or list(DEFAULT_MODELS)
    for path in configs:
        if not path.is_file():
            raise UsageError(f"there is no config {path}")
        blocks = file_config(path)["components"].values()
        ours = any(block.get("factory", "").startswith(OURS) for block in blocks)
        make = partial(file_config, path)
        chosen.append(Model(path.stem, path.stem, "variant" if ours else "peer", make))
    taken = [model.name for model in chosen]
    if repeated := [name for name in taken if taken.count(name) > 1]:
        raise UsageError(f"the model '{repeated[0]}' is named twice; rename the config")
    return chosen
