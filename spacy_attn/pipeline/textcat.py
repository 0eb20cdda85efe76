"""The components `attn_textcat` and `attn_textcat_multilabel`, and their factories."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from inspect import Signature, signature
from typing import Any

from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..models.contract import Output
from ..results.explanation import ATTENTION
from .component import AttentionCategorizer
from .defaults import DEFAULT_MODEL, SCORE_WEIGHTS
from .factories import register
from .losses import safe_log, sigmoid_cross_entropy, softmax_cross_entropy
from .scorer import textcat_multilabel_score, textcat_score

# How far probabilities that a teacher has rounded may be off.
_ROUNDING = 1e-3


class AttentionTextCategorizer(AttentionCategorizer):
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
        scorer: Callable | None = textcat_score,
        **settings: Any,
    ) -> None:
        """Create the component; `AttentionCategorizer` describes its settings."""
        super().__init__(vocab, model, name, threshold=threshold, scorer=scorer, **settings)
        self.cfg["positive_label"] = None

    def probabilities(self, logits: Floats2d) -> Floats2d:
        return self.model.ops.softmax(logits)

    _loss = staticmethod(softmax_cross_entropy)

    def _logits(self, scores: Floats2d) -> Floats2d:
        return safe_log(scores)

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
        """Initialize the component for training, as `AttentionCategorizer.initialize`.

        Args:
            positive_label: The positive one of two labels, for the scores.
        """
        self._initialize(get_examples, nlp, labels, words, positive_label=positive_label)

    def _check_labels(self) -> None:
        if len(self.labels) < 2:
            raise ValueError(
                f"Component '{self.name}' needs two labels or more, which exclude one another, but "
                f"has {list(self.labels)}: give a label to the other documents, too, or use "
                f"'attn_textcat_multilabel'."
            )


class AttentionMultiLabelTextCategorizer(AttentionCategorizer, MultiLabel_TextCategorizer):
    """Assign any number of labels to documents, and store the attention weights.

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
        scorer: Callable | None = textcat_multilabel_score,
        **settings: Any,
    ) -> None:
        """Create the component; `AttentionCategorizer` describes its settings."""
        super().__init__(vocab, model, name, threshold=threshold, scorer=scorer, **settings)

    def probabilities(self, logits: Floats2d) -> Floats2d:
        return self.model.ops.sigmoid(logits)

    _loss = staticmethod(sigmoid_cross_entropy)

    def _logits(self, scores: Floats2d) -> Floats2d:
        return safe_log(scores) - safe_log(1 - scores)

    def _smooth(self, truths: Floats2d, known: Floats2d, share: float) -> Floats2d:
        return (1.0 - share) * truths + share / 2

    def _count_for_balance(self, truths: Floats2d, known: Floats2d) -> Floats2d:
        # Where it applies, a label weighs as much in total as where it does not.
        return known * (1.0 - truths)


def _warn_of_shared_attributes(nlp: Language, name: str, settings: Mapping[str, Any]) -> None:
    """Warn if another component of the pipeline uses the same attribute."""
    ours = ("attention_attr", "contributions_attr")
    for other_name, other in nlp.pipeline:
        taken = {getattr(other, setting, None) for setting in ours} - {None}
        for setting in ours:
            if settings[setting] in taken:
                warnings.warn(
                    f"The components '{other_name}' and '{name}' both use "
                    f"'doc._.{settings[setting]}', where only what the last one says stays. Give "
                    f"one of them another name with its setting '{setting}'.",
                    stacklevel=3,
                )


def _register(component: type[AttentionCategorizer], scorer: str) -> Callable[..., Any]:
    """Register a factory that takes the settings of a component, with the component's defaults."""
    own = signature(component.__init__).parameters
    inherited = signature(AttentionCategorizer.__init__).parameters.values()
    complete = [own.get(each.name, each) for each in inherited]
    # For `help`, and for the documentation.
    component.__init__.__signature__ = Signature(complete)  # type: ignore[attr-defined]
    return register(
        component,
        own["name"].default,
        complete,
        model=DEFAULT_MODEL,
        model_type=Model[list[Doc], Output],
        scorer=scorer,
        assigns=["doc.cats", f"doc._.{ATTENTION}"],
        score_weights=SCORE_WEIGHTS,
        check=_warn_of_shared_attributes,
    )


make_attn_textcat = _register(AttentionTextCategorizer, "spacy-attn.textcat_scorer.v1")
make_attn_textcat_multilabel = _register(
    AttentionMultiLabelTextCategorizer, "spacy-attn.textcat_multilabel_scorer.v1"
)
