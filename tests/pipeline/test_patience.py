import pytest
import spacy
from spacy.training import Example
from spacy.util import minibatch, registry
from thinc.api import Config


def batcher(examples):
    return minibatch(examples, 32)


def make_nlp(*, patience: int = 670, max_epochs: int = 0):
    training = {"patience": patience, "eval_frequency": 134, "max_epochs": max_epochs}
    return spacy.blank("en", config=Config({"training": training}))


def bound(nlp, n_rows: int, **bounds: float) -> tuple[int, int]:
    """RETURNS: Patience and evaluation frequency that training uses."""

    def corpus(nlp):
        example = Example.from_dict(nlp.make_doc("fine"), {})
        return iter([example] * n_rows)

    registry.callbacks.get("spacy-attn.bound_patience.v1")(corpus, batcher, **bounds)(nlp)
    training = nlp.config.interpolate()["training"]
    return training["patience"], training["eval_frequency"]


@pytest.mark.parametrize("n_rows", [2_560, 8_568, 20_000])
def test_patience_within_the_bounds_stays(n_rows):
    assert bound(make_nlp(), n_rows) == (670, 134)


def test_patience_is_at_most_ten_epochs_and_every_epoch_is_evaluated(capsys):
    # 400 rows make 13 batches.
    assert bound(make_nlp(), 400) == (130, 13)
    assert "130 steps instead of 670" in capsys.readouterr().out


def test_patience_is_at_least_an_epoch_and_evaluation_keeps_its_share():
    assert bound(make_nlp(), 51_200) == (1_600, 320)


def test_a_few_rows_are_trained_on_for_a_hundred_steps_at_least():
    assert bound(make_nlp(), 20) == (100, 10)


def test_the_bounds_are_settings():
    bounds = {"min_epochs": 50.0, "max_epochs": 50.0}
    assert bound(make_nlp(), 6_400, **bounds) == (10_000, 200)
    assert bound(make_nlp(), 20, max_epochs=1.0, min_steps=7) == (7, 2)


def test_patience_that_never_ends_a_training_stays():
    assert bound(make_nlp(patience=0), 400) == (0, 134)


def test_a_streamed_corpus_is_not_read_to_its_end():
    def endless(nlp):
        raise AssertionError("it was read")
        yield

    nlp = make_nlp(max_epochs=-1)
    registry.callbacks.get("spacy-attn.bound_patience.v1")(endless, batcher)(nlp)
    assert nlp.config["training"]["patience"] == 670


@pytest.mark.parametrize("bounds", [(0.0, 10.0), (2.0, 1.0), (1.0, float("nan"))])
def test_bounds_that_are_no_bounds_are_refused(bounds):
    make = registry.callbacks.get("spacy-attn.bound_patience.v1")
    with pytest.raises(ValueError, match="'min_epochs' and 'max_epochs' must be numbers above 0"):
        make(lambda nlp: [], batcher, *bounds)


def test_settings_may_be_variables_of_the_config():
    config = {"vars": {"steps": 670}, "training": {"patience": "${vars.steps}"}}
    nlp = spacy.blank("en", config=Config(config))
    assert bound(nlp, 400)[0] == 130


def test_a_pipeline_can_be_initialized_where_its_training_data_are_not():
    def gone(nlp):
        raise ValueError("there is no such file")

    nlp = make_nlp()
    registry.callbacks.get("spacy-attn.bound_patience.v1")(gone, batcher)(nlp)
    assert nlp.config["training"]["patience"] == 670
