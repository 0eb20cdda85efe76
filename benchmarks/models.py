"""The models of the comparison, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from thinc.api import Config

from . import linear
from .configs import (
    BOW,
    ENSEMBLE,
    PARAMETRIC_ATTENTION,
    REDUCE,
    Optimize,
    is_ours,
    max_pooling_config,
    mean_pooling_config,
    own_config,
    spacy_config,
)
from .data import ROOT
from .errors import UsageError

OURS = "attn_textcat"
UNIFORM = "uniform weights"
# What `nlp.add_pipe("textcat")` gives.
DEFAULT_PEER = "spacy ensemble"
DEFAULT_CONFIG = ROOT / "configs" / "default.cfg"

# "ours": what is compared; "ablation": ours with a part replaced; "variant": ours with other
# settings; "peer": anybody else's.
Role = Literal["ours", "ablation", "variant", "peer"]


@dataclass(frozen=True)
class ModelSpec:
    """A row of the table.

    Attributes:
        config: Makes the training config; None for a linear model.
        trained_as: The model whose training this one shares; its own name if it is trained itself.
    """

    name: str
    role: Role
    config: Callable[[], Config] | None
    trained_as: str

    @property
    def is_seeded(self) -> bool:
        return self.config is not None


def _spec(name: str, role: Role, config: Callable[[], Config] | None) -> ModelSpec:
    return ModelSpec(name, role, config, name)


def _over_token_vectors(optimize: Optimize, suffix: str = "") -> tuple[ModelSpec, ...]:
    """spaCy's architectures over one of the quickstart's token-to-vector layers."""
    blocks = {"reduce": REDUCE, "parametric attention": PARAMETRIC_ATTENTION, "ensemble": ENSEMBLE}
    return tuple(
        _spec(f"spacy {name}{suffix}", "peer", partial(spacy_config, block, optimize))
        for name, block in blocks.items()
    )


_ours = partial(own_config, DEFAULT_CONFIG)

DEFAULT_MODELS = (
    _spec(OURS, "ours", _ours),
    ModelSpec(UNIFORM, "ablation", _ours, OURS),
    _spec("mean pooling", "ablation", partial(mean_pooling_config, DEFAULT_CONFIG)),
    _spec("max pooling", "ablation", partial(max_pooling_config, DEFAULT_CONFIG)),
    _spec("spacy BOW", "peer", partial(spacy_config, BOW, None)),
    *_over_token_vectors("efficiency"),
    *(_spec(name, "peer", None) for name in linear.ESTIMATORS),
)

# The same architectures over the larger tok2vec layer that the quickstart recommends for accuracy,
# and the linear models of more features.
OPTIONAL_MODELS = (
    *_over_token_vectors("accuracy", ", large"),
    *(_spec(name, "peer", None) for name in linear.WITH_CHARACTERS),
)


def choose(names: Sequence[str], configs: Sequence[Path]) -> list[ModelSpec]:
    """The models to compare.

    Args:
        names: Of models; none for the default ones.
        configs: Of further models, which are called after these files.

    Raises:
        UsageError: For an unknown name, a missing file, or a name given twice.
    """
    known = {spec.name: spec for spec in (*DEFAULT_MODELS, *OPTIONAL_MODELS)}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"there is no model '{unknown[0]}'; known are {', '.join(map(repr, known))}"
        )
    chosen = [known[name] for name in names] if names else list(DEFAULT_MODELS)
    chosen += [_spec_of_file(path) for path in configs]
    taken = [spec.name for spec in chosen]
    if repeated := [name for name in taken if taken.count(name) > 1]:
        raise UsageError(f"the model '{repeated[0]}' is named twice; rename the config")
    return chosen


def _spec_of_file(path: Path) -> ModelSpec:
    if not path.is_file():
        raise UsageError(f"there is no config {path}")
    role: Role = "variant" if is_ours(own_config(path)) else "peer"
    return _spec(path.stem, role, partial(own_config, path))
