"""The words that the embeddings of a component know."""

import warnings
from collections.abc import Callable, Iterable, Iterator

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.training import Example
from thinc.api import Model

from ..models.embeddings.vocabulary import (
    is_word_embedding,
    keeps_vocabulary,
    knows_sample_only,
    learn_initial_vectors,
    learn_vocabulary,
    set_vocabulary,
)


def word_embeddings(component: TrainablePipe, nlp: Language | None) -> list[Model]:
    """Return the layers with a learned vocabulary: a component's own, and what it listens to."""
    own = [node for node in component.model.walk() if is_word_embedding(node)]
    upstream = [node for model in _upstream_models(component, nlp) for node in model.walk()]
    return [*own, *filter(is_word_embedding, upstream)]


def set_vocabularies(
    component: TrainablePipe,
    get_examples: Callable[[], Iterable[Example]],
    nlp: Language | None,
    words: Iterable[str] | None,
) -> None:
    """Give the word embeddings the words of all training documents, or the given ones.

    A component shows its model a sample of ten documents only. A shared embedding has been
    initialized with those by the time its listeners are. An embedding that has been trained stays,
    and so does one with words that `[initialize] before_init` has given.

    Raises:
        ValueError: If words are given, and there is not exactly one embedding for them.
    """
    own = set(component.model.walk())
    embeddings = [
        node for node in word_embeddings(component, nlp) if node in own or knows_sample_only(node)
    ]
    if words is None:
        embeddings = [node for node in embeddings if not keeps_vocabulary(node)]
        if embeddings and is_streamed(nlp):
            warnings.warn(
                f"Component '{component.name}' learns its vocabulary from the first documents of a "
                f"streamed corpus only. Write the words of the whole corpus with 'python -m "
                f"spacy attn init-words', and name that file in "
                f"[initialize.components.{component.name}.words].",
                stacklevel=5,
            )
    else:
        words = list(words)
        if len(embeddings) != 1:
            raise ValueError(
                f"Component '{component.name}': 'words' are given, but its model has "
                f"{len(embeddings)} embeddings of whole words: remove 'words' from "
                f"[initialize.components.{component.name}]."
            )
    for node in embeddings:
        if words is not None:
            set_vocabulary(node, words)
        else:
            learn_vocabulary(node, (example.predicted for example in get_examples()))
        learn_initial_vectors(node, (example.predicted for example in get_examples()))
        if node not in own:
            node.initialize([next(iter(get_examples())).predicted])


def _upstream_models(component: TrainablePipe, nlp: Language | None) -> Iterator[Model]:
    names = {
        node.upstream_name for node in component.model.walk() if isinstance(node, Tok2VecListener)
    }
    for name, other in nlp.pipeline if nlp is not None and names else ():
        if other is not component and names & {name, "*"}:
            model = getattr(other, "model", None)
            if getattr(other, "listening_components", None) and isinstance(model, Model):
                yield model


def is_streamed(nlp: Language | None) -> bool:
    """Tell whether a component is initialized with the first documents of its corpus only."""
    return nlp is not None and nlp.config["training"]["max_epochs"] == -1
