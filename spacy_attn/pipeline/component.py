"""What both text classifiers share: their settings, initialization and calibration.

Prediction, annotations, training and storage have a module each.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy
from spacy.language import Language
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model

from ..checks import check_above_zero, check_not_negative, check_rate
from ..models.contract import check_model
from ..models.weights import check_widths
from ..results.explanation import ATTENTION
from . import categorizer_cfg
from .class_weights import ClassWeights, check_class_weights
from .defaults import DEFAULT_PERTURBATION
from .distillation import DistillationMixin
from .storage import StorageMixin
from .temperature import fit_temperature
from .vocabularies import is_streamed, set_vocabularies


class AttentionCategorizer(StorageMixin, DistillationMixin):
    """A text categorizer whose model returns logits and attention.

    The base of `attn_textcat` and `attn_textcat_multilabel`, which say how logits become
    probabilities and which loss goes with them.
    """

    _editable = categorizer_cfg.EDITABLE
    _cfg_of_before = categorizer_cfg.OF_BEFORE

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        threshold: float,
        attention_attr: str = ATTENTION,
        contributions_attr: str | None = None,
        perturbation: float = DEFAULT_PERTURBATION,
        class_weights: ClassWeights = None,
        label_smoothing: float = 0.0,
        distill_temperature: float = 1.0,
        scorer: Callable | None,
    ) -> None:
        r"""Create the component.

        Args:
            vocab: The vocabulary of the pipeline.
            model: A model that returns logits and attention, such as
                `spacy-attn.BiLSTMAttention.v1`. A model of your own must meet the contract in
                `spacy_attn.models.contract`.
            name: Name of the component in the pipeline. Its losses are reported under it.
            threshold: The score from which on `attn_textcat_multilabel` predicts a label, between
                0 and 1. Raise it for fewer labels that are right more often. `spacy find-threshold`
                finds the best one for a validation set. `attn_textcat` predicts the label with the
                highest score, as spaCy's `textcat` does: leave it at 0.
            attention_attr: Name of the attribute that shows the attention, `doc._.NAME`. Change it
                where two components of a pipeline would have the same.
            contributions_attr: Name of an attribute that shows what each token contributes to the
                logit of each label, `doc._.NAME`, shape (n_tokens, n_labels). Set it to store these
                contributions in every document, 4 bytes for each token and label. The labels of the
                columns are in `doc._.NAME_labels`. None stores nothing.
            perturbation: How far token vectors are moved in the direction in which the loss grows
                (see `spacy_attn.models.perturb.perturb`). Each batch is then learned a second time,
                from the moved vectors. This is more accurate, and takes about twice the time. Set 0
                to train each batch once.
            class_weights: What a label's loss is multiplied by, so that rare labels count as much
                as frequent ones. Set it where rare labels are found too seldom. None is 1 for each
                label. A table has weights by label, and 1 for those it leaves out. A list of pairs,
                such as `[["label", 2.0]]`, is for labels that a config cannot hold in a table, with
                ``\\u0024`` for a dollar sign. "balanced" makes the weights of the training
                documents. With `attn_textcat`, a weight multiplies the loss of the label's
                documents, and "balanced" is (documents / labels / documents with the label). With
                `attn_textcat_multilabel`, it multiplies the label's loss where the label applies,
                and "balanced" is (documents without the label / documents with it).
            label_smoothing: The share of each target that is spread evenly over what is possible,
                at least 0 and below 1 (Szegedy et al. 2016). `attn_textcat` spreads it over the
                labels; `attn_textcat_multilabel` moves each target towards one half. Raise it where
                annotations are often wrong.
            distill_temperature: By what logits are divided where `distill` compares them with those
                of a teacher, above 0. Above 1, the labels that the teacher holds unlikely count
                more. The command `distill` does not use it.
            scorer: The scoring method, for `spacy train` and `spacy evaluate`. Change it to be told
                other scores.

        Raises:
            ValueError: If a setting is out of its range, if the model does not meet the contract,
                or if another extension attribute of that name exists.
        """
        where = f"Component '{name}'"
        check_model(where, model)
        check_class_weights(name, class_weights)
        check_rate(where, label_smoothing=label_smoothing)
        check_not_negative(where, perturbation=perturbation)
        check_above_zero(where, distill_temperature=distill_temperature)
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"{where}: 'threshold' must be between 0 and 1, but is {threshold}.")
        if contributions_attr == attention_attr:
            raise ValueError(
                f"{where}: 'attention_attr' and 'contributions_attr' must be two names, "
                f"but both are '{attention_attr}'."
            )
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.attention_attr = attention_attr
        self.contributions_attr = contributions_attr
        self.perturbation = perturbation
        self.class_weights = class_weights
        self.label_smoothing = label_smoothing
        self.distill_temperature = distill_temperature
        self._rehearsal_model = None
        self.cfg = {
            "labels": [],
            "threshold": threshold,
            "balanced_weights": None,
            "temperature": 1.0,
        }
        self._install_extensions()

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
            nlp: The pipeline.
            labels: The labels, as `spacy init labels` writes them; by default those of the
                examples.
            words: The vocabulary of a word embedding, as `spacy attn init-words` writes it; by
                default the words of the examples.
        """
        self._initialize(get_examples, nlp, labels, words)

    def _initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        nlp: Language | None,
        labels: Iterable[str] | None,
        words: Iterable[str] | None,
        **settings: Any,
    ) -> None:
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        set_vocabularies(self, get_examples, nlp, words)
        self._take_labels(get_examples, nlp, labels)
        if labels is not None:
            self._warn_of_unknown_labels(get_examples())
        self._check_labels()
        super().initialize(get_examples, nlp=nlp, labels=(), **settings)
        self._balance_classes(get_examples, nlp)
        self._n_updates = 0

    def _check_labels(self) -> None:
        """Raise a ValueError if the component cannot learn with its labels."""

    def _balance_classes(
        self, get_examples: Callable[[], Iterable[Example]], nlp: Language | None
    ) -> None:
        """Find the weights that "balanced" stands for, or check the labels of those given."""
        if self.class_weights != "balanced":
            # Not refused before training, since models with such a table have been saved.
            if self.class_weights is not None and not len(self.class_weights):
                raise ValueError(
                    f"Component '{self.name}': 'class_weights' names no label: set it to null. "
                    f"Labels that begin with '#', ';' or '[' need the form of a list: "
                    f'[["# a", 2.0]].'
                )
            self._label_weights()
            return
        if is_streamed(nlp):
            warnings.warn(
                f"Component '{self.name}' balances its classes by the first documents of a "
                f"streamed corpus only. Give 'class_weights' as a table of weights by label.",
                stacklevel=5,
            )
        labels = self.labels
        numerators, positives = numpy.zeros(len(labels)), numpy.zeros(len(labels))
        for batch in minibatch(get_examples(), 1000):
            truths, known = self._examples_to_truth(batch)
            counted = self._count_for_balance(truths, known)
            numerators += self.model.ops.to_numpy(counted.sum(axis=0))
            positives += self.model.ops.to_numpy((truths * known).sum(axis=0))
        absent = [label for label, count in zip(labels, positives, strict=True) if not count]
        if absent:
            warnings.warn(
                f"Component '{self.name}': no training document has the labels {absent}, which "
                f'class_weights = "balanced" therefore gives the weight 1.',
                stacklevel=5,
            )
        weights = numpy.ones(len(labels))
        numpy.divide(numerators, positives, out=weights, where=positives > 0)
        self.cfg["balanced_weights"] = dict(zip(labels, weights.tolist(), strict=True))

    # Storage

    def _check_cfg(self, cfg: Mapping[str, Any]) -> None:
        categorizer_cfg.check_cfg(cfg)

    def _check_outputs(self, cfg: Mapping[str, Any], n_outputs: int | None) -> None:
        labels = cfg["labels"]
        if n_outputs not in (None, len(labels)):
            raise ValueError(
                f"it was trained with {n_outputs} labels, but the 'cfg' beside it has "
                f"{len(labels)}, {labels[:5]}"
            )

    def _check_widths(self) -> None:
        check_widths(self.model)

    def calibrate(self, examples: Iterable[Example]) -> float:
        """Fit the temperature, so that a score is the share of documents it is right for.

        It holds until the component is trained again. The labels that win stay the same; so does,
        with independent labels, what is above 0.5.

        Args:
            examples: Documents that were not trained on, and their labels. Components that this one
                listens to must have seen the predicted documents.

        Returns:
            The temperature, which is stored with the component. It is 1, with a warning, for a
            single document, which does not tell how often scores are right.

        Raises:
            ValueError: If there is no document with a label of the component and with tokens, or if
                a score is not finite.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.calibrate")
        self._validate_categories(examples)
        labels = set(self.labels)
        examples = [
            example
            for example in examples
            # The score of an empty document is the same whatever the model has learned of words.
            if labels & set(example.reference.cats) and len(example.predicted)
        ]
        if not examples:
            raise ValueError(
                f"Component '{self.name}': there are no examples with its labels to calibrate with "
                f"that have tokens."
            )
        truths, known = self._examples_to_truth(examples)
        # Otherwise no score would be too sure where every document is classified rightly. So much
        # as in Platt 1999, "Probabilistic Outputs for Support Vector Machines".
        targets = self._smooth(truths, known, 2.0 / (len(examples) + 2.0))
        logits, _ = self._predict_uncalibrated([example.predicted for example in examples])
        weights = self._equal_weights()
        if len(examples) > 1:
            temperature = fit_temperature(
                logits, lambda z: self._loss(z, targets, known, weights)[1]
            )
        else:
            temperature = 1.0
            warnings.warn(
                f"Component '{self.name}' is not calibrated, since there is one document to do it "
                f"with. Give more validation data.",
                stacklevel=2,
            )
        self.cfg["temperature"] = temperature
        return temperature
