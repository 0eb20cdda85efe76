"""What a model card says of a pipeline: all that can be measured on labelled documents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spacy.training import Example

from ..checks import check_positive
from ..pipeline.decisions import Outcome
from ..results.explanation import Explanation
from .corpus_words.corpus import CorpusSummary, summarize_corpus
from .faithfulness.evaluate import FaithfulnessReport, evaluate_faithfulness
from .faithfulness.measures import Estimate, estimate
from .methods import GRADIENT_X_INPUT, LEAVE_ONE_OUT, explain_docs
from .subject import Classifier

_WHERE = "spacy_attn.interpret.measured"
# The picture shows a document of so many labels, each of at most so many tokens.
_MAX_SHOWN, _MAX_TOKENS = 4, 40
# Words and names of labels that are listed at most.
_TOP_WORDS, _MAX_NAMES = 10, 10


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured.

    Attributes:
        outcomes: What became of each document.
        tokens: The number of tokens in a document.
        accuracy: As `cats_acc`, over the annotated documents.
        macro_f: As `cats_macro_f`.
        calibration_error: As `cats_ece`.
        faithfulness: Of some of the documents.
        summary: The words of all documents.
        examples: Explanations of a few documents that were decided rightly, for the picture.
        are_measured: Whether these are among the documents that were measured.
    """

    outcomes: Sequence[Outcome]
    tokens: Estimate | None
    accuracy: Estimate
    macro_f: float
    calibration_error: float
    faithfulness: FaithfulnessReport
    summary: CorpusSummary
    examples: Sequence[Explanation]
    are_measured: bool = True


def measure(
    classifier: Classifier,
    examples: Sequence[Example],
    *,
    n_explained: int = 200,
    min_count: int = 5,
) -> Measured:
    """Measure a component on labelled documents.

    Args:
        classifier: The component.
        examples: The documents, which are not modified.
        n_explained: Measure faithfulness on at most so many documents with tokens, which are spread
            evenly over all.
        min_count: As for `spacy_attn.summarize_corpus`.

    Raises:
        ValueError: If no document has a label of the component, or none has tokens.
        ImportError: If SciPy is not installed.
    """
    check_positive(_WHERE, n_explained=n_explained)
    _require_labels(classifier, examples)
    # Copies: what is predicted must not stay in the caller's documents.
    docs = classifier.prepare([example.predicted.copy() for example in examples])
    explanations = explain_docs(classifier, docs, "contributions")
    outcomes = [
        classifier.decisions.judge(explanation.scores, example.reference.cats)
        for explanation, example in zip(explanations, examples, strict=True)
    ]
    for doc, explanation in zip(docs, explanations, strict=True):
        doc.cats = dict(zip(explanation.labels, explanation.scores.tolist(), strict=True))
    references = [example.reference for example in examples]
    scores = classifier.component.score(map(Example, docs, references))
    accuracy = estimate(float(bool(o.correct)) for o in outcomes if o.gold is not None)
    assert accuracy is not None  # there are labels
    with_tokens = [example for example, doc in zip(examples, docs, strict=True) if len(doc)]
    return Measured(
        outcomes=outcomes,
        tokens=estimate(map(len, docs)),
        accuracy=accuracy,
        macro_f=scores["cats_macro_f"],
        calibration_error=scores["cats_ece"],
        faithfulness=evaluate_faithfulness(
            classifier.nlp,
            with_tokens[:: -(-len(with_tokens) // n_explained) or 1],
            component=classifier.name,
            methods=("contributions", GRADIENT_X_INPUT, LEAVE_ONE_OUT),
        ),
        summary=summarize_corpus(
            classifier.nlp,
            examples,
            component=classifier.name,
            top=_TOP_WORDS,
            min_count=min_count,
            n_examples=0,
            max_errors=0,
        ),
        examples=_choose(explanations, outcomes),
    )


def _require_labels(classifier: Classifier, examples: Sequence[Example]) -> None:
    """Check that there are documents, and that they have labels of the component."""
    if not examples:
        raise ValueError("There is no document in the data.")
    found = [classifier.decisions.read(example.reference.cats) for example in examples]
    annotated = [annotation for annotation in found if annotation.gold is not None]
    if not annotated:
        raise ValueError(
            f"None of the {len(examples)} documents has a label: name the column of the labels, or "
            f"give data that have some."
        )
    if not any(annotation.known for annotation in annotated):
        others = dict.fromkeys(label for one in annotated for label in one.missing)
        raise ValueError(
            f"The data have no label of '{classifier.name}': its labels are "
            f"{_listed(classifier.labels)}, those of the data are {_listed(others)}."
        )


def _listed(labels: Iterable[str]) -> str:
    names = list(map(repr, labels))
    return ", ".join(names[:_MAX_NAMES]) + (", ..." if len(names) > _MAX_NAMES else "")


def _choose(explanations: Sequence[Explanation], outcomes: Sequence[Outcome]) -> list[Explanation]:
    """Choose a short document for each of the first labels, the first that was decided rightly."""
    chosen: dict[int, Explanation] = {}
    for explanation, outcome in zip(explanations, outcomes, strict=True):
        is_short = 1 < len(explanation.tokens) <= _MAX_TOKENS
        if outcome.correct and outcome.predicted and is_short:
            chosen.setdefault(outcome.predicted[0], explanation)
    return [chosen[column] for column in sorted(chosen)[:_MAX_SHOWN]]
