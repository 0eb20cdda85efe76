"""What the components for exclusive and for independent labels have in common."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy
from spacy.errors import Errors
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, get_array_module, set_dropout_rate
from thinc.types import Floats1d, Floats2d

from ..explanation import Explanation
from ..extensions import install_contributions, install_extensions, set_values
from ..models.adversarial import perturb
from ..models.attention_head import output_weights
from ..models.bilstm_attention import begin_update_of_vectors, is_initialized
from ..models.fused_adam import finish_update
from ..models.word_embedding import (
    is_word_embedding,
    keeps_vocabulary,
    knows_sample_only,
    learn_vocabulary,
    set_vocabulary,
)
from .calibration import fit_temperature
from .class_weights import (
    ClassWeights,
    balance,
    check_class_weights,
    check_labels_of_weights,
)

# At most so many tokens go through the embedding layers at once, whatever the batch size, so that
# memory does not grow with the length of documents (a longer document goes alone).
MAX_CHUNK_TOKENS = 32_768

# Keeps the loss finite where a probability has been rounded to 0.
TINY = float(numpy.finfo(numpy.float32).tiny)


class Predictions(NamedTuple):
    """What a component predicts for a batch of documents.

    scores: Probabilities, shape (n_docs, n_labels), columns in the order of the labels.
    attention: For each document, the weights of its tokens, shape (n_tokens,).
    contributions: For each document, what each token contributes to each logit, shape
        (n_tokens, n_labels); None unless the component has a `contributions_attr`.
    """

    scores: Floats2d
    attention: list[Floats1d]
    contributions: list[Floats2d] | None = None


class _Parts(NamedTuple):
    """What the model computes for documents; shapes as in `Predictions`.

    logits: Shape (n_docs, n_labels).
    """

    logits: Floats2d
    attention: list[Floats1d]
    contributions: list[Floats2d]


if TYPE_CHECKING:
    _Base = TextCategorizer
else:
    _Base = object


class AttentionCategorizerMixin(_Base):
    """Predicts, trains and annotates with a model that returns logits and attention.

    To be mixed into spaCy's own text categorizers, which keep the labels, their validation and the
    initialisation. A subclass says how logits become probabilities and what loss goes with them.
    """

    attention_attr: str
    contributions_attr: str | None
    perturbation: float
    class_weights: ClassWeights
    label_smoothing: float

    def _setup(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        threshold: float,
        scorer: Callable | None,
        attention_attr: str,
        contributions_attr: str | None,
        perturbation: float,
        class_weights: ClassWeights,
        label_smoothing: float,
    ) -> None:
        check_class_weights(name, class_weights)
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(
                f"Component '{name}': 'label_smoothing' must be at least 0 and below 1, but is "
                f"{label_smoothing}."
            )
        if perturbation < 0.0:
            raise ValueError(
                f"Component '{name}': 'perturbation' must be 0 or more, but is {perturbation}."
            )
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(
                f"Component '{name}': 'threshold' must be between 0 and 1, but is {threshold}."
            )
        if contributions_attr == attention_attr:
            raise ValueError(
                f"Component '{name}': 'attention_attr' and 'contributions_attr' must be two names, "
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
        self._rehearsal_model = None
        self.cfg = {
            "labels": [],
            "threshold": threshold,
            "balanced_weights": None,
            "temperature": 1.0,
        }
        self._install_extensions()

    def _install_extensions(self) -> None:
        install_extensions(self.attention_attr)
        if self.contributions_attr is not None:
            install_contributions(self.contributions_attr)

    # How the subclasses differ

    def _probabilities(self, logits: Floats2d) -> Floats2d:
        raise NotImplementedError

    def _logits(self, scores: Floats2d) -> Floats2d:
        """Logits that give some scores, up to rounding and to what does not change the loss."""
        raise NotImplementedError

    def _loss(
        self, logits: Floats2d, targets: Floats2d, known: Floats2d, weights: Floats1d
    ) -> tuple[float, Floats2d]:
        """A loss of `spacy_attn.pipeline.losses`."""
        raise NotImplementedError

    def _smooth(self, truths: Floats2d, known: Floats2d, share: float) -> Floats2d:
        """Targets of which a share is spread evenly over what is possible."""
        raise NotImplementedError

    def _count_for_balance(self, truths: Floats2d, known: Floats2d) -> Floats2d:
        """The documents whose number a label's balanced weight is in proportion to, as shares.

        Takes and returns shape (n_docs, n_labels).
        """
        raise NotImplementedError

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> Predictions:
        """Apply the model to a batch of documents, without modifying them.

        A document's result depends on that document alone. One without tokens gets the scores of
        the model's bias and an empty array of attention.

        docs (Iterable[Doc]): The documents to predict.
        RETURNS (Predictions): Scores and attention, and contributions where they are to be stored.
        RAISES: ValueError (E109) if the component has not been initialised.
        """
        self._install_extensions()
        docs = list(docs)
        if self.contributions_attr is None:
            logits, attention = self.predict_logits(docs)
            return Predictions(self.probabilities(logits), attention)
        parts = self._predict_parts(docs)
        return Predictions(self.probabilities(parts.logits), parts.attention, parts.contributions)

    def probabilities(self, logits: Floats2d) -> Floats2d:
        """The scores that some logits stand for, both of shape (n_docs, n_labels)."""
        return self._probabilities(logits / self.temperature)

    def predict_logits(self, docs: list[Doc]) -> tuple[Floats2d, list[Floats1d]]:
        """The logits, shape (n_docs, n_labels), and attention of a batch of documents."""
        self._check_initialized()
        logits = [self.model.ops.alloc2f(0, len(self.labels))]
        attention: list[Floats1d] = []
        for chunk in _chunks(docs):
            chunk_logits, chunk_attention = self._predict_chunk(chunk)
            logits.append(chunk_logits)
            attention.extend(chunk_attention)
        return self.model.ops.xp.concatenate(logits), attention

    def _predict_chunk(self, docs: list[Doc]) -> tuple[Floats2d, list[Floats1d]]:
        if any(len(doc) for doc in docs):
            return self.model.predict(docs)
        return self.model.get_ref("output_layer").predict(self.encode(docs))

    def _predict_parts(self, docs: list[Doc]) -> _Parts:
        """As `predict_logits`, from one pass through the model, too; and the contributions."""
        self._check_initialized()
        logits = [self.model.ops.alloc2f(0, len(self.labels))]
        attention: list[Floats1d] = []
        contributions: list[Floats2d] = []
        head = self.model.get_ref("output_layer")
        weight, _ = output_weights(head)
        for chunk in _chunks(docs):
            hidden = self.encode(chunk)
            chunk_logits, chunk_attention = head.predict(hidden)
            logits.append(chunk_logits)
            attention.extend(chunk_attention)
            contributions.extend(
                a[:, None] * (h @ weight.T) for a, h in zip(chunk_attention, hidden, strict=True)
            )
        return _Parts(self.model.ops.xp.concatenate(logits), attention, contributions)

    def encode(self, docs: list[Doc]) -> list[Floats2d]:
        """The hidden states h of each document, which attention averages, shape (n_tokens, 2H)."""
        if any(len(doc) for doc in docs):
            return self.model.get_ref("encoder").predict(docs)
        # Not every embedding layer can do with no token at all.
        width = self.model.get_ref("output_layer").get_dim("nI")
        return [self.model.ops.alloc2f(0, width)] * len(docs)

    def _check_initialized(self) -> None:
        if not is_initialized(self.model):
            raise ValueError(Errors.E109.format(name=self.name))

    def set_annotations(self, docs: Iterable[Doc], scores: Predictions) -> None:
        """Set `doc.cats` and the attributes of a batch of documents.

        docs (Iterable[Doc]): The documents to modify.
        scores (Predictions): What `predict` returned for them.
        """
        docs, labels, to_numpy = list(docs), self.labels, self.model.ops.to_numpy
        rows = scores.scores.tolist()
        for doc, row, attention in zip(docs, rows, scores.attention, strict=True):
            doc.cats.update(zip(labels, row, strict=True))
            set_values(doc, to_numpy(attention), self.attention_attr)
        if self.contributions_attr is not None and scores.contributions is not None:
            for doc, contributions in zip(docs, scores.contributions, strict=True):
                values = to_numpy(contributions)
                set_values(doc, values, self.contributions_attr, labels=labels)

    # Explanation

    def explain(self, docs: Iterable[Doc]) -> list[Explanation]:
        """What each token contributes to each label's logit, in one pass through the model.

        The contributions are exact: they add up to the logits minus the bias. `docs` are not
        modified.

        docs (Iterable[Doc]): The documents to explain, classified or not. Components that this one
            listens to must have seen them.
        RETURNS (List[Explanation]): One for each document.
        RAISES: ValueError (E109) if the component has not been initialised.
        """
        docs = list(docs)
        parts = self._predict_parts(docs)
        to_numpy = self.model.ops.to_numpy
        _, bias = output_weights(self.model.get_ref("output_layer"))
        scores = self.probabilities(parts.logits)
        return [
            Explanation(
                tokens=tuple(token.text for token in doc),
                spaces=tuple(bool(token.whitespace_) for token in doc),
                labels=tuple(self.labels),
                attention=to_numpy(parts.attention[i]),
                logits=to_numpy(parts.logits[i]),
                scores=to_numpy(scores[i]),
                bias=to_numpy(bias),
                attributions=to_numpy(parts.contributions[i]),
            )
            for i, doc in enumerate(docs)
        ]

    # Calibration

    @property
    def temperature(self) -> float:
        """What logits are divided by before they become scores: 1, or what `calibrate` found."""
        return float(self.cfg.get("temperature", 1.0))

    def calibrate(self, examples: Iterable[Example]) -> float:
        """Fit the temperature to examples that were not trained on, so that a score is the share of
        documents it is right for. Holds until the component is trained again. The classes that win
        stay the same; so does, with independent labels, what is above 0.5.

        examples (Iterable[Example]): Documents and their labels. Components that this one listens
            to must have seen the predicted documents.
        RETURNS (float): The temperature, which is stored with the component.
        RAISES: ValueError if there is no example with a label of the component.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.calibrate")
        self._validate_categories(examples)
        labels = set(self.labels)
        examples = [example for example in examples if labels & set(example.reference.cats)]
        if not examples:
            raise ValueError(
                f"Component '{self.name}': there are no examples with its labels to calibrate with."
            )
        truths, known = self._truths(examples)
        # Otherwise no score would be too sure where every document is classified rightly. So much
        # as in Platt 1999, "Probabilistic Outputs for Support Vector Machines".
        targets = self._smooth(truths, known, 2.0 / (len(examples) + 2.0))
        logits, _ = self.predict_logits([example.predicted for example in examples])
        weights = self._equal_weights()
        temperature = fit_temperature(logits, lambda z: self._loss(z, targets, known, weights)[1])
        self.cfg["temperature"] = temperature
        return temperature

    # Training

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples.

        examples (Iterable[Example]): The batch.
        drop (float): The dropout rate.
        sgd (Optional[Optimizer]): The optimizer; without one, gradients accumulate.
        losses (Optional[Dict[str, float]]): Losses by component name, to be added to.
        RETURNS (Dict[str, float]): The losses.
        """
        return self._learn("update", examples, self._get_training_loss, drop, sgd, losses)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn to predict what the model predicted before `nlp.resume_training()`.

        That model's probabilities are soft targets. Labels added since then are left out.

        Takes and returns the same as `update`; does nothing where there is no earlier model.
        """
        if self._rehearsal_model is None:
            if losses is None:
                losses = {}
            losses.setdefault(self.name, 0.0)
            return losses
        return self._learn("rehearse", examples, self._get_rehearsal_loss, drop, sgd, losses)

    def _learn(
        self,
        what: str,
        examples: Iterable[Example],
        get_loss: Callable[[Sequence[Example], Floats2d], tuple[float, Floats2d]],
        drop: float,
        sgd: Optimizer | None,
        losses: dict[str, float] | None,
    ) -> dict[str, float]:
        if losses is None:
            losses = {}
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.{what}")
        self._validate_categories(examples)
        docs = [example.predicted for example in examples]
        if not any(len(doc) for doc in docs):
            return losses
        self._check_initialized()
        set_dropout_rate(self.model, drop)
        # A temperature belongs to the weights that it was fitted for.
        self.cfg["temperature"] = 1.0
        loss = self._backpropagate(docs, partial(get_loss, examples))
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the model's weights from the gradients that `update` has gathered.

        sgd (Optimizer): The optimizer.
        """
        finish_update(self.model, sgd)

    def _backpropagate(
        self, docs: list[Doc], get_loss: Callable[[Floats2d], tuple[float, Floats2d]]
    ) -> float:
        """Add the gradients of a batch to those of the model. RETURNS: Its loss."""
        vectors, backprop_vectors = self.model.get_ref("tok2vec").begin_update(docs)
        (logits, _), backprop = begin_update_of_vectors(self.model, vectors)
        loss, d_logits = get_loss(logits)
        d_vectors = backprop(d_logits)
        if self.perturbation:
            perturbed = perturb(self.model.ops, vectors, d_vectors, self.perturbation)
            (logits, _), backprop = begin_update_of_vectors(self.model, perturbed)
            further_loss, d_logits = get_loss(logits)
            loss += further_loss
            d_vectors = [a + b for a, b in zip(d_vectors, backprop(d_logits), strict=True)]
        backprop_vectors(d_vectors)
        return loss

    def get_loss(  # type: ignore[override]
        self, examples: Iterable[Example], scores: Floats2d | Predictions
    ) -> tuple[float, Floats2d]:
        """The loss of a batch, and its gradient with respect to the model's logits.

        The loss is the cross-entropy, summed over the documents and not averaged, so that the
        gradient returned is that of the loss returned. Training computes both from the logits,
        which is exact also where a probability would be rounded to 0 or 1.

        examples (Iterable[Example]): The batch.
        scores (Floats2d): Predicted probabilities, shape (n_docs, n_labels).
        RETURNS (Tuple[float, Floats2d]): The loss and its gradient, shape (n_docs, n_labels).
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        self._validate_categories(examples)
        if isinstance(scores, Predictions):
            scores = scores.scores
        return self._get_training_loss(examples, self._logits(scores) * self.temperature)

    def _get_training_loss(
        self, examples: Sequence[Example], logits: Floats2d
    ) -> tuple[float, Floats2d]:
        truths, known = self._truths(examples)
        targets = self._smooth(truths, known, self.label_smoothing)
        return self._loss(logits, targets, known, self._label_weights())

    def _truths(self, examples: Sequence[Example]) -> tuple[Floats2d, Floats2d]:
        """RETURNS: Probabilities, and 1 where they are annotated; shape (n_docs, n_labels)."""
        truths, known = self._examples_to_truth(examples)
        return cast(Floats2d, truths), self.model.ops.asarray2f(cast(Floats2d, known))

    def _label_weights(self) -> Floats1d:
        """The weights of the labels in the loss, shape (n_labels,)."""
        if self.class_weights == "balanced":
            table = self.cfg["balanced_weights"] or {}
        else:
            table = cast(Mapping[str, float], self.class_weights or {})
            check_labels_of_weights(self.name, table, self.labels)
        return self.model.ops.asarray1f([table.get(label, 1.0) for label in self.labels])

    def _equal_weights(self) -> Floats1d:
        return self.model.ops.asarray1f([1.0] * len(self.labels))

    def _get_rehearsal_loss(
        self, examples: Sequence[Example], logits: Floats2d
    ) -> tuple[float, Floats2d]:
        rehearsal_model = cast(Model, self._rehearsal_model)
        targets, _ = rehearsal_model.predict([example.predicted for example in examples])
        old = targets.shape[1]
        truths, known = self.model.ops.alloc2f(*logits.shape), self.model.ops.alloc2f(*logits.shape)
        truths[:, :old] = self._probabilities(targets)
        known[:, :old] = 1.0
        return self._loss(logits, truths, known, self._equal_weights())

    # Initialisation

    def _balance_classes(
        self, get_examples: Callable[[], Iterable[Example]], nlp: Language | None
    ) -> None:
        """Find the weights that "balanced" stands for, or check the labels of those given."""
        if self.class_weights != "balanced":
            self._label_weights()
            return
        if _is_streamed(nlp):
            warnings.warn(
                f"Component '{self.name}' balances its classes by the first documents of a "
                f"streamed corpus only. Give 'class_weights' as a table of weights by label.",
                stacklevel=3,
            )
        numerators, positives = numpy.zeros(len(self.labels)), numpy.zeros(len(self.labels))
        for batch in minibatch(get_examples(), 1000):
            truths, known = self._truths(batch)
            counted = self._count_for_balance(truths, known)
            numerators += self.model.ops.to_numpy(counted.sum(axis=0))
            positives += self.model.ops.to_numpy((truths * known).sum(axis=0))
        self.cfg["balanced_weights"] = balance(self.name, self.labels, numerators, positives)

    def word_embeddings(self, nlp: Language | None) -> list[Model]:
        """The layers with a learned vocabulary: of this component, and of what it listens to."""
        own = [node for node in self.model.walk() if is_word_embedding(node)]
        upstream = [node for model in self._upstream_models(nlp) for node in model.walk()]
        return [*own, *filter(is_word_embedding, upstream)]

    def _set_vocabularies(
        self,
        get_examples: Callable[[], Iterable[Example]],
        nlp: Language | None,
        words: Iterable[str] | None,
    ) -> None:
        """Give the word embeddings the words of all training documents, or the given ones.

        A component shows its model a sample of ten documents only, and a shared embedding has been
        initialised with those by the time its listeners are. One that has been trained stays, and
        so does one with words that `[initialize] before_init` has given.
        """
        own = set(self.model.walk())
        embeddings = [
            node for node in self.word_embeddings(nlp) if node in own or knows_sample_only(node)
        ]
        if words is None:
            embeddings = [node for node in embeddings if not keeps_vocabulary(node)]
            if embeddings and _is_streamed(nlp):
                warnings.warn(
                    f"Component '{self.name}' learns its vocabulary from the first documents of a "
                    f"streamed corpus only. Write the words of the whole corpus with 'python -m "
                    f"spacy attn init-words', and name that file in "
                    f"[initialize.components.{self.name}.words].",
                    stacklevel=3,
                )
        else:
            words = list(words)
            if len(embeddings) != 1:
                raise ValueError(
                    f"Component '{self.name}': 'words' are given, but its model has "
                    f"{len(embeddings)} embeddings of whole words: remove 'words' from "
                    f"[initialize.components.{self.name}]."
                )
        for node in embeddings:
            if words is not None:
                set_vocabulary(node, words)
            else:
                learn_vocabulary(node, (example.predicted for example in get_examples()))
            if node not in own:
                node.initialize([next(iter(get_examples())).predicted])

    def _upstream_models(self, nlp: Language | None) -> Iterator[Model]:
        names = {
            node.upstream_name for node in self.model.walk() if isinstance(node, Tok2VecListener)
        }
        for name, component in nlp.pipeline if nlp is not None and names else ():
            if component is not self and (name in names or "*" in names):
                model = getattr(component, "model", None)
                if getattr(component, "listening_components", None) and isinstance(model, Model):
                    yield model


