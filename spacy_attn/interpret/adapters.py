"""What explanation tools of others need to know of a pipeline: SHAP and Captum."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from torch import Tensor

from ..models.arrays import to_torch
from ..models.contract import embed, torch_classifier
from .subject import Classifier

# For SHAP: stands where a token was. Unicode keeps it for private use.
_LEFT_OUT = "\ue000"


def shap_explainer(nlp: Language, *, component: str | None = None) -> Any:
    """Return an explainer of SHAP for the scores of a pipeline, on the tokens of spaCy.

    A token that SHAP leaves out is not in the text, nor is the space behind it. So the base values
    are the scores of an empty text. SHAP makes one space of several and of line breaks, and needs
    two tokens. Lundberg and Lee 2017, "A Unified Approach to Interpreting
    Model Predictions".

    Args:
        nlp: A trained pipeline.
        component: As for `spacy_attn.explain`.

    Returns:
        A `shap.Explainer`: call it with a list of texts.

    Raises:
        ValueError: As `spacy_attn.explain`.
        ImportError: If SHAP is not installed.
    """
    try:
        import shap
    except ImportError as error:
        raise ImportError(f"The explainer needs SHAP ({error}): pip install shap.") from error
    classifier = Classifier(nlp, component)

    def tokens(text: str, return_offsets_mapping: bool = True) -> dict[str, Any]:
        doc = nlp.make_doc(text)
        bounds = [(token.idx, token.idx + len(token)) for token in doc]
        return {"input_ids": [token.text for token in doc], "offset_mapping": bounds}

    def scores(texts: Iterable[str]) -> NDArray[numpy.floating]:
        docs = classifier.prepare(text.replace(_LEFT_OUT, "") for text in texts)
        return numpy.stack([each.scores for each in classifier.component.explain(docs)])

    masker = shap.maskers.Text(tokens, mask_token=_LEFT_OUT)
    return shap.Explainer(scores, masker, output_names=list(classifier.labels))


def captum_inputs(
    nlp: Language, text: str | Doc, *, component: str | None = None
) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Return what a method of Captum is made with and asked about.

    No reference tokens are needed: the function is all that is above the embedding, without
    dropout. Kokhlikyan et al. 2020, "Captum: A unified and generic model interpretability library
    for PyTorch".

    Args:
        nlp: A trained pipeline.
        text: A text, or a document, which is not modified.
        component: As for `spacy_attn.explain`.

    Returns:
        A function of token vectors, shape (n * n_tokens, width), which returns the calibrated
        logits, shape (n, n_labels): Captum puts several versions of a document one behind the
        other. And the vectors of the document, shape (n_tokens, width), which need gradients.

    Raises:
        ValueError: As `spacy_attn.explain`, and for a document without tokens.
        TypeError: For anything but a text or a document.
    """
    classifier = Classifier(nlp, component)
    (doc,) = classifier.prepare([text])
    if not len(doc):
        raise ValueError(f"A text without tokens has nothing to attribute to, as {doc.text!r}.")
    model, temperature = classifier.component.model, classifier.component.temperature
    logits = torch_classifier(model)

    def forward(vectors: Tensor) -> Tensor:
        return logits(vectors, [len(doc)] * (len(vectors) // len(doc))) / temperature

    return forward, to_torch(embed(model, [doc]).joined).clone().requires_grad_()
