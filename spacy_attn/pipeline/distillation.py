"""How a component learns from what another one, its teacher, predicts."""

from collections.abc import Iterable, Sequence
from typing import Any

from spacy.pipeline import MultiLabel_TextCategorizer
from spacy.training import Example
from thinc.api import Optimizer
from thinc.types import Floats2d

from .losses import Loss
from .prediction import Predictions
from .training import TrainingMixin


class DistillationMixin(TrainingMixin):
    """Learns from the probabilities that a teacher gives the same texts."""

    distill_temperature: float

    def distill(
        self,
        teacher_pipe: Any,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        r"""Learn from a teacher's predictions for a batch; no annotation is needed.

        The signature is that of spaCy 4. With the teacher's logits z, this component's logits y and
        the temperature T, the loss is that of Hinton et al. 2015, "Distilling the Knowledge in a
        Neural Network":

        .. math::
            T^2 \, \mathrm{CE}(\mathrm{softmax}(z / T), \mathrm{softmax}(y / T))

        With independent labels, the sigmoid takes the place of the softmax. A teacher of the kind
        of this component gives its logits. Those of another one are worked out of its
        probabilities, which T = 1 takes as they are. Above 1, that falls short where float32 has
        rounded a sigmoid to 1, that of 17 and more.

        Args:
            teacher_pipe: A component that predicts a score for each of this component's labels:
                either of ours, or spaCy's `textcat` or `textcat_multilabel`.
            examples: The batch. The teacher reads the annotated documents, and this component the
                predicted ones, of the same texts. What either listens to must have seen them.
            drop: The dropout rate, at least 0 and below 1.
            sgd: The optimizer; without one, gradients accumulate.
            losses: Losses by component name, to be added to.

        Returns:
            The losses.

        Raises:
            ValueError: If there is no teacher, if it has other labels or labels of another kind, or
                if the two documents of an example differ in their texts; and as `update`.
        """
        columns = self._columns_of(teacher_pipe)

        def backpropagate(batch: list[Example]) -> float:
            targets = self._ask_teacher(teacher_pipe, batch)[:, columns]

            def get_loss(_: Sequence[Example], logits: Floats2d) -> Loss:
                return self._get_distillation_loss(targets, logits)

            return self._backpropagate_loss(batch, get_loss)

        return self._learn("distill", examples, backpropagate, drop, sgd, losses)

    def _columns_of(self, teacher: Any) -> list[int]:
        """Return in which column of a teacher's scores each label is."""
        if teacher is None or not hasattr(teacher, "labels"):
            raise ValueError(
                f"Component '{self.name}' needs a teacher that classifies texts, but 'teacher_pipe'"
                f" is {teacher!r:.80}. Give a component of a trained pipeline, as nlp.get_pipe "
                f"returns it."
            )
        if _is_exclusive(teacher) != _is_exclusive(self):
            kinds = ("exclude one another", "do not exclude one another")
            own, of_teacher = kinds if _is_exclusive(self) else kinds[::-1]
            raise ValueError(
                f"The labels of component '{self.name}' {own}, but those of its teacher "
                f"'{teacher.name}' {of_teacher}. Give a teacher of the same kind."
            )
        labels = list(teacher.labels)
        if set(labels) != set(self.labels):
            only = [
                sorted(set(a) - set(b)) for a, b in ((labels, self.labels), (self.labels, labels))
            ]
            raise ValueError(
                f"Component '{self.name}' and its teacher '{teacher.name}' must have the same "
                f"labels. Only the teacher has {only[0]}, and only '{self.name}' has {only[1]}. "
                f"Initialize '{self.name}' with the labels of the teacher."
            )
        return [labels.index(label) for label in self.labels]

    def _ask_teacher(self, teacher: Any, batch: Sequence[Example]) -> Floats2d:
        """Return a teacher's probabilities at the temperature, shape (n_docs, n_labels)."""
        for example in batch:
            if example.predicted.text != example.reference.text:
                raise ValueError(
                    f"Component '{self.name}': the two documents of an example must have the same "
                    f"text, but they are {example.predicted.text!r:.80} and "
                    f"{example.reference.text!r:.80}."
                )
        docs = [example.reference for example in batch]
        if getattr(type(teacher), "probabilities", None) is type(self).probabilities:
            logits = self.model.ops.asarray2f(teacher.predict_logits(docs)[0])
        else:
            found = teacher.predict(docs)
            scores = found.scores if isinstance(found, Predictions) else found
            scores = self.model.ops.asarray2f(scores)
            if self.distill_temperature == 1.0:
                return scores
            logits = self._logits(scores)
        return self.probabilities(logits / self.distill_temperature)

    def _get_distillation_loss(self, targets: Floats2d, logits: Floats2d) -> Loss:
        temperature = self.distill_temperature
        known = self.model.ops.alloc2f(*logits.shape) + 1.0
        loss, gradient = self._loss(logits / temperature, targets, known, self._equal_weights())
        # Of the square, the division by the temperature has taken one factor from the gradient.
        return loss * temperature**2, gradient * temperature


def _is_exclusive(component: Any) -> bool:
    """Return whether the labels of a component exclude one another."""
    is_not_multilabel = not isinstance(component, MultiLabel_TextCategorizer)
    return bool(getattr(component, "exclusive", is_not_multilabel))
