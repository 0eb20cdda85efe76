"""Numbers out of range are refused where they are set; what is not finite is not saved or shown."""

import io
import math
import re

import numpy
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from spacy.util import load_config, load_model_from_config
from spacy.vocab import Vocab
from thinc.api import Adam

from spacy_attn.models.bilstm_attention import BiLSTMAttention_v1
from spacy_attn.models.embeddings.words import WordEmbedding_v1
from spacy_attn.pipeline.textcat import AttentionMultiLabelTextCategorizer, AttentionTextCategorizer

from ..conftest import make_examples, make_nlp, train

NOT_FINITE = (math.nan, math.inf, -math.inf)
NAME = "attn_textcat"


def weights(nlp, name=NAME):
    """All weights of a component, of Thinc and of torch, by name."""
    found = {}
    for node in nlp.get_pipe(name).model.walk():
        for param in node.param_names:
            found[f"{node.name}.{param}"] = node.get_param(param).copy()
        for shim in node.shims:
            for key, parameter in shim.module.named_parameters():
                found[f"{node.name}.{key}"] = parameter.detach().numpy().copy()
    return found


def assert_unchanged(nlp, before, name=NAME):
    after = weights(nlp, name)
    assert before.keys() == after.keys()
    for key, values in before.items():
        numpy.testing.assert_array_equal(values, after[key], err_msg=key)


def spoil(nlp, name=NAME):
    """Make one weight of the linear layer NaN."""
    head = nlp.get_pipe(name).model.get_ref("output_layer")
    head.shims[0].module.output.weight.data[0, 0] = math.nan


def build(factory, **settings):
    """A component made without a config, which for its part refuses NaN with spaCy's E961."""
    component = {NAME: AttentionTextCategorizer}.get(factory, AttentionMultiLabelTextCategorizer)
    return component(Vocab(), BiLSTMAttention_v1(WordEmbedding_v1(4)), factory, **settings)


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("setting", ["perturbation", "label_smoothing", "threshold"])
def test_a_setting_that_is_not_finite_is_refused(factory, setting, value):
    with pytest.raises(ValueError, match=f"Component '{factory}': '{setting}' must be.*{value}"):
        build(factory, **{setting: value})


@pytest.mark.parametrize("value", [*NOT_FINITE, 1e39])
def test_a_class_weight_that_is_not_finite_is_refused(factory, value):
    with pytest.raises(ValueError, match=f"weight of label 'positive'.*{re.escape(str(value))}"):
        build(factory, class_weights={"positive": value})


@pytest.mark.parametrize("drop", [1.0, -0.1, math.nan, math.inf])
def test_a_dropout_rate_out_of_range_is_refused_before_weights_change(factory, drop):
    nlp = make_nlp(factory)
    before = weights(nlp, factory)
    with pytest.raises(ValueError, match=f"'drop' must be at least 0 and below 1, but is {drop}"):
        nlp.update(make_examples(nlp), drop=drop, sgd=nlp.create_optimizer())
    assert_unchanged(nlp, before, factory)


def test_a_setting_of_the_optimizer_out_of_range_is_refused_at_the_step():
    nlp = make_nlp()
    before = weights(nlp)
    wrong = [("learn_rate", value) for value in (-0.1, *NOT_FINITE)]
    wrong += [("L2", math.nan), ("grad_clip", -1.0), ("beta1", 1.0), ("beta2", -1.0), ("eps", 0.0)]
    for setting, value in wrong:
        sgd = Adam(**{"learn_rate": 0.001, setting: value})
        with pytest.raises(ValueError, match=f"'{NAME}', update 1: '{setting}' must.* is {value}"):
            nlp.update(make_examples(nlp), sgd=sgd)
        assert_unchanged(nlp, before)


def test_a_learning_rate_that_its_schedule_spoils_stops_training_at_that_update():
    nlp = make_nlp()
    sgd = Adam(iter([0.001, 0.001, math.nan]))
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=sgd)
        sgd.step_schedules()
    before = weights(nlp)
    with pytest.raises(ValueError, match="update 3: 'learn_rate' must be 0 or more, but is nan"):
        nlp.update(make_examples(nlp), sgd=sgd)
    assert_unchanged(nlp, before)


@pytest.mark.parametrize("perturbation", [0.0, 1.0])
def test_a_loss_that_is_not_finite_stops_training_with_the_update_and_what_to_lower(
    factory, perturbation
):
    nlp = make_nlp(factory, perturbation=perturbation)
    train(nlp, steps=2)
    spoil(nlp, factory)
    before = weights(nlp, factory)
    message = f"Component '{factory}', update 3: the loss is not finite.*'learn_rate'.*'class_we"
    with pytest.raises(ValueError, match=message):
        nlp.update(make_examples(nlp), sgd=nlp.create_optimizer())
    assert_unchanged(nlp, before, factory)


