"""`spacy-attn.calibrate.v1` for `[training.before_to_disk]`: calibrate what is saved."""

from collections.abc import Callable, Iterable

from spacy.language import Language
from spacy.training import Example

from .finding import find_component, find_components, pair_before


def make_calibrate(
    corpus: Callable[[Language], Iterable[Example]], component: str | None = None
) -> Callable[[Language], Language]:
    """Create a callback that calibrates a pipeline before it is saved.

    Args:
        corpus: The reader of the validation data, `${corpora.dev}`.
        component: The component to calibrate. By default it is every one with attention.
    """

    def calibrate_pipeline(nlp: Language) -> Language:
        for name in find_components(nlp) if component is None else [component]:
            calibrate(nlp, name, corpus(nlp))
        return nlp

    return calibrate_pipeline


def calibrate(nlp: Language, name: str, examples: Iterable[Example]) -> float:
    """Calibrate a component of a pipeline, after the components before it have seen the documents.

    Returns:
        The temperature.

    Raises:
        ValueError: If the pipeline has no component of that name, or one that cannot be calibrated.
    """
    _, component = find_component(nlp, name, purpose="calibrated")
    # Copies, since a document that occurs twice could not have two references in the pipeline.
    pairs = ((example.predicted.copy(), example.reference) for example in examples)
    return component.calibrate(Example(*pair) for pair in pair_before(nlp, name, pairs))
