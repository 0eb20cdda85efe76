"""The number of steps that a training takes, from the size of its corpus."""

import pytest
import spacy
from spacy.training import Example
from spacy.util import minibatch, registry
from thinc.api import Config


def batcher(examples):
    return minibatch(examples, 32)


def plain(text):
    """What is printed, without the ends of lines."""
    return " ".join(text.split())


def settings_after(n_rows, *, max_steps=0, max_epochs=0, learn_rate=0.001, **settings):
    """Return the config's training block after the callback."""
    training = {"max_steps": max_steps, "eval_frequency": 134, "max_epochs": max_epochs}
    training["optimizer"] = {"learn_rate": learn_rate}
    nlp = spacy.blank("en", config=Config({"training": training}))

    def corpus(nlp):
        if max_epochs == -1:
            raise AssertionError("it was read")
        return iter([Example.from_dict(nlp.make_doc("fine"), {})] * n_rows)

    registry.callbacks.get("spacy-attn.train_epochs.v1")(corpus, batcher, **settings)(nlp)
    return nlp.config.interpolate()["training"]


def falling(total_steps):
    """A learning rate that falls to 0."""
    schedule = {"@schedules": "warmup_linear.v1", "total_steps": total_steps}
    return {**schedule, "initial_rate": 0.002, "warmup_steps": 2}


def test_training_takes_the_steps_of_so_many_epochs_and_evaluates_ten_times():
    training = settings_after(416, epochs=5)  # 13 batches
    assert (training["max_steps"], training["eval_frequency"]) == (65, 6)


@pytest.mark.parametrize("n_batches", [1, 2, 7, 13, 100, 1152, 8311])
def test_the_last_evaluation_is_within_a_few_steps_of_the_end(n_batches):
    training = settings_after(32 * n_batches, epochs=1)
    n_evaluations, n_left = divmod(training["max_steps"], training["eval_frequency"])
    assert n_left < n_evaluations


# A variable; the number of the config; and what is left of it where max_steps is overridden.
@pytest.mark.parametrize("total_steps", ["${training.max_steps}", 5000, 70])
def test_the_learning_rate_falls_to_the_end_whatever_the_config_says(total_steps):
    schedule = falling(total_steps)
    training = settings_after(400, epochs=3, max_steps=5000, learn_rate=schedule)
    assert training["optimizer"]["learn_rate"]["total_steps"] == training["max_steps"] == 39


@pytest.mark.parametrize("learn_rate", [0.001, {"@schedules": "constant.v1", "rate": 0.001}])
def test_a_learning_rate_without_a_last_step_stays_as_it_is(learn_rate):
    training = settings_after(400, epochs=3, max_steps=5000, learn_rate=learn_rate)
    assert training["optimizer"]["learn_rate"] == learn_rate


def test_a_small_corpus_has_more_epochs_for_the_least_number_of_steps():
    assert settings_after(400, epochs=2.5, min_steps=50)["max_steps"] == 50
    assert settings_after(400, epochs=2.5, min_steps=32)["max_steps"] == 33
    assert settings_after(400, epochs=2.5, min_steps=50, max_steps=40)["max_steps"] == 40
    with pytest.raises(ValueError, match="'min_steps' must be 0 or more, but is -1"):
        settings_after(400, min_steps=-1)


def test_it_takes_no_more_steps_than_it_may_and_says_so(capsys):
    training = settings_after(32_000, max_steps=5000)
    assert (training["max_steps"], training["eval_frequency"]) == (5000, 131)
    printed = plain(capsys.readouterr().out)
    assert "training takes 5000 of the 20000 that [initialize.after_init] asks for" in printed
    settings_after(32_000, max_steps=20_000)
    assert "An epoch has 1000 steps: training takes 20000 of them" in plain(capsys.readouterr().out)


def test_a_streamed_corpus_is_not_read_and_its_settings_stay_with_a_message(capsys):
    rate = falling(70)
    training = settings_after(400, max_epochs=-1, max_steps=5000, learn_rate=rate)
    assert (training["max_steps"], training["eval_frequency"]) == (5000, 134)
    assert training["optimizer"]["learn_rate"]["total_steps"] == 5000
    assert "settings in [training] stay: the corpus is streamed" in plain(capsys.readouterr().out)


@pytest.mark.parametrize("error", [ValueError("no rows"), FileNotFoundError("no file")])
def test_settings_stay_with_a_message_where_the_corpus_cannot_be_read(capsys, error):
    def corpus(nlp):
        raise error

    nlp = spacy.blank("en", config=Config({"training": {"max_steps": 7}}))
    registry.callbacks.get("spacy-attn.train_epochs.v1")(corpus, batcher)(nlp)
    assert nlp.config["training"]["max_steps"] == 7
    message = f"settings in [training] stay: the corpus cannot be read: {error}"
    assert message in plain(capsys.readouterr().out)


@pytest.mark.parametrize("epochs", [0, -1.0, float("nan"), float("inf")])
def test_a_number_of_epochs_that_makes_no_training_is_refused(epochs):
    with pytest.raises(ValueError, match="'epochs' must be a number above 0, but is"):
        settings_after(400, epochs=epochs)
