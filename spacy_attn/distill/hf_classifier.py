"""The component `hf_classifier`: a `transformers` model that classifies texts, as a teacher."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, get_args

import numpy
import spacy
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from thinc.util import get_torch_default_device

from ..checks import check_choice, check_positive
from .transformers_models import (
    Precision,
    batches_of_like_length,
    ensure_padding,
    load,
    n_positions,
)

NAME = "hf_classifier"


class HFClassifier:
    """Sets `doc.cats` to the probabilities of a model of `transformers`.

    Texts of like length are classified together. One that is longer than the model can read is cut
    off there, as the model itself was trained. The model is loaded when it is needed first. One
    with a single output gives the probability of its only label.

    Args:
        name: Name of the component in the pipeline.
        model: The name of a model for sequence classification on the Hugging Face hub, or its
            folder. It must be set.
        labels: Other names of its labels, by those that it has (`id2label`). Null keeps these.
        batch_tokens: At most so many tokens of the model are classified at once, padding included.
            A GPU is faster with more, a processor is not.
        precision: The floating-point type. "bfloat16" is two to three times as fast on processors
            with AMX, slower on others, and rounds probabilities to two or three digits.
        revision: A branch, tag or commit on the hub.

    Raises:
        ValueError: If a setting is out of its range.
    """

    def __init__(
        self,
        name: str,
        model: str | None = None,
        labels: Mapping[str, str] | None = None,
        batch_tokens: int = 2048,
        precision: Precision = "float32",
        revision: str | None = None,
    ) -> None:
        where = f"Component '{name}'"
        check_positive(where, batch_tokens=batch_tokens)
        check_choice(where, "precision", precision, get_args(Precision))
        self.name = name
        self.model = model
        self.renamed = dict(labels or {})
        self.batch_tokens = batch_tokens
        self.precision = precision
        self.revision = revision

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the model."""
        if self.model is None:
            raise ValueError(
                f"Component '{self.name}': 'model' is null. Set it to the name of a model of "
                f"transformers, or to its folder."
            )
        name, settings = self.model, {"revision": self.revision} if self.revision else {}

        def loader(transformers: Any) -> tuple[Any, Any]:
            tokenizer = transformers.AutoTokenizer.from_pretrained(name, **settings)
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                name, dtype=getattr(torch, self.precision), **settings
            )
            return tokenizer, model.eval().to(get_torch_default_device())

        tokenizer, model = load(f"Component '{self.name}'", name, loader)
        ensure_padding(tokenizer, model)
        if model.config.problem_type == "regression":
            raise ValueError(
                f"Component '{self.name}': the model '{self.model}' predicts numbers "
                f'(problem_type = "regression"). Take one that classifies texts.'
            )
        labels = _labels_of(model.config)
        if unknown := sorted(set(self.renamed) - set(labels)):
            raise ValueError(
                f"Component '{self.name}': the model '{self.model}' has no label {unknown[0]!r} to "
                f"rename. Its labels are {labels}."
            )
        if len({self.renamed.get(label, label) for label in labels}) < len(labels):
            raise ValueError(
                f"Component '{self.name}': {self.renamed} gives two labels of the model "
                f"'{self.model}' one name. Its labels are {labels}."
            )
        return tokenizer, model

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the model's outputs."""
        return tuple(self.renamed.get(label, label) for label in _labels_of(self._loaded[1].config))

    @property
    def exclusive(self) -> bool:
        """Whether exactly one label is right."""
        config = self._loaded[1].config
        return config.num_labels > 1 and config.problem_type != "multi_label_classification"

    def __call__(self, doc: Doc) -> Doc:
        """Classify a document."""
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], *, batch_size: int = 1000) -> Iterator[Doc]:
        """Classify documents, so many at a time."""
        for batch in minibatch(docs, batch_size):
            scores = self.predict(batch)
            for doc, row in zip(batch, scores.tolist(), strict=True):
                doc.cats.update(zip(self.labels, row, strict=True))
                yield doc

    def predict(self, docs: Iterable[Doc]) -> NDArray[numpy.float32]:
        """Return the probabilities, shape (n_docs, n_labels)."""
        texts = [doc.text for doc in docs]
        tokenizer, model = self._loaded
        longest = min(tokenizer.model_max_length, n_positions(model))
        encoded = tokenizer(texts, truncation=True, max_length=longest)["input_ids"]
        scores = numpy.zeros((len(texts), len(self.labels)), dtype="float32")
        lengths = [len(each) for each in encoded]
        for rows in batches_of_like_length(lengths, self.batch_tokens):
            batch = tokenizer.pad({"input_ids": [encoded[i] for i in rows]}, return_tensors="pt")
            with torch.inference_mode():
                logits = model(**batch.to(model.device)).logits.float()
            found = logits.softmax(dim=1) if self.exclusive else logits.sigmoid()
            scores[rows] = found.cpu().numpy()
        return scores


def labels_of(model: str) -> list[str]:
    """Return the labels that a model of `transformers` has, without its weights.

    Args:
        model: As in `HFClassifier`.

    Raises:
        ImportError: As in `HFClassifier`; so does `ValueError`.
    """
    return _labels_of(_config_of(model))


def _config_of(model: str) -> Any:
    return load(
        f"The teacher '{model}'", model, lambda module: module.AutoConfig.from_pretrained(model)
    )


def _labels_of(config: Any) -> list[str]:
    return [str(config.id2label[i]) for i in range(config.num_labels)]


@Language.factory(NAME, assigns=["doc.cats"])
def make_hf_classifier(
    nlp: Language,
    name: str,
    model: str | None = None,
    labels: dict[str, str] | None = None,
    batch_tokens: int = 2048,
    precision: Precision = "float32",
    revision: str | None = None,
) -> HFClassifier:
    """Create the component `hf_classifier`, with the settings of `HFClassifier`."""
    return HFClassifier(name, model, labels, batch_tokens, precision, revision)


def hf_pipeline(
    model: str,
    labels: Mapping[str, str] | None = None,
    lang: str = "xx",
    precision: Precision = "float32",
) -> Language:
    """Return a pipeline of that component alone. It keeps to the commit of the hub that it found.

    Args:
        model: As in `HFClassifier`; so are `labels` and `precision`.
        lang: The language whose tokenizer counts words.

    Raises:
        ImportError: As in `HFClassifier`; so do `OSError` and `ValueError`.
    """
    nlp = spacy.blank(lang)
    found = _config_of(model)
    config = {
        "model": model,
        "labels": dict(labels or {}),
        "precision": precision,
        "revision": getattr(found, "_commit_hash", None),
    }
    nlp.add_pipe(NAME, config=config)
    # What is wrong with the model shows at once.
    getattr(nlp.get_pipe(NAME), "labels")  # noqa: B009
    return nlp
