"""All measures of how far explanations can be trusted, in one pass over documents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ...checks import check_positive
from ...results.explanation import CONTRIBUTIONS
from ..gradients import require_captum
from ..methods import GRADIENT_X_INPUT, INTEGRATED_GRADIENTS, LEAVE_ONE_OUT, check_method
from ..subject import Classifier
from .agreement import Agreement
from .attention_checks import OtherSeeds, SeedResult, UniformAttention, UniformResult
from .batch import Batch
from .measures import Estimate, conicity, estimate, require_scipy
from .perturbation import Perturbations, RankingResult
from .plausibility import Plausibility, PlausibilityResult
from .rationales import RATIONALE, RationaleResult, Rationales

_WHERE = "spacy_attn.interpret.faithfulness"
# The default methods; those that are not installed are left out.
DEFAULT_METHODS = (CONTRIBUTIONS, GRADIENT_X_INPUT, LEAVE_ONE_OUT, INTEGRATED_GRADIENTS)
# So many documents are explained, and their parts predicted, together.
_BATCH_SIZE = 32


@dataclass(frozen=True)
class FaithfulnessReport:
    """How far the explanations of a pipeline can be trusted, on some documents.

    Attributes:
        component: The component that was explained.
        labels: Its labels.
        exclusive: Whether each document has exactly one of them.
        n_docs: The number of documents.
        n_empty: The number of documents without tokens.
        tokens: The number of tokens in a document.
        n_draws: The number of rankings by chance of each document.
        seed: The seed of the random rankings.
        rankings: By name ("attention", those of the methods, "chance").
        uniform: The decisions with equal weights.
        conicity: Of the hidden states (see `conicity`), in documents with tokens.
        agreement: Kendall's tau of two rankings, by their names.
        change_agreement: Kendall's tau of attention and the change of the scores without each
            token.
        seeds: Other models, by name.
        plausibility: None without ratings.
        rationales: None where no document has rationales.
        notes: What was left out, and why.
    """

    component: str
    labels: tuple[str, ...]
    exclusive: bool
    n_docs: int
    n_empty: int
    tokens: Estimate | None
    n_draws: int
    seed: int
    rankings: dict[str, RankingResult]
    uniform: UniformResult | None
    conicity: Estimate | None
    agreement: dict[tuple[str, str], Estimate | None]
    change_agreement: Estimate | None
    seeds: dict[str, SeedResult]
    plausibility: PlausibilityResult | None
    rationales: RationaleResult | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Show its comprehensiveness by ranking: all the measures would be a wall."""
        found = (f"{name!r}: {r.comprehensiveness}" for name, r in self.rankings.items())
        return (
            f"FaithfulnessReport({self.component!r}, {self.n_docs} documents, "
            f"comprehensiveness={{{', '.join(found)}}})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report in lists, strings and numbers, which JSON can hold.

        An estimate is {"mean", "margin", "n"}, or None where there was nothing to measure.
        """
        data = asdict(self)
        data["labels"], data["notes"] = list(self.labels), list(self.notes)
        for ranking in data["rankings"].values():
            for at in ("comprehensiveness_at", "sufficiency_at"):
                ranking[at] = {str(percent): value for percent, value in ranking[at].items()}
        data["agreement"] = [
            {"one": one, "other": other, "tau": value}
            for (one, other), value in data["agreement"].items()
        ]
        return data


def evaluate_faithfulness(
    nlp: Language,
    examples: Iterable[Example],
    *,
    component: str | None = None,
    methods: Sequence[str] | None = None,
    others: Mapping[str, Language] | None = None,
    ratings: Mapping[str, float] | None = None,
    ratings_bound: float = 2.0,
    positive_label: str | None = None,
    rationales: str | None = None,
    n_draws: int = 5,
    seed: int = 0,
) -> FaithfulnessReport:
    """Measure how far the explanations of a pipeline can be trusted.

    Args:
        nlp: A trained pipeline.
        examples: The documents; the labels in `reference.cats` are used for accuracy only.
        component: As for `spacy_attn.explain`.
        methods: Those to rank tokens by, besides attention and chance; by default all that are
            installed.
        others: Pipelines to compare the attention of, by name: trained alike, from other seeds.
        ratings: Mean ratings of words, to compare with.
        ratings_bound: From which absolute rating on a word counts as rated strongly.
        positive_label: The label that a positive rating speaks for; by default the component's
            positive label, or the one that is called "positive".
        rationales: The span group, of `reference.spans`, in which people have marked why a document
            has its label, to compare with. By default it is "rationale", where there is one.
        n_draws: Number of rankings by chance of each document, averaged.
        seed: The seed of the random rankings.

    Raises:
        ValueError: As `spacy_attn.explain`, for an empty corpus, for pipelines that cannot be
            compared, and if no document has the rationales.
        ImportError: As `spacy_attn.explain`, and if SciPy is not installed.
    """
    check_positive(_WHERE, n_draws=n_draws)
    require_scipy()
    classifier = Classifier(nlp, component)
    chosen, notes = _choose_methods(methods)
    perturbations = Perturbations(chosen, n_draws, seed)
    uniform, agreement = UniformAttention(), Agreement(chosen)
    seeds = OtherSeeds(classifier, others or {})
    plausibility = None
    if ratings is not None:
        positive_label = _positive_label(classifier, positive_label)
        plausibility = Plausibility(
            ratings, chosen, bound=ratings_bound, positive_label=positive_label, seed=seed
        )
    marked = Rationales(rationales or RATIONALE, chosen, seed)
    measures = [m for m in (perturbations, uniform, agreement, seeds, plausibility, marked) if m]
    lengths: list[int] = []
    conicities: list[float] = []
    needed = tuple(dict.fromkeys((CONTRIBUTIONS, *chosen)))
    for some in minibatch(examples, _BATCH_SIZE):
        batch = Batch.make(classifier, some, needed)
        for measure in measures:
            measure.add(batch)
        lengths.extend(map(len, batch.docs))
        conicities.extend(conicity(hidden) for hidden in batch.hidden if len(hidden))
    if not any(lengths):
        raise ValueError(f"{_WHERE}: there is no document with tokens to measure anything on.")
    agreed = marked.result()
    if rationales is not None and agreed is None:
        raise ValueError(
            f"{_WHERE}: no document has a span in doc.spans['{rationales}']; the span groups are "
            f"{sorted(marked.found)}."
        )
    return FaithfulnessReport(
        component=classifier.name,
        labels=classifier.labels,
        exclusive=classifier.exclusive,
        n_docs=len(lengths),
        n_empty=lengths.count(0),
        tokens=estimate(lengths),
        n_draws=n_draws,
        seed=seed,
        rankings=perturbations.results(),
        uniform=uniform.result(),
        conicity=estimate(conicities),
        agreement=agreement.results(),
        change_agreement=agreement.change_result(),
        seeds=seeds.results(),
        plausibility=None if plausibility is None else plausibility.result(),
        rationales=agreed,
        notes=tuple(notes),
    )


def _choose_methods(methods: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the methods to use, and notes on those left out."""
    if methods is not None:
        for method in methods:
            check_method(_WHERE, method)
        return list(dict.fromkeys(methods)), []
    try:
        require_captum()
    except ImportError as error:
        chosen = [method for method in DEFAULT_METHODS if method != INTEGRATED_GRADIENTS]
        return chosen, [f"Integrated gradients are left out. {error}"]
    return list(DEFAULT_METHODS), []


def _positive_label(classifier: Classifier, label: str | None) -> str | None:
    if label is not None:
        classifier.columns([label])
        return label
    configured = classifier.component.cfg.get("positive_label")
    if configured is not None:
        return str(configured)
    return "positive" if "positive" in classifier.labels else None
