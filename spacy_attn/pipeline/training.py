"""How a component learns: updates, rehearsal, and the loss of a batch."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import cast

from spacy.training import Example, validate_examples
from thinc.api import Model, Optimizer
from thinc.types import Floats1d, Floats2d

from ..models.arrays import TokenArrays
from ..models.contract import begin_classification, begin_embedding
from ..models.perturb import perturb, root_mean_square
from .annotations import AnnotationsMixin
from .class_weights import ClassWeights, weights_by_label
from .finite import check_finite
from .losses import Loss
from .prediction import AttentionPredictorMixin, Predictions
from .steps import StepsMixin


class TrainingMixin(StepsMixin, AnnotationsMixin, AttentionPredictorMixin):
    """Trains a model that returns logits and attention; a subclass says with which loss."""

    perturbation: float
    class_weights: ClassWeights
    label_smoothing: float
    # From logits, targets, what is known of them, and weights of the labels.
    _loss: Callable[[Floats2d, Floats2d, Floats2d, Floats1d], Loss]

    def _logits(self, scores: Floats2d) -> Floats2d:
        """Logits that give some scores, up to rounding and to what does not change the loss."""
        raise NotImplementedError

    def _smooth(self, truths: Floats2d, known: Floats2d, share: float) -> Floats2d:
        """Targets of which a share is spread evenly over what is possible."""
        raise NotImplementedError

    def _count_for_balance(self, truths: Floats2d, known: Floats2d) -> Floats2d:
        """The shares of documents, shape (n_docs, n_labels), that make up balanced weights."""
        raise NotImplementedError

    def _backpropagate(self, examples: list[Example]) -> float:
        self._warn_of_unknown_labels(examples)
        return self._backpropagate_loss(examples, self._get_training_loss)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn to predict what the model predicted before `nlp.resume_training()`.

        That model's probabilities are soft targets. Labels added since then are left out. Without
        an earlier model it does nothing. It takes and returns the same as `update`.
        """
        if self._rehearsal_model is None:
            losses = {} if losses is None else losses
            losses.setdefault(self.name, 0.0)
            return losses

        def backpropagate(examples: list[Example]) -> float:
            return self._backpropagate_loss(examples, self._get_rehearsal_loss)

        return self._learn("rehearse", examples, backpropagate, drop, sgd, losses)

    def _check_examples(self, examples: list[Example]) -> None:
        self._validate_categories(examples)

    def _teach_nothing(self) -> None:
        if self.perturbation:
            root_mean_square(self.model.ops, self.model.ops.alloc2f(0, 0))

    def _after_step(self) -> None:
        # A temperature belongs to the weights that it was fitted for.
        self.cfg["temperature"] = 1.0

    def _backpropagate_loss(
        self, examples: list[Example], of_batch: Callable[[Sequence[Example], Floats2d], Loss]
    ) -> float:
        """Add the gradients of a batch to those of the model, and return its loss."""
        docs, get_loss = [example.predicted for example in examples], partial(of_batch, examples)
        vectors, backprop_vectors = begin_embedding(self.model, docs)
        (logits, _), backprop = begin_classification(self.model, vectors)
        loss, d_logits = self._finite_loss(get_loss, logits)
        d_vectors = backprop(d_logits)
        if self.perturbation:
            perturbed = perturb(self.model.ops, vectors, d_vectors, self.perturbation)
            (logits, _), backprop = begin_classification(self.model, perturbed)
            further_loss, d_logits = self._finite_loss(get_loss, logits)
            loss += further_loss
            total = d_vectors.joined + backprop(d_logits).joined
            d_vectors = TokenArrays(total, d_vectors.lengths)
        # Before an embedding, which may be that of other components, gets it.
        check_finite(self._where, "the gradient of the token vectors", d_vectors.joined)
        backprop_vectors(d_vectors)
        return loss

    def _finite_loss(self, get_loss: Callable[[Floats2d], Loss], logits: Floats2d) -> Loss:
        check_finite(self._where, "the loss", logits)
        loss, d_logits = get_loss(logits)
        check_finite(self._where, "the loss", self.model.ops.xp.asarray(loss), d_logits)
        return loss, d_logits

    def get_loss(  # type: ignore[override]
        self, examples: Iterable[Example], scores: Floats2d | Predictions
    ) -> Loss:
        """Return the loss of a batch, and its gradient with respect to the model's logits.

        The loss is the cross-entropy, summed over the documents. Training computes it from the
        logits, which is exact also where a probability would be rounded to 0 or 1.

        Args:
            examples: The batch.
            scores: Predicted probabilities, shape (n_docs, n_labels).

        Returns:
            The loss and its gradient, shape (n_docs, n_labels).
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        self._validate_categories(examples)
        if isinstance(scores, Predictions):
            scores = scores.scores
        return self._get_training_loss(examples, self._logits(scores) * self.temperature)

    def _get_training_loss(self, examples: Sequence[Example], logits: Floats2d) -> Loss:
        truths, known = self._examples_to_truth(examples)
        targets = self._smooth(truths, known, self.label_smoothing)
        return self._loss(logits, targets, known, self._label_weights())

    def _label_weights(self) -> Floats1d:
        """Return the weights of the labels in the loss, shape (n_labels,)."""
        if self.class_weights == "balanced":
            table = self.cfg["balanced_weights"] or {}
        else:
            table = weights_by_label(self.class_weights)
            present = set(self.labels)
            unknown = [label for label in table if label not in present]
            if unknown:
                raise ValueError(
                    f"Component '{self.name}': 'class_weights' names {unknown}, but the labels are "
                    f"{list(self.labels)}: correct the name, or remove it."
                )
        return self.model.ops.asarray1f([table.get(label, 1.0) for label in self.labels])

    def _equal_weights(self) -> Floats1d:
        return self.model.ops.asarray1f([1.0] * len(self.labels))

    def _get_rehearsal_loss(self, examples: Sequence[Example], logits: Floats2d) -> Loss:
        docs = [example.predicted for example in examples]
        old_logits, _ = cast(Model, self._rehearsal_model).predict(docs)
        targets, known = (self.model.ops.alloc2f(*logits.shape) for _ in range(2))
        targets[:, : old_logits.shape[1]] = self.probabilities(old_logits)
        known[:, : old_logits.shape[1]] = 1.0
        return self._loss(logits, targets, known, self._equal_weights())
