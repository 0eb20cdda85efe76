"""Linear models of TF-IDF features, with scikit-learn."""

from collections.abc import Sequence
from typing import Any

# Inverse strengths of the regularisation, of which the validation split chooses: so wide a range
# that it hardly ever chooses an end of it.
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)

ESTIMATORS: dict[str, dict[str, Any]] = {
    "TF-IDF SVC": {"estimator": "LinearSVC", "random_state": 0},
    "TF-IDF logistic regression": {"estimator": "LogisticRegression", "max_iter": 1000},
}
FEATURES = {"ngram_range": (1, 2)}
CHARACTERS = {"analyzer": "char_wb", "ngram_range": (3, 5)}

# The same of character n-grams, too: much larger.
WITH_CHARACTERS = {f"{name}, characters": name for name in ESTIMATORS}


def describe(name: str) -> dict[str, Any]:
    """All that decides what a linear model learns, for its fingerprint."""
    settings = {**ESTIMATORS[WITH_CHARACTERS.get(name, name)], **FEATURES, "strengths": STRENGTHS}
    return {**settings, "characters": CHARACTERS} if name in WITH_CHARACTERS else settings


def make(name: str, strength: float) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    settings = dict(ESTIMATORS[WITH_CHARACTERS.get(name, name)])
    classes = {"LinearSVC": LinearSVC, "LogisticRegression": LogisticRegression}
    estimator = classes[settings.pop("estimator")](C=strength, **settings)
    features = TfidfVectorizer(**FEATURES)
    if name in WITH_CHARACTERS:
        features = make_union(features, TfidfVectorizer(**CHARACTERS))
    return make_pipeline(features, estimator)


def fit(
    name: str,
    train: tuple[Sequence[str], Sequence[str]],
    validation: tuple[Sequence[str], Sequence[str]],
) -> tuple[Any, float]:
    """Train with each strength and keep the model that is most accurate in validation.

    Args:
        train, validation: Texts and labels.

    Returns:
        The model, and its strength; of equally good ones the most regularised.
    """
    models = {strength: make(name, strength).fit(*train) for strength in STRENGTHS}
    best = max(models, key=lambda strength: models[strength].score(*validation))
    return models[best], best
