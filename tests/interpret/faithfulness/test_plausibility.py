"""The comparison of explanations with ratings of words."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from spacy_attn.interpret.faithfulness.measures import average_precision
from spacy_attn.interpret.faithfulness.plausibility import Plausibility, read_ratings

from ...cli.test_spacy_commands import ROOT
from .conftest import METHODS

# Values that differ: of equal ones, scikit-learn takes the mean over all orders.
PAIRS = st.tuples(st.integers(0, 1000), st.booleans())


@given(st.lists(PAIRS, min_size=1, max_size=9, unique_by=lambda pair: pair[0]))
def test_average_precision_is_that_of_scikit_learn(pairs):
    values = numpy.array([value for value, _ in pairs], dtype=float)
    relevant = numpy.array([is_relevant for _, is_relevant in pairs])
    if relevant.any():
        expected = average_precision_score(relevant, values)
        assert average_precision(values, relevant) == pytest.approx(expected)


def test_strongly_rated_words_are_looked_for_by_importance_and_compared_by_sign(make_batch):
    batch = make_batch({"Great fun": "positive", "a dull film": "negative", "so": "negative"})
    ratings = {"great": 3.0, "dull": -2.0, "film": 0.5}
    plausibility = Plausibility(ratings, METHODS, bound=2.0, positive_label="positive", seed=0)
    plausibility.add(batch)
    result = plausibility.result()
    for name in ("attention", *METHODS):
        expected = []
        for i, relevant in enumerate(([True, False], [False, True, False])):
            values = numpy.abs(batch.importance(name)[i])
            expected.append(average_precision(values, numpy.array(relevant)))
        assert result.average_precision[name].mean == pytest.approx(numpy.mean(expected))
        assert result.average_precision[name].n == 2
    for name in METHODS:
        great, dull = (
            batch.toward(batch.explanations[name][i], batch.classifier.labels.index("positive"))[i]
            for i in (0, 1)
        )
        assert result.sign_agreement[name].mean == (int(great > 0) + int(dull < 0)) / 2
    by_decision = [batch.decisions[i][batch.classifier.labels.index("positive")] for i in (0, 1)]
    expected = (int(by_decision[0]) + int(not by_decision[1])) / 2
    assert result.sign_agreement["the decision alone"].mean == expected
    assert result.average_precision["chance"].n == 2
    assert "attention" not in result.sign_agreement


def test_words_that_speak_against_the_decision_count_by_their_absolute_value(make_batch):
    batch = make_batch({"dull dull tedious great dull": "negative"})
    values = batch.importance("contributions")[0].copy()
    plausibility = Plausibility(
        {"great": 3.0}, ["contributions"], bound=2.0, positive_label=None, seed=0
    )
    values[3] = -2 * numpy.abs(values).max()
    batch.importance = lambda name: [values]
    plausibility.add(batch)
    # Now the lowest of all, and by absolute value the highest.
    assert batch.importance("contributions")[0].argmin() == 3
    assert plausibility.result().average_precision["contributions"].mean == 1.0


def test_a_word_is_looked_up_as_written_and_then_in_lower_case():
    plausibility = Plausibility({":D": 2.5, "fun": 2.0}, [], bound=1, positive_label=None, seed=0)
    assert plausibility._rate([":D", "Fun", ":d", "x"]).tolist() == [2.5, 2.0, 0.0, 0.0]
    assert plausibility.result().sign_agreement == {}


def test_the_ratings_of_the_project_can_be_read():
    ratings = read_ratings(ROOT / "assets/movie_reviews/word_ratings.tsv")
    assert len(ratings) == 7506
    assert ratings["gorgeous"] == 3.0
    assert ratings["dull"] == -1.7
    assert all(-4 <= rating <= 4 for rating in ratings.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good\t1.5\nbad\n", r"line 2: expected a word, a tab and its mean rating.*'bad'"),
        ("good\t1.5\nbad\tworse\n", r"line 2: .*'bad\\tworse'"),
        ("word\trating\n", "no word with a rating"),
        ("", "no word with a rating"),
    ],
)
def test_a_file_that_holds_no_ratings_is_refused_with_the_line(tmp_path, text, message):
    path = tmp_path / "ratings.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_ratings(path)


def test_words_with_spaces_and_further_columns_are_read(tmp_path):
    path = tmp_path / "ratings.tsv"
    path.write_text("word\trating\tsd\nfed up\t-1.8\t0.6\r\n")
    assert read_ratings(path) == {"fed up": -1.8}
