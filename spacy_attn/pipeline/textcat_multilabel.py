"""`attn_textcat_multilabel`: independent labels, any number of them for each document."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats1d, Floats2d

from ..extensions import ATTENTION
from ..models.attention_layer import Output
from .training import AttentionCategorizerMixin
from .class_weights import ClassWeights
from .defaults import DEFAULT_MODEL, DEFAULT_PERTURBATION, SCORE_WEIGHTS
from .losses import sigmoid_cross_entropy
from .probabilities import safe_log
from .scorer import textcat_multilabel_score
from .shared_attributes import warn_of_shared_attribute
from .vocabularies import set_vocabularies


@Language.factory(
    "attn_textcat_multilabel",
    assigns=["doc.cats", f"doc._.{ATTENTION}"],
    default_config={
        "model": DEFAULT_MODEL,
        "threshold": 0.5,
        "attention_attr": ATTENTION,
        "contributions_attr": None,
        "perturbation": DEFAULT_PERTURBATION,
        "class_weights": None,
        "label_smoothing": 0.0,
        "scorer": {"@scorers": "spacy-attn.textcat_multilabel_scorer.v1"},
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_attn_textcat_multilabel(
    nlp: Language,
    name: str,
    model: Model[list[Doc], Output],
    threshold: float,
    attention_attr: str,
    contributions_attr: str | None,
    perturbation: float,
    # Of any content, so that it is the component that says what is wrong with it.
    # The list stands first: pydantic 1, in older versions of spaCy, makes a dict of pairs.
    class_weights: str | list[Any] | dict[str, Any] | None,
    label_smoothing: float,
    scorer: Callable | None,
) -> "AttentionMultiLabelTextCategorizer":
    """Create an AttentionMultiLabelTextCategorizer; its settings are described there."""
    warn_of_shared_attribute(nlp, name, attention_attr, contributions_attr)
    return AttentionMultiLabelTextCategorizer(
        nlp.vocab,
        model,
        name,
        threshold=threshold,
        attention_attr=attention_attr,
        contributions_attr=contributions_attr,
        perturbation=perturbation,
        class_weights=cast(ClassWeights, class_weights),
        label_smoothing=label_smoothing,
        scorer=scorer,
    )


class AttentionMultiLabelTextCategorizer(AttentionCategorizerMixin, MultiLabel_TextCategorizer):
    """Assign any number of labels to documents, and show the attention that did it.

    Sets `doc.cats` (a probability for each label) and `doc._.attention`. Trained with the binary
    cross-entropy of each label; a label that an example does not annotate is left out of its loss.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "attn_textcat_multilabel",
        *,
        threshold: float = 0.5,
        attention_attr: str = ATTENTION,
        contributions_attr: str | None = None,
        perturbation: float = DEFAULT_PERTURBATION,
        class_weights: ClassWeights = None,
        label_smoothing: float = 0.0,
        scorer: Callable | None = textcat_multilabel_score,
    ) -> None:
        """Create the component.

        Args:
            vocab: The shared vocabulary.
            model: A model that returns logits and attention, such as
                `spacy-attn.BiLSTMAttention.v1` (see `spacy_attn.models.contract`).
            name: Name of the component, used for its losses.
            threshold: From which score on a label counts as predicted, for the scores.
            attention_attr: Name of the attribute that shows the attention, `doc._.NAME`.
            contributions_attr: Name of an attribute that shows what each token contributes to each
                label's logit, `doc._.NAME`, shape (n_tokens, n_labels); its columns are the labels
                in `doc._.NAME_labels`. 4 bytes a token and label. None: not stored.
            perturbation: Train on each batch a second time, with token vectors moved so far in the
                direction in which the loss grows (see `spacy_attn.models.perturb.perturb`): more
                accurate, at about twice the time. 0 for none.
            class_weights: What a label's loss is multiplied by in documents it applies to, by label
                (1 for those left out). A table, or for labels that a config cannot hold in one, a
                list of pairs, with "\\u0024" for "$"; "balanced" for (documents without the label /
                documents with it).
            label_smoothing: Train towards probabilities that are this much nearer to one half; 0
                for none.
            scorer: The scoring method.

        Raises:
            ValueError: If a setting is out of its range, the model does not meet the contract, or
                another extension attribute of that name exists.
        """
        self._setup(
            vocab,
            model,
            name,
            threshold=threshold,
            scorer=scorer,
            attention_attr=attention_attr,
            contributions_attr=contributions_attr,
            perturbation=perturbation,
            class_weights=class_weights,
            label_smoothing=label_smoothing,
        )

    def probabilities(self, logits: Floats2d) -> Floats2d:
        return self.model.ops.sigmoid(logits)

    def _logits(self, scores: Floats2d) -> Floats2d:
        return safe_log(scores) - safe_log(1 - scores)

    def _loss(
        self, logits: Floats2d, targets: Floats2d, known: Floats2d, weights: Floats1d
    ) -> tuple[float, Floats2d]:
        return sigmoid_cross_entropy(logits, targets, known, weights)

    def _smooth(self, truths: Floats2d, known: Floats2d, share: float) -> Floats2d:
        return (1.0 - share) * truths + share / 2

    def _count_for_balance(self, truths: Floats2d, known: Floats2d) -> Floats2d:
        # Where it applies, a label weighs as much in total as where it does not.
        return known * (1.0 - truths)

    def initialize(  # type: ignore[override]
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
        words: Iterable[str] | None = None,
    ) -> None:
        """Initialize the component for training.

        Args:
            get_examples: Returns a representative sample of examples.
            nlp: The current nlp object.
            labels: The labels, as `spacy init labels` writes them; by default those of the
                examples.
            words: The vocabulary of a word embedding, as `spacy attn init-words` writes it; by
                default the words of the examples.
        """
        validate_get_examples(get_examples, "AttentionMultiLabelTextCategorizer.initialize")
        set_vocabularies(self, get_examples, nlp, words)
        self._take_labels(get_examples, nlp, labels)
        super().initialize(get_examples, nlp=nlp, labels=())
        self._balance_classes(get_examples, nlp)
        self._n_updates = 0
