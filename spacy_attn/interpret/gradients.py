"""Attributions by gradients with respect to the token vectors."""

from collections.abc import Callable, Sequence

import numpy
import torch
from spacy.tokens import Doc
from thinc.types import Floats2d
from torch import Tensor

from ..models.arrays import TokenArrays, runs, to_torch
from ..models.contract import embed, torch_classifier
from ..nn.runtime import with_gradients
from .subject import Classifier

# Points on the way from the baseline to the vectors that integrated gradients takes into account.
N_STEPS = 50
# So many tokens, or one document, are kept in memory for the backward pass at once.
_MAX_TOKENS = 16_384

# Vectors of all tokens, lengths, columns -> one attribution matrix for all tokens.
_Attribute = Callable[[Tensor, list[int], Sequence[int]], Tensor]


def gradient_x_input(
    classifier: Classifier, docs: list[Doc], columns: Sequence[int]
) -> list[Floats2d]:
    r"""Multiply the gradient of each logit with respect to a token's vector by this vector.

    .. math::
        A_{tc} = \sum_k x_{tk} \frac{\partial z_c}{\partial x_{tk}}

    After Shrikumar et al. 2016, "Not Just a Black Box: Learning Important Features Through
    Propagating Activation Differences". Dropout is off.

    Args:
        docs: As `Classifier.prepare` returns them.
        columns: The places of the labels.

    Returns:
        For each document, shape (n_tokens, n_columns), on the CPU.
    """
    logits_of = torch_classifier(classifier.component.model)

    def attribute(vectors: Tensor, lengths: list[int], columns: Sequence[int]) -> Tensor:
        vectors = vectors.requires_grad_()
        # Documents do not depend on each other, so that one sum serves them all.
        sums = logits_of(vectors, lengths).sum(0)
        gradients = (torch.autograd.grad(sums[c], vectors, retain_graph=True)[0] for c in columns)
        return torch.stack([(g * vectors.detach()).sum(1) for g in gradients], dim=1)

    return _for_all(classifier, docs, columns, attribute)


def integrated_gradients(
    classifier: Classifier, docs: list[Doc], columns: Sequence[int]
) -> list[Floats2d]:
    r"""Multiply each token's vector by the average gradient on the way to it from zero.

    .. math::
        A_{tc} = \sum_k x_{tk} \int_0^1 \frac{\partial z_c(\alpha x)}{\partial x_{tk}} d\alpha

    They add up to the logit minus that of a document of as many tokens whose vectors are zero.
    Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", as implemented in Captum,
    with `N_STEPS` points of a Gauss-Legendre quadrature. Dropout is off.

    Args:
        docs: As `Classifier.prepare` returns them.
        columns: The places of the labels.

    Returns:
        For each document, shape (n_tokens, n_columns), on the CPU.

    Raises:
        ImportError: If Captum is not installed.
    """
    require_captum()
    from captum.attr import IntegratedGradients

    logits_of = torch_classifier(classifier.component.model)

    def attribute(vectors: Tensor, lengths: list[int], columns: Sequence[int]) -> Tensor:
        n_tokens = len(vectors)

        def forward(scaled: Tensor) -> Tensor:
            # Captum puts several steps one behind the other: each is all documents once more.
            return logits_of(scaled, lengths * (len(scaled) // n_tokens))

        method = IntegratedGradients(forward, multiply_by_inputs=True)
        return torch.stack(
            [
                method.attribute(
                    vectors,
                    baselines=torch.zeros_like(vectors),
                    target=column,
                    n_steps=N_STEPS,
                    internal_batch_size=max(n_tokens, _MAX_TOKENS),
                ).sum(1)
                for column in columns
            ],
            dim=1,
        ).to(vectors.dtype)

    return _for_all(classifier, docs, columns, attribute)


def require_captum() -> None:
    """Check that Captum, and what it needs, is installed.

    Raises:
        ImportError: If it is not.
    """
    try:
        import captum.attr  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"The method 'integrated_gradients' needs Captum ({error}): pip install captum."
        ) from error


@with_gradients()
def _for_all(
    classifier: Classifier, docs: list[Doc], columns: Sequence[int], attribute: _Attribute
) -> list[Floats2d]:
    """Apply a method to documents of any number and length, a bounded number of tokens at once."""
    model, calibrated = classifier.component.model, classifier.component.calibrated
    found: list[Floats2d] = []
    for chunk in runs(docs, _MAX_TOKENS):
        lengths = [len(doc) for doc in chunk]
        if not any(lengths) or not columns:
            empty = numpy.zeros((sum(lengths), len(columns)), dtype=numpy.float32)
            found.extend(TokenArrays(empty, lengths))
            continue
        vectors = to_torch(embed(model, chunk).joined)
        attributions = attribute(vectors.clone(), lengths, columns).detach().cpu().numpy()
        found.extend(TokenArrays(calibrated(attributions.astype(numpy.float32)), lengths))
    return found
