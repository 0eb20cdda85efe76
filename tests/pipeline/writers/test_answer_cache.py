"""The cache of answers: bounded, and only for the model and the question that they are of."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
import spacy

from spacy_attn.models.fused_adam import FusedAdam_v1
from spacy_attn.pipeline.writers.answer_cache import AnswerCache, make_key

from ..made_up import WITH_CONTEXT, learn, make_examples, make_lemmatizer, make_rows, read

NAME = "attn_lemmatizer"
ROWS = make_rows(30)
WORDS = ["zupek", "zupeks", "Zupeked", "mitos"]
NO_CONTEXT = numpy.zeros(0, "float32")


@pytest.fixture
def nlp():
    nlp = make_lemmatizer(ROWS, steps=2, dictionary=False)
    read(nlp, *WORDS)
    assert len(cache(nlp)) == len(WORDS)
    return nlp


def cache(nlp):
    return nlp.get_pipe(NAME)._answers


def mark(nlp):
    """Put into the cache what the model would not write."""
    answers = cache(nlp)
    answers.keep({make_key(word, None, NO_CONTEXT): "MARKED" for word in WORDS})
    assert read(nlp, *WORDS) == ["MARKED"] * len(WORDS)


def test_the_latest_answers_are_kept_and_no_more_than_allowed():
    answers = AnswerCache(3)
    keys = [make_key(form, None, NO_CONTEXT) for form in "abcde"]
    answers.keep(dict.fromkeys(keys[:3], "x"))
    # Used again, the first one is among the latest.
    answers.keep(answers.find(keys[:1]))
    answers.keep(dict.fromkeys(keys[3:], "y"))
    assert list(answers.find(keys)) == [keys[0], *keys[3:]]
    assert len(answers) == 3


@pytest.mark.parametrize("size", [0, 2])
def test_a_component_keeps_as_many_as_its_setting_says(size):
    nlp = make_lemmatizer(ROWS, dictionary=False, cache_size=size)
    unbounded = make_lemmatizer(ROWS, dictionary=False)
    for _ in range(2):
        assert read(nlp, *WORDS) == read(unbounded, *WORDS)
        assert len(cache(nlp)) == size


def test_answers_depend_on_form_choices_their_counts_and_context():
    contexts = [numpy.full(300, value, "float32") for value in (0.0, 1.0)]
    keys = {
        make_key(form, choices, context)
        for form in ("a", "b")
        for choices in (None, {"x": 1}, {"x": 2}, {"x": 1, "y": 1})
        for context in contexts
    }
    assert len(keys) == 16
    assert len(make_key("a", None, contexts[0])[2]) == 16


def test_an_empty_answer_is_kept():
    answers = AnswerCache(1)
    key = make_key("a", None, NO_CONTEXT)
    answers.keep({key: ""})
    assert answers.find([key]) == {key: ""}


def test_answers_are_forgotten_after_an_update(nlp):
    mark(nlp)
    learn(nlp, ROWS, 1)
    assert not len(cache(nlp))


def test_answers_are_kept_while_gradients_are_gathered(nlp):
    nlp.get_pipe(NAME).update(make_examples(nlp, ROWS))
    assert len(cache(nlp)) == len(WORDS)


@pytest.mark.parametrize(("setting", "value"), [("beam_width", 2), ("known_bonus", 9.0)])
def test_answers_of_another_search_are_forgotten(nlp, setting, value):
    mark(nlp)
    setattr(nlp.get_pipe(NAME), setting, value)
    assert "MARKED" not in read(nlp, *WORDS)
    mark(nlp)


def test_answers_of_another_dictionary_are_forgotten(nlp):
    mark(nlp)
    # The lemmas that it has are preferred, also for other forms.
    nlp.get_pipe(NAME).dictionary.add("Zupeks", "NOUN", "zupek")
    assert "MARKED" not in read(nlp, *WORDS)


@pytest.mark.parametrize("how", ["disk", "bytes", "initialize", "extend"])
def test_answers_are_forgotten_when_another_model_takes_the_place(nlp, how, tmp_path):
    mark(nlp)
    component = nlp.get_pipe(NAME)
    if how == "disk":
        component.to_disk(tmp_path)
        component.from_disk(tmp_path)
    elif how == "bytes":
        component.from_bytes(component.to_bytes())
    else:
        component.initialize(lambda: make_examples(nlp, ROWS), nlp=nlp, extend=how == "extend")
    assert "MARKED" not in read(nlp, *WORDS)


def test_averaged_weights_have_answers_of_their_own(nlp):
    sgd = FusedAdam_v1(0.01, use_averages=True)
    learn(nlp, ROWS, 12, sgd=sgd)
    own = read(nlp, *WORDS)
    mark(nlp)
    with nlp.use_params(sgd.averages):
        averaged = read(nlp, *WORDS)
        assert "MARKED" not in averaged
        mark(nlp)
    assert read(nlp, *WORDS) == own
    with nlp.use_params(sgd.averages):
        assert read(nlp, *WORDS) == averaged


def test_answers_of_other_weights_are_forgotten_after_an_error(nlp):
    weights = nlp.get_pipe(NAME).use_params({})
    next(weights)
    mark(nlp)
    with pytest.raises(KeyboardInterrupt):
        weights.throw(KeyboardInterrupt)
    assert "MARKED" not in read(nlp, *WORDS)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda component: pickle.loads(pickle.dumps(component))]
)
def test_a_copy_has_no_answers_and_is_no_larger_after_use(nlp, duplicate):
    component = nlp.get_pipe(NAME)
    expected = read(nlp, *WORDS)
    used = len(pickle.dumps(component._answers))
    mark(nlp)
    other = duplicate(component)
    assert len(other._answers) == 0
    assert other._answers.max_size == component._answers.max_size
    doc = other(spacy.tokens.Doc(other.vocab, words=WORDS))
    assert [token.lemma_ for token in doc] == expected
    component._answers.clear()
    assert len(pickle.dumps(component._answers)) == used


def test_threads_that_share_a_small_cache_say_what_one_says():
    nlp = make_lemmatizer(ROWS, steps=2, dictionary=False, cache_size=3)
    sentences = [[f"zup{a}{b}" for b in "aeiou"[: i % 5 + 1]] for i, a in enumerate("klmnprt" * 4)]
    expected = [read(nlp, *words) for words in sentences]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda words: read(nlp, *words), sentences)) == expected
    assert len(cache(nlp)) <= 3 + 4 * 5


@pytest.mark.parametrize(("model", "n_asked"), [({}, 2), ({"model": WITH_CONTEXT}, 4)])
def test_forms_of_a_batch_are_asked_for_once_in_each_context(monkeypatch, model, n_asked):
    asked = []
    nlp = make_lemmatizer(ROWS, dictionary=False, **model)
    component = nlp.get_pipe(NAME)
    ask = component._ask

    def spy(questions, *rest):
        asked.append(len(questions))
        return ask(questions, *rest)

    monkeypatch.setattr(component, "_ask", spy)
    for _ in range(2):
        read(nlp, *["zupek", "mit"] * 10)
    # The first and the last word of a sentence have contexts of their own.
    assert asked == [n_asked]
