"""The steps of training that all components take: each is made as a whole, or not at all."""

from collections.abc import Callable, Iterable

from spacy.errors import Errors
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.training import Example, validate_examples
from thinc.api import Optimizer, set_dropout_rate

from ..checks import check_rate
from ..models.data_parallel import add_up_gradients
from ..models.fused_adam import finish_update
from ..models.weights import (
    clear_gradients,
    copy_gradients,
    is_initialized,
    put_back_gradients,
)
from .finite import check_step


class StepsMixin(TrainablePipe):
    """Gathers the gradients of batches, and makes steps of them."""

    # Steps made since the component was created, loaded or initialized.
    _n_updates = 0
    # Whether there are gradients of updates that no step has used yet.
    _has_gathered = False

    def _check_examples(self, examples: list[Example]) -> None:
        """Raise a ValueError for annotations that cannot be learned from."""

    def _after_step(self) -> None:
        """Forget what belonged to the weights of before."""

    def _backpropagate(self, examples: list[Example]) -> float:
        """Add the gradients of a batch to those of the model, and return its loss."""
        raise NotImplementedError

    def _teach_nothing(self) -> None:
        """Add up what `_backpropagate` adds up over processes, with nothing of this process."""

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples; those without annotations teach nothing.

        Args:
            examples: The batch.
            drop: The dropout rate, at least 0 and below 1.
            sgd: The optimizer; without one, gradients accumulate.
            losses: Losses by component name, to be added to.

        Returns:
            The losses.

        Raises:
            ValueError: If `drop` is out of its range, or the loss is not finite; the weights are
                those of before.
        """
        teach, check = self._backpropagate, self._check_examples
        return self._learn("update", examples, teach, drop, sgd, losses, check)

    def _learn(
        self,
        what: str,
        examples: Iterable[Example],
        backpropagate: Callable[[list[Example]], float],
        drop: float,
        sgd: Optimizer | None,
        losses: dict[str, float] | None,
        check: Callable[[list[Example]], None] | None = None,
    ) -> dict[str, float]:
        """Gather the gradients of a batch, and make a step if there is an optimizer.

        Args:
            what: The method of the component that was called.
            backpropagate: Adds the gradients of the batch to those of the model, and returns its
                loss.
            check: Raises an error at annotations, where these are learned from.

        Returns:
            The losses by component name, to which that of the batch is added.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        check_rate(f"Component '{self.name}'", drop=drop)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.{what}")
        if check is not None:
            check(examples)
        if not any(len(example.predicted) for example in examples):
            self._teach_nothing()
            return losses
        self._check_initialized()
        set_dropout_rate(self.model, drop)
        gathered = copy_gradients(self.model) if self._has_gathered else None
        try:
            loss = backpropagate(examples)
        except BaseException:  # an interrupt, too: the next step must not use a part of this batch
            if gathered is None:
                clear_gradients(self.model)
            else:
                put_back_gradients(self.model, gathered)
            raise
        self._has_gathered = True
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the model's weights from the gradients that `update` has gathered.

        If it fails or is interrupted, the gradients are forgotten. `spacy-attn.FusedAdam.v1` has
        then made the whole step, or none of it. Another optimizer may have changed some weights.

        Args:
            sgd: The optimizer.

        Raises:
            ValueError: If a setting of the optimizer is out of its range, or a gradient is not
                finite; the weights are those of before.
        """
        try:
            self._has_gathered = add_up_gradients(self.model, self._has_gathered)
            check_step(self._where, self.model, sgd)
            finish_update(self.model, sgd)
            if self._has_gathered:
                self._after_step()
        except BaseException:  # an interrupt, too: the next step must not use them
            clear_gradients(self.model)
            raise
        finally:
            self._has_gathered = False
        self._n_updates += 1

    @property
    def _where(self) -> str:
        return f"Component '{self.name}', update {self._n_updates + 1}"

    def _check_initialized(self) -> None:
        if not is_initialized(self.model):
            raise ValueError(Errors.E109.format(name=self.name))
