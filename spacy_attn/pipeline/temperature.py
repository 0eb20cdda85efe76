"""Calibrated probabilities: a temperature fitted on data that was not trained on."""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from spacy.language import Language
from spacy.training import Example
from thinc.api import get_array_module
from thinc.types import Floats2d

from .pipes import pair_before

if TYPE_CHECKING:
    from .training import AttentionCategorizerMixin

# Temperatures are looked for within these. Documents that are classified no better than by chance,
# as by a model that has not been trained yet, would want infinity.
LOWEST, HIGHEST = 0.05, 20.0


def fit_temperature(logits: Floats2d, get_gradient: Callable[[Floats2d], Floats2d]) -> float:
    """The temperature T for which the loss of `logits / T` is least.

    One number for all labels, which leaves their order in every document as it was. After Guo et
    al. 2017, "On Calibration of Modern Neural Networks".

    Args:
        logits: Shape (n_docs, n_labels).
        get_gradient: The gradient of a cross-entropy with respect to logits, for logits of that
            shape.

    Returns:
        T; 1 where nothing depends on it.
    """
    xp = get_array_module(logits)

    def slope(log_inverse: float) -> float:
        return float(xp.sum(get_gradient(logits * math.exp(log_inverse)) * logits))

    # The cross-entropy is convex in 1/T, so that its slope has one zero.
    low, high = -math.log(HIGHEST), -math.log(LOWEST)
    if slope(low) == slope(high) == 0.0:
        return 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return math.exp(-low)


def make_calibrate(
    corpus: Callable[[Language], Iterable[Example]], component: str | None = None
) -> Callable[[Language], Language]:
    """A callback for `[training.before_to_disk]`, which calibrates what is saved.

    Args:
        corpus: A corpus reader, of the validation data.
        component: The component to calibrate; by default every one with attention.
    """

    def calibrate_pipeline(nlp: Language) -> Language:
        names = [component] if component is not None else find_components(nlp)
        for name in names:
            calibrate(nlp, name, corpus(nlp))
        return nlp

    return calibrate_pipeline


def find_components(nlp: Language) -> list[str]:
    return [name for name, pipe in nlp.pipeline if hasattr(pipe, "calibrate")]


def calibrate(nlp: Language, name: str, examples: Iterable[Example]) -> float:
    """Calibrate a component of a pipeline, after the components before it have seen the documents.

    Returns:
        The temperature.

    Raises:
        ValueError: If the pipeline has no component of that name, or one that cannot be calibrated.
    """
    if name not in find_components(nlp):
        raise ValueError(
            f"There is no component '{name}' that can be calibrated. Those of the pipeline are: "
            f"{find_components(nlp)}."
        )
    component: AttentionCategorizerMixin = nlp.get_pipe(name)  # type: ignore[assignment]
    # Copies, since a document that occurs twice could not have two references in the pipeline.
    pairs = ((example.predicted.copy(), example.reference) for example in examples)
    return component.calibrate(Example(*pair) for pair in pair_before(nlp, name, pairs))