def _is_streamed(nlp: Language | None) -> bool:
    """Whether a component is initialised with the first documents of its training corpus only."""
    return nlp is not None and nlp.config["training"]["max_epochs"] == -1


def warn_of_shared_attribute(
    nlp: Language, name: str, attention_attr: str, contributions_attr: str | None
) -> None:
    """Say so when two components of a pipeline would overwrite each other's attributes."""
    settings = {"attention_attr": attention_attr, "contributions_attr": contributions_attr}
    for other_name, other in nlp.pipeline:
        taken = {getattr(other, setting, None) for setting in settings}
        for setting, attr in settings.items():
            if attr is not None and attr in taken:
                warnings.warn(
                    f"The components '{other_name}' and '{name}' both use 'doc._.{attr}', where "
                    f"only what the last one says stays. Give one of them another name with its "
                    f"setting '{setting}'.",
                    stacklevel=2,
                )


def validate_probabilities(cats: dict[str, float]) -> None:
    """RAISES: ValueError (E851) for a label that is neither false, true, nor a probability."""
    for value in cats.values():
        if not 0.0 <= value <= 1.0:
            raise ValueError(Errors.E851.format(val=value))


def safe_log(probabilities: Floats2d) -> Floats2d:
    xp = get_array_module(probabilities)
    return xp.log(xp.maximum(probabilities, TINY))


def _chunks(docs: list[Doc]) -> Iterator[list[Doc]]:
    """Cut a batch into runs of at most `MAX_CHUNK_TOKENS` tokens, or of one document."""
    chunk: list[Doc] = []
    size = 0
    for doc in docs:
        if chunk and size + len(doc) > MAX_CHUNK_TOKENS:
            yield chunk
            chunk, size = [], 0
        chunk.append(doc)
        size += len(doc)
    if chunk:
        yield chunk
