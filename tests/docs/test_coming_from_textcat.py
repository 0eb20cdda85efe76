"""The config on either side of the page's difference is one that trains."""

import json

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed

from ..conftest import make_examples
from .pages import blocks
from .test_examples import with_parents

PAGE = "docs/coming-from-textcat.md"


def config_of_one_side(sign: str) -> str:
    (difference,) = blocks(PAGE, "diff")
    lines = difference.content.splitlines()
    assert all(line[:1] in ("+", "-", " ") for line in lines)
    return "\n".join(line[1:] for line in lines if line[0] in (" ", sign))


@pytest.mark.parametrize(("sign", "factory"), [("-", "textcat"), ("+", "attn_textcat")])
def test_config_of_either_side_trains(sign, factory, tmp_path):
    data = DocBin(docs=[example.reference for example in make_examples(spacy.blank("en"))])
    data.to_disk(tmp_path / "data.spacy")
    paths = {name: str(tmp_path / "data.spacy") for name in ("train", "dev")}
    text = "[paths]\ntrain = null\ndev = null\n\n" + config_of_one_side(sign)
    config = Config().from_str(
        with_parents(text), overrides={f"paths.{name}": path for name, path in paths.items()}
    )
    fix_random_seed(0)
    nlp = load_model_from_config(config, auto_fill=True)
    assert nlp.pipe_names == [factory]
    training = spacy.registry.resolve(
        nlp.config.interpolate()["training"], schema=spacy.schemas.ConfigSchemaTraining
    )
    corpus = spacy.registry.resolve(nlp.config.interpolate()["corpora"])
    nlp.initialize(lambda: corpus["train"](nlp))
    (batch, *_) = training["batcher"](list(corpus["train"](nlp)))
    losses: dict[str, float] = {}
    nlp.update(batch, sgd=training["optimizer"], losses=losses)
    assert losses[factory] > 0


def test_model_of_the_difference_is_the_default():
    """A reader gets what `nlp.add_pipe` and the shipped configs have."""
    nlp = spacy.blank("en")
    nlp.add_pipe("attn_textcat")
    shown = Config().from_str(with_parents(config_of_one_side("+")), interpolate=False)
    filled = spacy.registry.fill(shown["components"]["attn_textcat"], validate=False)
    default = nlp.config["components"]["attn_textcat"]["model"]
    # JSON knows no tuples, which the config writes as lists.
    shown, default = (json.dumps(model, sort_keys=True) for model in (filled["model"], default))
    assert shown == default
