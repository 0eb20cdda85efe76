"""Training of a pipeline in several processes, each of which learns from a part of each batch.

Each process runs spaCy's own training. All read the same batches in the same order, and each has
the components learn from its share of them. Before a step, the components add up the gradients of
all processes (`spacy_attn.models.data_parallel`), so that all make the same step. The first process
evaluates and saves, and the others take over the scores.
"""

import contextlib
import io
import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy
from spacy import util
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.pipeline import Tok2Vec
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import resolve_dot_names
from thinc.api import Config, Model, Optimizer

from ..models.data_parallel import add_up_gradients, have_same_weights, take_weights_from_first
from ..models.processes import all_have, n_processes, own_rank, value_of_first, values_of_all
from ..models.randomness import OwnRandomness, same_randomness_afterwards
from .steps import StepsMixin


def train_together(config: Config, output_path: Path | None, *, use_gpu: int = -1) -> Language:
    """Train a pipeline in all processes that `spacy_attn.models.processes.together` has connected.

    Each of them calls this with the same config.

    Args:
        config: The training config, not interpolated.
        output_path: Folder for the trained pipeline, which the first process writes.
        use_gpu: The GPU of this process, -1 for none.

    Returns:
        The trained pipeline.

    Raises:
        ValueError: If a component cannot be trained in several processes; if the corpus has fewer
            documents than there are processes; or if the processes have different configs, make
            different pipelines of them, or read different batches.
        ConnectionError: If another process has ended.
    """
    is_first = own_rank() == 0
    if not all_have(crc32(config.to_str(interpolate=False).encode())):
        raise ValueError("The processes have different configs: start all of them with the same.")
    _set_common_seed(config)
    with contextlib.nullcontext() if is_first else _silence():
        nlp = init_nlp(config, use_gpu=use_gpu)
    training = nlp.config.interpolate()["training"]
    learning = learning_components(nlp, training["frozen_components"])
    _check_corpus(nlp, training["train_corpus"])
    _agree(nlp, learning)
    if not is_first:
        nlp.config["training"]["logger"] = {"@loggers": "spacy.ConsoleLogger.v1"}
    with learning_from_shares(nlp, learning, training["seed"]):
        train(
            nlp,
            output_path if is_first else None,
            use_gpu=use_gpu,
            stdout=sys.stdout if is_first else io.StringIO(),
            stderr=sys.stderr,
        )
    return nlp