def test_a_class_weight_too_large_for_the_gradient_stops_training(factory):
    nlp = make_nlp(factory, class_weights={"positive": 3e38})
    before = weights(nlp, factory)
    with pytest.raises(ValueError, match=r"update 1: .*not finite.*'class_weights'"):
        nlp.update(make_examples(nlp), sgd=nlp.create_optimizer())
    assert_unchanged(nlp, before, factory)


@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_a_gradient_that_is_not_finite_stops_training_before_the_step(grad_clip):
    nlp = make_nlp()
    component = nlp.get_pipe(NAME)
    component.update(make_examples(nlp))
    embedding = component.model.get_ref("tok2vec").layers[0]
    embedding.get_grad("E")[1, 0] = math.inf
    before = weights(nlp)
    with pytest.raises(ValueError, match=r"the gradient of 'word_embedding\.E' is not finite"):
        component.finish_update(Adam(0.001, grad_clip=grad_clip))
    assert_unchanged(nlp, before)


def test_training_goes_on_after_a_refused_step():
    nlp = make_nlp()
    component = nlp.get_pipe(NAME)
    component.update(make_examples(nlp))
    component.model.get_ref("output_layer").shims[0].module.output.bias.grad[0] = math.nan
    with pytest.raises(ValueError, match=r"gradient of 'attention_head\.output\.bias'"):
        component.finish_update(Adam(0.001))
    losses = train(nlp)
    assert losses[NAME] < 1.0


def test_a_learning_rate_too_large_stops_training_instead_of_spoiling_the_model():
    nlp = make_nlp()
    sgd = Adam(1e38)
    nlp.update(make_examples(nlp), sgd=sgd)
    with pytest.raises(ValueError, match=r"update 2: .*not finite.*'learn_rate'"):
        nlp.update(make_examples(nlp), sgd=sgd)


def test_initializing_again_counts_updates_anew():
    nlp = make_nlp()
    train(nlp, steps=3)
    nlp.initialize(lambda: make_examples(nlp))
    spoil(nlp)
    with pytest.raises(ValueError, match="update 1: the loss"):
        nlp.update(make_examples(nlp))


def test_weights_that_are_not_finite_are_not_saved(factory, tmp_path):
    nlp = make_nlp(factory)
    train(nlp, steps=2)
    nlp.to_disk(tmp_path)
    good = (tmp_path / factory / "model").read_bytes()
    spoil(nlp, factory)
    message = f"'{factory}' is not saved: after 2 updates the weights 'attention_head.output.wei"
    with pytest.raises(ValueError, match=message):
        nlp.to_disk(tmp_path)
    with pytest.raises(ValueError, match=message):
        nlp.to_bytes()
    assert (tmp_path / factory / "model").read_bytes() == good
    spacy.load(tmp_path)("great fun")


def test_a_score_that_is_not_finite_is_an_error_and_no_score(factory):
    nlp = make_nlp(factory)
    spoil(nlp, factory)
    message = (
        f"Component '{factory}': the score of label 'positive' is not finite, for document [12]"
    )
    docs = [nlp.make_doc(""), nlp.make_doc("great fun")]
    component = nlp.get_pipe(factory)
    for use in (component.predict, component.explain):
        with pytest.raises(ValueError, match=message):
            use(docs)
    for use in (nlp.evaluate, component.calibrate):
        with pytest.raises(ValueError, match="score of label 'positive' is not finite"):
            use(make_examples(nlp))


CONFIG = """
[system]
seed = 0
[nlp]
lang = "en"
pipeline = ["attn_textcat"]
[components]
[components.attn_textcat]
factory = "attn_textcat"
[components.attn_textcat.model]
@architectures = "spacy-attn.BiLSTMAttention.v1"
hidden_width = 8
[components.attn_textcat.model.tok2vec]
@architectures = "spacy-attn.WordEmbedding.v1"
width = 12
min_frequency = 1
[corpora]
[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
[paths]
train = null
[training]
max_steps = 20
eval_frequency = 2
seed = 0
[training.optimizer]
@optimizers = "Adam.v1"
[training.optimizer.learn_rate]
@schedules = "constant_then.v1"
rate = 0.01
steps = 5
[training.optimizer.learn_rate.schedule]
@schedules = "constant.v1"
rate = 1e38
"""


def test_spacy_train_leaves_good_checkpoints_where_training_is_stopped(tmp_path):
    (tmp_path / "config.cfg").write_text(CONFIG)
    DocBin(docs=[example.reference for example in make_examples(spacy.blank("xx"))]).to_disk(
        tmp_path / "train.spacy"
    )
    overrides = {"paths.train": str(tmp_path / "train.spacy")}
    config = load_config(tmp_path / "config.cfg", overrides=overrides)
    nlp = init_nlp(load_model_from_config(config, auto_fill=True).config)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="not finite"):
        train_loop(nlp, tmp_path / "out", stdout=io.StringIO(), stderr=io.StringIO())
    for checkpoint in ("model-best", "model-last"):
        cats = spacy.load(tmp_path / "out" / checkpoint)("great fun and a joy").cats
        assert sum(cats.values()) == pytest.approx(1.0)
