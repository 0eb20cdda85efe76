"""`[initialize.after_init]` for training: as many steps as make up some epochs of the corpus."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from spacy.language import Language
from spacy.training import Example
from wasabi import msg

from ..checks import check_above_zero, check_not_negative
from .vocabularies import is_streamed

Corpus = Callable[[Language], Iterable[Example]]
Batcher = Callable[[Iterable[Example]], Iterable[list[Example]]]


def count_batches(nlp: Language, corpus: Corpus, batcher: Batcher) -> int | None:
    """Return the number of steps of an epoch; None, and print why, if it is not known."""
    try:
        if not is_streamed(nlp):
            return sum(1 for _ in batcher(corpus(nlp)))
        reason = "the corpus is streamed"
    except (ValueError, OSError) as error:
        # Those who initialize a trained pipeline in Python do so with other data.
        reason = f"the corpus cannot be read: {error}"
    msg.warn(
        f"The steps of an epoch are not counted, and the settings in [training] stay: {reason}"
    )
    return None


def make_train_epochs(
    corpus: Corpus, batcher: Batcher, epochs: float = 20.0, min_steps: int = 0
) -> Callable[[Language], None]:
    """Create a callback that trains for a number of epochs, and no longer.

    `spacy train` and schedules count in steps. A learning rate that falls to 0 at the end of
    training needs their number, which depends on the size of the corpus. The callback lowers
    `[training] max_steps` to that of the epochs. It sets `total_steps` of the learning rate to the
    same number, whatever that was, if the rate has such a setting. The callback lowers
    `eval_frequency` to a tenth of that, or below, so that the last evaluation is at the end.

    `max_steps` stays the upper bound: a warning says where it allows less than the epochs. Training
    takes all of it, and a message says so, where the length of an epoch is not known: where the
    corpus is streamed, or cannot be read.

    Args:
        corpus: The reader of the training data, `${corpora.train}`.
        batcher: The batcher of the training, `${training.batcher}`.
        epochs: How often training goes through the corpus.
        min_steps: At least so many steps are made, so that a small corpus has more epochs.

    Raises:
        ValueError: If the number of epochs is not above 0, or that of steps is below 0.
    """
    where = "spacy-attn.train_epochs.v1"
    check_above_zero(where, epochs=epochs)
    check_not_negative(where, min_steps=min_steps)

    def train_epochs(nlp: Language) -> None:
        training: dict[str, Any] = nlp.config["training"]
        # They may be variables of the config.
        settings = nlp.config.interpolate()["training"]
        n_batches = count_batches(nlp, corpus, batcher)
        if not n_batches:
            _end_schedule(training, settings, settings["max_steps"])
            return
        n_wanted = max(min_steps, math.ceil(epochs * n_batches))
        n_steps = min(n_wanted, settings["max_steps"] or n_wanted)
        training["max_steps"] = n_steps
        _end_schedule(training, settings, n_steps)
        longest = min(settings["eval_frequency"], math.ceil(n_steps / 10))
        # spaCy does not evaluate at the end, unless it falls on a multiple.
        training["eval_frequency"] = n_steps // math.ceil(n_steps / longest)
        if n_steps < n_wanted:
            msg.warn(
                f"An epoch has {n_batches} steps: training takes {n_steps} of the {n_wanted} that "
                f"[initialize.after_init] asks for, since 'max_steps' in [training] allows no more"
            )
        else:
            msg.info(f"An epoch has {n_batches} steps: training takes {n_steps} of them")

    return train_epochs


def _end_schedule(training: dict[str, Any], settings: dict[str, Any], n_steps: int) -> None:
    """Have a learning rate that knows the steps of training fall to the end of these.

    A number in the config is that of the longest training, with which the rate would hardly fall.
    """
    schedule = settings["optimizer"].get("learn_rate")
    if n_steps and isinstance(schedule, dict) and "total_steps" in schedule:
        training["optimizer"]["learn_rate"]["total_steps"] = n_steps
