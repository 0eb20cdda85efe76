"""`[initialize.before_init]` for pretraining: the vocabulary of the raw text."""

from collections.abc import Callable, Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..models.embeddings.vocabulary import (
    SETTINGS,
    UNTIL_TRAINED,
    WordSettings,
    is_word_embedding,
    learn_initial_vectors,
    learn_vocabulary,
)

Corpus = Callable[[Language], Iterable[Example | Doc]]


def make_learn_words(component: str, corpus: Corpus) -> Callable[[Language], None]:
    """Create a callback that gives a component the words of a corpus before it is initialized.

    `spacy pretrain` initializes the layer with one document only, from which an embedding of whole
    words would learn its vocabulary. In training, the pretrained weights
    (`[initialize] init_tok2vec`) bring their words along, and the corpus is not read.

    Args:
        component: The component that owns the embedding, as in `[pretraining] component`.
        corpus: The reader of the raw text, `${corpora.pretrain}`.

    Returns:
        The callback. It raises a ValueError if the component, its embedding, the corpus or words
        are missing.
    """

    def learn_words(nlp: Language) -> None:
        if _loads_pretrained_weights(nlp, component):
            return
        if component not in nlp.component_names:
            raise ValueError(
                f"[initialize.before_init] names the component '{component}', but the pipeline has "
                f"{nlp.component_names}: set its 'component' to the one that is pretrained."
            )
        model = getattr(nlp.get_pipe(component), "model", None)
        embeddings = [node for node in model.walk() if is_word_embedding(node)] if model else []
        if not embeddings:
            raise ValueError(
                f"[initialize.before_init] gives words to the component '{component}', but it has "
                f"no embedding of whole words: remove the block, or, if the component listens to "
                f"another one, set its 'component' to that."
            )
        if getattr(corpus, "path", "") is None:
            raise ValueError(
                f"[initialize.before_init] gives words to the component '{component}', but its "
                f"'corpus' has no path: set it, as with '--paths.raw_text'; or, in training, load "
                f"the pretrained weights, as with '--paths.init_tok2vec'."
            )
        for embedding in embeddings:
            learn_vocabulary(embedding, _docs(corpus(nlp)), keep=UNTIL_TRAINED)
            learn_initial_vectors(embedding, _docs(corpus(nlp)))
            settings: WordSettings = embedding.attrs[SETTINGS]
            if settings.max_size != 0 and not len(embedding.attrs["vocabulary"]):
                raise ValueError(
                    f"[initialize.before_init] found no word for the component '{component}' that "
                    f"occurs in its 'corpus' at least {settings.min_frequency} times: "
                    f"check that corpus, or set a lower 'min_frequency' for the embedding."
                )

    return learn_words


def _loads_pretrained_weights(nlp: Language, component: str) -> bool:
    config = nlp.config.interpolate()
    pretrained = config.get("pretraining", {}).get("component")
    return bool(config["initialize"]["init_tok2vec"]) and pretrained == component


def _docs(examples: Iterable[Example | Doc]) -> Iterator[Doc]:
    """Go through what pretraining takes from a corpus, too."""
    for example in examples:
        yield example if isinstance(example, Doc) else example.reference
