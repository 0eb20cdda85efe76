"""`spacy_attn.explain`: explanations of texts by the method of one's choice."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.types import Floats2d

from ..checks import check_choice, check_positive
from ..results.explanation import CONTRIBUTIONS, Explanation, Floats
from ..results.span_explanation import LEAVE_ONE_OUT
from ..results.targets import Contrast, check_contrast
from .gradients import gradient_x_input, integrated_gradients, require_captum
from .leave_one_out import leave_one_out
from .subject import Classifier

Method = Callable[[Classifier, list[Doc], Sequence[int]], list[Floats2d]]

GRADIENT_X_INPUT = "gradient_x_input"
INTEGRATED_GRADIENTS = "integrated_gradients"

# The contributions come with every explanation: they need no method.
_FURTHER: dict[str, Method] = {
    GRADIENT_X_INPUT: gradient_x_input,
    INTEGRATED_GRADIENTS: integrated_gradients,
    LEAVE_ONE_OUT: leave_one_out,
}
METHODS = (CONTRIBUTIONS, *_FURTHER)


def explain(
    nlp: Language,
    texts: Iterable[str | Doc],
    *,
    component: str | None = None,
    method: str = CONTRIBUTIONS,
    labels: Iterable[str] | None = None,
    contrast: Contrast | None = None,
    batch_size: int = 64,
) -> Iterator[Explanation]:
    """Attribute each label's logit to the tokens, for some texts.

    Texts are tokenized and go through the components before the one that is explained, as in
    `nlp.pipe`; no components after it are run. One explanation is made at a time, so that any
    number of texts can be explained in little memory: `list(explain(nlp, texts))` makes them all.

    Args:
        nlp: A trained pipeline.
        texts: Texts, or documents, which are not modified.
        component: Name of the component to explain; by default the only `attn_textcat` or
            `attn_textcat_multilabel` of the pipeline.
        method: How tokens are given their part in each logit. "contributions": the terms that the
            logit is a sum of, exact and free (see `Explanation`). "gradient_x_input": the gradient
            of the logit times the token's vector. "integrated_gradients": the same, with the
            gradient averaged on the way from zero vectors. It needs Captum: pip install captum.
            "leave_one_out": by how much the logit is lower without the token. It takes as many
            predictions as there are tokens.
        labels: The labels to explain, which explanations are then cut down to; by default all.
        contrast: A pair of labels, if it is asked why the first and not the second. Explanations
            say what each token adds to the difference of their logits, in
            `explanation.of_label(contrast)`, and pictures show it. Every method is linear in the
            logits, so that this is the difference of what it says about each. With independent
            labels, it compares two decisions.
        batch_size: Number of texts that are worked on at once.

    Returns:
        One for each text, in order.

    Raises:
        ValueError: If the pipeline has no such component or several to choose from, for an unknown
            method or label, for a contrast of anything but two of the explained labels, and if
            `texts` is a single text.
        ImportError: If the method needs a package that is not installed.
    """
    check_several("spacy_attn.explain", texts)
    check_method("spacy_attn.explain", method)
    check_positive("spacy_attn.explain", batch_size=batch_size)
    classifier = Classifier(nlp, component)
    columns = classifier.columns(labels)
    explained = [classifier.labels[column] for column in columns]
    contrast = check_contrast(contrast, explained, f"'{classifier.name}'")
    return (
        explanation
        for batch in minibatch(texts, batch_size)
        for explanation in explain_docs(
            classifier, classifier.prepare(batch), method, columns, contrast
        )
    )


def check_several(where: str, texts: object, name: str = "texts") -> None:
    """Check that an argument, of a name, is several texts or documents.

    Raises:
        ValueError: If it is a single one.
    """
    if isinstance(texts, str | Doc | Example):
        raise ValueError(
            f"{where}: '{name}' must be several texts or documents, but is a single one: put it "
            f"into a list."
        )


def check_method(where: str, method: str) -> None:
    """Check that a method can be used.

    Raises:
        ValueError: If there is no such method.
        ImportError: If a package that it needs is not installed.
    """
    check_choice(where, "method", method, METHODS)
    if method == INTEGRATED_GRADIENTS:
        require_captum()


def explain_docs(
    classifier: Classifier,
    docs: list[Doc],
    method: str,
    columns: Sequence[int] | None = None,
    contrast: Contrast | None = None,
) -> list[Explanation]:
    """Explain documents that the components before this one have seen.

    Args:
        columns: The places of the labels among those of the component; None for all.
        contrast: As for `explain`; two of these labels.
    """
    chosen = classifier.columns(None) if columns is None else list(columns)
    explained = classifier.component.explain(docs, contrast=contrast)
    explanations = [_select(one, chosen) for one in explained]
    if method == CONTRIBUTIONS:
        return explanations
    found = cast(list[Floats], _FURTHER[method](classifier, docs, chosen))
    return [
        dataclasses.replace(explanation, attributions=attributions, method=method)
        for explanation, attributions in zip(explanations, found, strict=True)
    ]


def _select(explanation: Explanation, columns: list[int]) -> Explanation:
    """Return the explanation of some of its labels alone."""
    if columns == list(range(len(explanation.labels))):
        return explanation
    return dataclasses.replace(
        explanation,
        labels=tuple(explanation.labels[i] for i in columns),
        logits=explanation.logits[columns],
        scores=explanation.scores[columns],
        bias=explanation.bias[columns],
        attributions=explanation.attributions[:, columns],
    )