def _set_common_seed(config: Config) -> None:
    """Draw a seed where there is none: the processes need the same one."""
    training = config.interpolate().get("training", {})
    if "seed" in training and training["seed"] is None:
        config["training"]["seed"] = value_of_first(random.SystemRandom().randrange(2**31))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Have a process not say what the first process says, too."""
    level = util.logger.level
    util.logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        util.logger.setLevel(level)


# Before training


def learning_components(nlp: Language, frozen: Sequence[str]) -> dict[str, Any]:
    """Return the components that learn, by name, all of which must be able to do it in parts.

    Of those of other packages, a `tok2vec` can: its gradients are sums of what listeners send.
    Whether the loss of another component is a sum over the batch cannot be seen.

    Args:
        nlp: The pipeline.
        frozen: Names of the components that do not learn.

    Raises:
        ValueError: If one cannot.
    """
    learning = {
        name: pipe
        for name, pipe in nlp.pipeline
        if name not in frozen and hasattr(pipe, "update") and getattr(pipe, "is_trainable", True)
    }
    for name, pipe in learning.items():
        if not isinstance(pipe, StepsMixin | Tok2Vec):
            raise ValueError(
                f"Component '{name}' cannot be trained in several processes: only those of "
                f"spacy-attn and 'tok2vec' can, but it is a '{nlp.get_pipe_meta(name).factory}'. "
                f"Train it in one process first, and then source it and name it in [training] "
                f"frozen_components."
            )
    return learning


def _check_corpus(nlp: Language, name: str) -> None:
    """Refuse a corpus of which some process would never get a document."""
    (corpus,) = resolve_dot_names(nlp.config.interpolate(), [name])
    with same_randomness_afterwards():
        n_found = sum(1 for _ in islice(corpus(nlp), n_processes()))
    if n_found < n_processes():
        raise ValueError(
            f"The training corpus '{name}' has fewer documents, {n_found}, than there are "
            f"processes, {n_processes()}: start fewer processes, or add documents."
        )


def _agree(nlp: Language, learning: dict[str, Any]) -> None:
    """Give all processes the same weights, and check that all else is the same already."""
    pipes: list[tuple[str, Any]] = nlp.pipeline
    for name, pipe in pipes:
        if isinstance(getattr(pipe, "model", None), Model):
            agrees = take_weights_from_first(pipe.model)
            if name in learning:
                agrees = all_have(crc32(pipe.to_bytes(exclude=["vocab"]))) and agrees
            if not agrees:
                raise ValueError(
                    f"Component '{name}' was initialized differently in some process: give all of "
                    f"them the same files, versions and config, and have the corpus the same "
                    f"documents in the same order each time."
                )


# In training


@contextlib.contextmanager
def learning_from_shares(nlp: Language, learning: dict[str, Any], seed: int) -> Iterator[None]:
    """Have a pipeline learn from this process's shares of batches, and the first one evaluate it.

    spaCy's training calls the methods of the pipeline and of components that are replaced here.

    Args:
        nlp: The pipeline.
        learning: The components that learn, by name, as `learning_components` returns them.
        seed: What the random numbers follow from that each process draws for itself.
    """
    shares = _Shares(nlp, learning, seed)
    replaced: list[tuple[Any, str, Callable]] = [
        (nlp, "update", shares.update),
        (nlp, "evaluate", shares.evaluate),
        (nlp, "use_params", shares.use_params),
    ]
    for pipe in learning.values():
        # Ours add up their gradients themselves.
        if not isinstance(pipe, StepsMixin):
            replaced.append((pipe, "finish_update", _adding_up(pipe)))
    for owner, name, method in replaced:
        setattr(owner, name, method)
    try:
        yield
    finally:
        for owner, name, _ in replaced:
            delattr(owner, name)


def _adding_up(pipe: Any) -> Callable[[Optimizer], None]:
    finish_update = pipe.finish_update

    def add_up_and_finish(sgd: Optimizer) -> None:
        add_up_gradients(pipe.model, True)
        finish_update(sgd)

    return add_up_and_finish


def cut_evenly(lengths: Sequence[int], n_parts: int) -> list[int]:
    """Cut documents into runs with about as many tokens each, some of which may be empty.

    Args:
        lengths: Their numbers of tokens.
        n_parts: The number of runs.

    Returns:
        The number of the run that each document is in, from 0, in rising order.
    """
    # One more for each: documents without tokens take time, too.
    sizes = numpy.array(lengths) + 1
    middles = sizes.cumsum() - sizes / 2
    return (n_parts * middles / sizes.sum()).astype(int).tolist()


class _Shares:
    """What takes the place of some methods of a pipeline while it is trained together."""

    def __init__(self, nlp: Language, learning: dict[str, Any], seed: int) -> None:
        self._update, self._evaluate, self._use_params = nlp.update, nlp.evaluate, nlp.use_params
        self._learning = learning
        self._seed = seed
        self._own_randomness: OwnRandomness | None = None
        self._n_batches = 0
        self._losses: dict[str, float] = {}

    def update(
        self, examples: Iterable[Example], *, losses: dict[str, float] | None = None, **kwargs: Any
    ) -> dict[str, float]:
        """Learn from this process's share of a batch, of which there may be nothing."""
        examples, losses = list(examples), {} if losses is None else losses
        self._check_batch(examples)
        # Here, since spaCy sets the seeds of GPUs when training starts.
        if self._own_randomness is None:
            self._own_randomness = OwnRandomness(self._seed + 1 + own_rank())
        # spaCy has sorted them by length, so that the documents of a run have little padding.
        ranks = cut_evenly([len(each.predicted) for each in examples], n_processes())
        share = [each for each, rank in zip(examples, ranks, strict=True) if rank == own_rank()]
        self._losses = losses
        for name in self._learning:
            losses.setdefault(name, 0.0)
        with self._own_randomness.drawn():
            if share:
                self._update(share, losses=losses, **kwargs)
            else:
                for pipe in self._learning.values():
                    if isinstance(pipe, StepsMixin):
                        pipe.update([], losses=losses)
        return losses

    def _check_batch(self, examples: Sequence[Example]) -> None:
        self._n_batches += 1
        checksum = len(examples)
        for example in examples:
            checksum = crc32(example.reference.to_array([ORTH]).tobytes(), checksum)
        if not all_have(checksum):
            raise ValueError(
                f"Batch {self._n_batches} is not the same in all processes: the training corpus "
                f"must give all of them the same documents in the same order. Have it shuffle with "
                f"a fixed seed, and read the same files everywhere."
            )
        if self._n_batches == 1 and len(examples) < n_processes() and own_rank() == 0:
            warnings.warn(
                f"The first batch has fewer documents, {len(examples)}, than there are processes, "
                f"{n_processes()}, so that some have nothing to do. Raise the size in "
                f"[training.batcher].",
                stacklevel=2,
            )

    def evaluate(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Return the scores of the first process, which alone evaluates, in all of them."""
        if not have_same_weights([pipe.model for pipe in self._learning.values()]):
            raise ValueError(
                f"After {self._n_batches} batches, the weights are no longer the same in all "
                f"processes: run all of them on the same kind of machine, with the same number of "
                f"threads."
            )
        found = self._evaluate(examples, **kwargs) if own_rank() == 0 else {}
        of_all = values_of_all(self._losses)
        for name in self._losses:
            self._losses[name] = sum(losses[name] for losses in of_all)
        return value_of_first(found)

    @contextlib.contextmanager
    def use_params(self, params: Any) -> Iterator[None]:
        """Use averaged weights, to evaluate and save: the first process may draw numbers there."""
        with same_randomness_afterwards(), self._use_params(params):
            yield
