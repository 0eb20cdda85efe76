"""Linear models of TF-IDF features, with scikit-learn."""

from collections.abc import Sequence
from typing import Any

# Inverse strengths of the regularisation, of which the validation split chooses: so wide a range
# that it hardly ever chooses an end of it.
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)

SETTINGS: dict[str, dict[str, Any]] = {
    "TF-IDF SVC": {"estimator": "LinearSVC", "random_state": 0},
    "TF-IDF logistic regression": {"estimator": "LogisticRegression", "max_iter": 1000},
}
FEATURES = {"ngram_range": (1, 2)}


def describe(name: str) -> dict[str, Any]:
    """All that decides what a linear model learns, for its fingerprint."""
    return {**SETTINGS[name], **FEATURES, "strengths": STRENGTHS}


def make(name: str, strength: float) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    settings = dict(SETTINGS[name])
    estimators = {"LinearSVC": LinearSVC, "LogisticRegression": LogisticRegression}
    estimator = estimators[settings.pop("estimator")](C=strength, **settings)
    return make_pipeline(TfidfVectorizer(**FEATURES), estimator)


def fit(
    name: str,
    train: tuple[Sequence[str], Sequence[str]],
    validation: tuple[Sequence[str], Sequence[str]],
) -> tuple[Any, float]:
    """Train with each strength and keep the model that is most accurate in validation.

    train, validation: Texts and labels.
    RETURNS: The model, and its strength; of equally good ones the most regularised.
    """
    models = {strength: make(name, strength).fit(*train) for strength in STRENGTHS}
    best = max(models, key=lambda strength: models[strength].score(*validation))
    return models[best], best
