"""`attn_textcat`: exclusive classes, exactly one for each document."""

from collections.abc import Callable, Iterable

from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..extensions import ATTENTION
from .attention_categorizer import (
    TINY,
    AttentionCategorizerMixin,
    safe_log,
    warn_of_shared_attribute,
)
from .defaults import DEFAULT_MODEL, SCORE_WEIGHTS
from .scorer import textcat_score


@Language.factory(
    "attn_textcat",
    assigns=["doc.cats", f"doc._.{ATTENTION}"],
    default_config={
        "model": DEFAULT_MODEL,
        "threshold": 0.0,
        "attention_attr": ATTENTION,
        "scorer": {"@scorers": "spacy-attn.textcat_scorer.v1"},
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_attn_textcat(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Floats2d],
    threshold: float,
    attention_attr: str,
    scorer: Callable | None,
) -> "AttentionTextCategorizer":
    """Create an AttentionTextCategorizer; its settings are described there."""
    warn_of_shared_attribute(nlp, name, attention_attr)
    return AttentionTextCategorizer(
        nlp.vocab, model, name, threshold=threshold, attention_attr=attention_attr, scorer=scorer
    )


class AttentionTextCategorizer(AttentionCategorizerMixin, TextCategorizer):
    """Classify documents into exclusive classes, and show the attention the decision was made with.

    Sets `doc.cats` (probabilities that sum to 1) and `doc._.attention`. Trained with the
    cross-entropy of the softmax.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "attn_textcat",
        *,
        threshold: float = 0.0,
        attention_attr: str = ATTENTION,
        scorer: Callable | None = textcat_score,
    ) -> None:
        """Create the component.

        vocab (Vocab): The shared vocabulary.
        model (Model): A model that returns logits and attention, `spacy-attn.BiLSTMAttention.v1`.
        name (str): Name of the component, used for its losses.
        threshold (float): Unused, as in spaCy's textcat: the class with the highest score counts.
        attention_attr (str): Name of the attribute that shows the attention, `doc._.NAME`.
        scorer (Optional[Callable]): The scoring method.
        RAISES: ValueError if another extension attribute of that name exists.
        """
        self._setup(vocab, model, name, threshold, scorer, attention_attr)
        self.cfg["positive_label"] = None

    def _probabilities(self, logits: Floats2d) -> Floats2d:
        return self.model.ops.softmax(logits)

    def _loss(self, scores: Floats2d, truths: Floats2d, known: Floats2d) -> tuple[float, Floats2d]:
        # Where labels are left out, the remaining ones share the probability among themselves.
        scores = scores * known
        xp = self.model.ops.xp
        scores = scores / (xp.sum(scores, axis=1, keepdims=True) + TINY)
        loss = -float(xp.sum(truths * safe_log(scores)))
        # A document without any annotated label has no loss, and then no gradient either.
        return loss, scores * xp.sum(truths, axis=1, keepdims=True) - truths

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
        positive_label: str | None = None,
        words: Iterable[str] | None = None,
    ) -> None:
        """Initialize the component for training.

        get_examples (Callable[[], Iterable[Example]]): Returns a representative sample of examples.
        nlp (Optional[Language]): The current nlp object.
        labels (Optional[Iterable[str]]): The labels, as `spacy init labels` writes them; by default
            those of the examples.
        positive_label (Optional[str]): The positive one of two labels, for the scores.
        words (Optional[Iterable[str]]): The vocabulary of a word embedding, as
            `spacy attn init-words` writes it; by default the words of the examples.
        """
        validate_get_examples(get_examples, "AttentionTextCategorizer.initialize")
        self._set_vocabularies(get_examples, nlp, words)
        super().initialize(get_examples, nlp=nlp, labels=labels, positive_label=positive_label)
