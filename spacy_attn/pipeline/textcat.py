"""`attn_textcat`: exclusive classes, exactly one for each document."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from spacy.language import Language
from spacy.pipeline import TextCategorizer
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
from .losses import softmax_cross_entropy
from .probabilities import safe_log
from .scorer import textcat_score
from .shared_attributes import warn_of_shared_attribute
from .vocabularies import set_vocabularies

# How far probabilities that a teacher has rounded may be off.
_ROUNDING = 1e-3


@Language.factory(
    "attn_textcat",
    assigns=["doc.cats", f"doc._.{ATTENTION}"],
    default_config={
        "model": DEFAULT_MODEL,
        "threshold": 0.0,
        "attention_attr": ATTENTION,
        "contributions_attr": None,
        "perturbation": DEFAULT_PERTURBATION,
        "class_weights": None,
        "label_smoothing": 0.0,
        "scorer": {"@scorers": "spacy-attn.textcat_scorer.v1"},
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_attn_textcat(
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
) -> "AttentionTextCategorizer":
    """Create an AttentionTextCategorizer; its settings are described there."""
    warn_of_shared_attribute(nlp, name, attention_attr, contributions_attr)
    return AttentionTextCategorizer(
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
        contributions_attr: str | None = None,
        perturbation: float = DEFAULT_PERTURBATION,
        class_weights: ClassWeights = None,
        label_smoothing: float = 0.0,
        scorer: Callable | None = textcat_score,
    ) -> None:
        """Create the component.

        Args:
            vocab: The shared vocabulary.
            model: A model that returns logits and attention, such as
                `spacy-attn.BiLSTMAttention.v1` (see `spacy_attn.models.contract`).
            name: Name of the component, used for its losses.
            threshold: Unused, as in spaCy's textcat: the class with the highest score counts.
            attention_attr: Name of the attribute that shows the attention, `doc._.NAME`.
            contributions_attr: Name of an attribute that shows what each token contributes to each
                label's logit, `doc._.NAME`, shape (n_tokens, n_labels); its columns are the labels
                in `doc._.NAME_labels`. 4 bytes a token and label. None: not stored.
            perturbation: Train on each batch a second time, with token vectors moved so far in the
                direction in which the loss grows (see `spacy_attn.models.perturb.perturb`): more
                accurate, at about twice the time. 0 for none.
            class_weights: What a document's loss is multiplied by, by label (1 for those left out),
                so that rare classes count as much as frequent ones. A table, or for labels that a
                config cannot hold in one, a list of pairs, with "\\u0024" for "$"; "balanced" for
                (number of documents / number of labels / documents with the label).
            label_smoothing: Share of a document's probability to spread evenly over the labels
                (Szegedy et al. 2016); 0 for none.
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
        self.cfg["positive_label"] = None

    def probabilities(self, logits: Floats2d) -> Floats2d:
        return self.model.ops.softmax(logits)

    def _logits(self, scores: Floats2d) -> Floats2d:
        return safe_log(scores)

    def _loss(
        self, logits: Floats2d, targets: Floats2d, known: Floats2d, weights: Floats1d
    ) -> tuple[float, Floats2d]:
        return softmax_cross_entropy(logits, targets, known, weights)

    def _smooth(self, truths: Floats2d, known: Floats2d, share: float) -> Floats2d:
        mass = truths.sum(axis=1, keepdims=True) / known.sum(axis=1, keepdims=True)
        return (1.0 - share) * truths + share * mass * known

    def _count_for_balance(self, truths: Floats2d, known: Floats2d) -> Floats2d:
        # As scikit-learn: weights that average 1 over the documents.
        mass = truths.sum(axis=1, keepdims=True) / len(self.labels)
        return self.model.ops.xp.broadcast_to(mass, truths.shape)

    def _validate(self, doc: Doc, cats: Mapping[str, float]) -> None:
        super()._validate(doc, cats)
        if sum(cats.values()) <= 1.0 + _ROUNDING:
            return
        values = ", ".join(f"'{label}': {value:g}" for label, value in cats.items() if value)
        raise self._annotation_error(
            doc,
            f"has labels that add up to more than 1 ({values:.200}), but they exclude one another: "
            f"correct the annotation, or use 'attn_textcat_multilabel' for several labels",
        )

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

        Args:
            get_examples: Returns a representative sample of examples.
            nlp: The current nlp object.
            labels: The labels, as `spacy init labels` writes them; by default those of the
                examples.
            positive_label: The positive one of two labels, for the scores.
            words: The vocabulary of a word embedding, as `spacy attn init-words` writes it; by
                default the words of the examples.
        """
        validate_get_examples(get_examples, "AttentionTextCategorizer.initialize")
        set_vocabularies(self, get_examples, nlp, words)
        self._take_labels(get_examples, nlp, labels)
        if len(self.labels) < 2:
            raise ValueError(
                f"Component '{self.name}' needs two labels or more, which exclude one another, but "
                f"has {list(self.labels)}: give a label to the other documents, too, or use "
                f"'attn_textcat_multilabel'."
            )
        super().initialize(get_examples, nlp=nlp, labels=(), positive_label=positive_label)
        self._balance_classes(get_examples, nlp)
        self._n_updates = 0
