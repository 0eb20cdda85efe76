"""How a component predicts, annotates and explains documents."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar, cast

import numpy
from numpy.typing import NDArray
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc
from thinc.types import Floats1d, Floats2d

from ..models import contract
from ..models.arrays import runs
from ..results.explanation import Explanation
from ..results.extensions import install_contributions, install_extensions
from ..results.span_explanation import ENTITY, SENTENCE, find_spans
from ..results.targets import Contrast, check_contrast
from ..results.token_values import set_values
from .finite import check_logits
from .several import several_docs

# At most so many tokens go through the embedding layers at once; a longer document goes alone. So
# memory grows neither with the batch size nor with the length of documents.
MAX_CHUNK_TOKENS = 32_768

AnyFloats = TypeVar("AnyFloats", Floats1d, Floats2d, NDArray[numpy.float32])


class Predictions(NamedTuple):
    """What a component predicts for a batch of documents.

    Attributes:
        scores: Probabilities, shape (n_docs, n_labels), columns in the order of the labels.
        attention: For each document, the weights of its tokens, shape (n_tokens,).
        contributions: For each document, what each token contributes to the logit of each score,
            shape (n_tokens, n_labels); None unless the component has a `contributions_attr`.
    """

    scores: Floats2d
    attention: list[Floats1d]
    contributions: list[Floats2d] | None = None


class AttentionPredictorMixin(TextCategorizer):
    """Predicts, annotates and explains with a model that returns logits and attention.

    A subclass says how logits become probabilities.
    """

    attention_attr: str
    contributions_attr: str | None

    def _install_extensions(self) -> None:
        install_extensions(self.attention_attr)
        if self.contributions_attr is not None:
            install_contributions(self.contributions_attr)

    def probabilities(self, logits: Floats2d) -> Floats2d:
        """Return the scores that some logits stand for, both of shape (n_docs, n_labels)."""
        raise NotImplementedError

    @property
    def temperature(self) -> float:
        """The number that logits are divided by. It is 1 until `calibrate` sets it."""
        return float(self.cfg.get("temperature", 1.0))

    def calibrated(self, values: AnyFloats) -> AnyFloats:
        """Return logits of the model, or what is added up to them, as logits of the scores.

        Whatever the component says in logits comes through here. The model knows no temperature.
        """
        return cast(AnyFloats, values / self.temperature)

    def output_weights(self) -> tuple[Floats2d, Floats1d]:
        """Return copies of what makes logits of the scores from the average of the hidden states.

        Returns:
            The weights, shape (n_labels, 2H), and the bias, shape (n_labels,).
        """
        weight, bias = contract.output_weights(self.model)
        return self.calibrated(weight), self.calibrated(bias)

    def predict(self, docs: Iterable[Doc]) -> Predictions:
        """Apply the model to a batch of documents, without modifying them.

        A document's result depends on that document alone. One without tokens gets the scores of
        the model's bias and an empty array of attention.

        Args:
            docs: The documents to predict.

        Returns:
            Scores and attention, and contributions where they are to be stored.

        Raises:
            ValueError: If the component has not been initialized, or if a score is not finite.
        """
        self._install_extensions()
        docs = list(docs)
        if self.contributions_attr is None:
            logits, attention = self.predict_logits(docs)
            return Predictions(self.probabilities(logits), attention)
        logits, attention, contributions = self._predict_parts(docs)
        return Predictions(self.probabilities(logits), attention, contributions)

    def predict_logits(self, docs: list[Doc]) -> tuple[Floats2d, list[Floats1d]]:
        """Return the logits of the scores, shape (n_docs, n_labels), and the attention."""
        logits, attention = self._predict_uncalibrated(docs)
        return self.calibrated(logits), attention

    def _predict_uncalibrated(self, docs: list[Doc]) -> tuple[Floats2d, list[Floats1d]]:
        """As `predict_logits`, of the model's own logits."""
        return self._by_chunk(docs, lambda chunk: contract.predict(self.model, chunk))

    def _predict_parts(self, docs: list[Doc]) -> tuple[Floats2d, list[Floats1d], list[Floats2d]]:
        """As `predict_logits`, and the contributions, for which the hidden states are kept."""
        contributions: list[Floats2d] = []

        def predict_chunk(chunk: list[Doc]) -> contract.Output:
            hidden = self.encode(chunk)
            logits, attention = contract.classify_states(self.model, hidden)
            weight, _ = self.output_weights()
            for weights, states in zip(attention, hidden, strict=True):
                contributions.append(weights.reshape((-1, 1)) * (states @ weight.T))
            return logits, attention

        logits, attention = self._by_chunk(docs, predict_chunk)
        return self.calibrated(logits), attention, contributions

    def _by_chunk(
        self, docs: list[Doc], predict_chunk: Callable[[list[Doc]], contract.Output]
    ) -> tuple[Floats2d, list[Floats1d]]:
        """Logits and attention, from a bounded number of tokens at a time."""
        self._check_initialized()
        logits = [self.model.ops.alloc2f(0, len(self.labels))]
        attention: list[Floats1d] = []
        for chunk in runs(docs, MAX_CHUNK_TOKENS):
            chunk_logits, chunk_attention = predict_chunk(chunk)
            logits.append(chunk_logits)
            attention.extend(chunk_attention)
        joined = self.model.ops.xp.concatenate(logits)
        check_logits(self.name, self.labels, joined)
        return joined, attention

    def encode(self, docs: list[Doc]) -> list[Floats2d]:
        """Return the hidden states h of each document, which attention averages: (n_tokens, 2H)."""
        return contract.encode(self.model, docs)

    def _check_initialized(self) -> None:
        """Raise a ValueError if the model has no weights."""
        raise NotImplementedError

    def set_annotations(self, docs: Iterable[Doc], scores: Predictions) -> None:
        """Set `doc.cats` and the attributes of a batch of documents.

        Args:
            docs: The documents to modify.
            scores: What `predict` returned for them.
        """
        docs, labels, to_numpy = list(docs), self.labels, self.model.ops.to_numpy
        rows = scores.scores.tolist()
        for doc, row, attention in zip(docs, rows, scores.attention, strict=True):
            doc.cats.update(zip(labels, row, strict=True))
            set_values(doc, to_numpy(attention), self.attention_attr, author=self.name)
        if self.contributions_attr is not None and scores.contributions is not None:
            for doc, contributions in zip(docs, scores.contributions, strict=True):
                values, attr = to_numpy(contributions), self.contributions_attr
                set_values(doc, values, attr, labels=labels, author=self.name)

    # Explanation

    def explain(
        self, docs: Iterable[Doc], *, contrast: Contrast | None = None
    ) -> list[Explanation]:
        """Say what each token contributes to each label's logit, in one pass through the model.

        The contributions are exact: they add up to the logits of the scores minus the bias.

        Args:
            docs: The documents to explain, which are not modified. Components that this one listens
                to must have seen them.
            contrast: A pair of labels, if it is asked why the first and not the second.

        Returns:
            One for each document.

        Raises:
            ValueError: If the component has not been initialized, and for a contrast of anything
                but two of its labels.
            TypeError: For a text or a single document.
        """
        docs = several_docs(self.name, docs, " Texts go to spacy_attn.explain(nlp, texts).")
        contrast = check_contrast(contrast, self.labels, f"'{self.name}'")
        logits, attention, contributions = self._predict_parts(docs)
        to_numpy = self.model.ops.to_numpy
        _, bias = self.output_weights()
        scores = self.probabilities(logits)
        return [
            Explanation(
                tokens=tuple(token.text for token in doc),
                spaces=tuple(bool(token.whitespace_) for token in doc),
                labels=tuple(self.labels),
                attention=to_numpy(attention[i]),
                logits=to_numpy(logits[i]),
                scores=to_numpy(scores[i]),
                bias=to_numpy(bias).copy(),  # to be written to as one likes
                attributions=to_numpy(contributions[i]),
                contrast=contrast,
                sentences=find_spans(doc, SENTENCE),
                entities=find_spans(doc, ENTITY),
            )
            for i, doc in enumerate(docs)
        ]
