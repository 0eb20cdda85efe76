"""`[initialize.after_init]` for training: patience that suits the size of the training corpus."""

import math
from collections.abc import Callable
from typing import Any

from spacy.language import Language
from wasabi import msg

from .epochs import Batcher, Corpus, count_batches

# Evaluating and saving more often takes longer than training does.
_FEWEST_STEPS_BETWEEN_EVALUATIONS = 10


def make_bound_patience(
    corpus: Corpus,
    batcher: Batcher,
    min_epochs: float = 1.0,
    max_epochs: float = 10.0,
    min_steps: int = 100,
) -> Callable[[Language], None]:
    """Create a callback that keeps `[training] patience` within a number of epochs.

    `spacy train` counts `patience` and `eval_frequency` in steps. The same number of steps is a
    part of an epoch of a large corpus and dozens of epochs of a small one. Where `patience` lies
    outside of the bounds, the callback sets it to the nearer bound. `eval_frequency` then goes with
    it in proportion, and a small corpus is evaluated in every epoch.

    A `patience` of 0, which never ends a training, stays. Both settings stay where the corpus is
    streamed, since the length of an epoch is then unknown.

    Args:
        corpus: The reader of the training data, `${corpora.train}`.
        batcher: The batcher of the training, `${training.batcher}`.
        min_epochs: The shortest patience, in epochs. Raise it if training ends too early.
        max_epochs: The longest patience, in epochs. Lower it for a shorter training.
        min_steps: The number of steps below which `max_epochs` does not lower the patience.

    Raises:
        ValueError: If the bounds are not numbers above 0, in this order.
    """
    if not 0.0 < min_epochs <= max_epochs < math.inf:
        raise ValueError(
            f"spacy-attn.bound_patience.v1: 'min_epochs' and 'max_epochs' must be numbers above 0, "
            f"the first at most the second, but are {min_epochs} and {max_epochs}."
        )

    def bound_patience(nlp: Language) -> None:
        training: dict[str, Any] = nlp.config["training"]
        # They may be variables of the config.
        settings = nlp.config.interpolate()["training"]
        patience, frequency = settings["patience"], settings["eval_frequency"]
        n_batches = count_batches(nlp, corpus, batcher) if patience else None
        if n_batches is None:
            return
        shortest = math.ceil(min_epochs * n_batches)
        longest = max(int(max_epochs * n_batches), min_steps, shortest)
        bounded = min(max(patience, shortest), longest)
        if bounded == patience:
            return
        training["patience"] = bounded
        # From one evaluation to the next, an epoch at most, unless that is very short.
        at_most = max(n_batches, _FEWEST_STEPS_BETWEEN_EVALUATIONS)
        training["eval_frequency"] = min(math.ceil(frequency * bounded / patience), at_most)
        msg.info(
            f"An epoch has {n_batches} steps: patience is {bounded} steps instead of {patience}, "
            f"eval_frequency {training['eval_frequency']} instead of {frequency}"
        )

    return bound_patience
