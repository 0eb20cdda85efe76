"""Training in two processes, which are forked here: it does what training in one process does."""

import io
import os
import random
import signal
from functools import wraps
from itertools import count
from zlib import crc32

import numpy
import pytest
import spacy
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from spacy import registry
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from spacy_attn.models import processes
from spacy_attn.models.processes import own_rank
from spacy_attn.models.weights import parameters
from spacy_attn.pipeline import parallel
from spacy_attn.pipeline.parallel import cut_evenly, learning_components, train_together
from spacy_attn.pipeline.textcat import AttentionTextCategorizer

from ..conftest import LISTENER, SMALL_EMBEDDING, SMALL_MODEL, TEXTS, TOK2VEC
from ..conftest import make_examples as make_categories
from ..in_processes import Failure, run_in_processes
from .made_up import SMALL, WITH_CONTEXT
from .made_up import make_examples as make_lemmas
from .writers.test_seq2seq import SMALL as SMALL_WRITER
from .writers.test_seq2seq import TEXTS as PAIRS
from .writers.test_seq2seq import make_examples as make_pairs

# Seven documents, in batches of three: the last one leaves nothing to one of two processes. One
# document has no token.
CATEGORIES = {**TEXTS, "": "negative"}
# Each form comes once, so that the lemmatizer draws all of them.
STEMS = [["bat"], ["cot", "dun"], ["elk"], ["fog", "gum", "hat"], ["ink", "jar"], ["kit"], []]
ROWS = [([f"{x}s" for x in own], own, ["NOUN", "VERB", "X"][: len(own)]) for own in STEMS]

TEXTCAT = {"factory": "attn_textcat", "model": SMALL_MODEL, "perturbation": 0.0}
SHARED = {"tok2vec": {"factory": "tok2vec", "model": TOK2VEC}}
LISTENING = {**SMALL_MODEL, "tok2vec": LISTENER}
ALSO_LISTENS = {
    "factory": "attn_textcat_multilabel",
    "model": LISTENING,
    "attention_attr": "other_attention",
}
PIPELINES = {
    "classes": {"attn_textcat": TEXTCAT},
    "perturbed classes": {"attn_textcat": {**TEXTCAT, "perturbation": 3.0}},
    "labels": {"attn_textcat_multilabel": {**TEXTCAT, "factory": "attn_textcat_multilabel"}},
    "listeners": {
        **SHARED,
        "attn_textcat": {**TEXTCAT, "model": LISTENING},
        "attn_textcat_multilabel": ALSO_LISTENS,
    },
    "lemmas": {
        "attn_lemmatizer": {"factory": "attn_lemmatizer", "model": {**SMALL, "dropout": 0.0}}
    },
    "lemmas in context": {
        "attn_lemmatizer": {
            "factory": "attn_lemmatizer",
            "model": {**WITH_CONTEXT, "dropout": 0.0},
            "pos_loss": 1.0,
        }
    },
    "texts": {
        "attn_seq2seq": {
            "factory": "attn_seq2seq",
            "model": SMALL_WRITER,
            "min_frequency": 1,
            "scorer": None,
        }
    },
}
EXAMPLES = {
    "attn_textcat": lambda nlp: make_categories(nlp, CATEGORIES),
    "attn_textcat_multilabel": lambda nlp: make_categories(nlp, CATEGORIES),
    "attn_lemmatizer": lambda nlp: make_lemmas(nlp, ROWS),
    # The last one teaches nothing.
    "attn_seq2seq": lambda nlp: make_pairs(nlp, {**PAIRS, "ein Satz ohne Text": None}),
}
# What a callback or a reader of this module has seen in this process.
SEEN: list = []


@registry.readers("tests.examples.v1")
def read_examples(name: str):
    return EXAMPLES[name]


@registry.readers("tests.first_alone.v1")
def read_dev(name: str):
    def read(nlp):
        SEEN.append("evaluated")
        yield from EXAMPLES[name](nlp)

    return read


@registry.callbacks("tests.note_weights.v1")
def make_note_weights():
    """Note all weights before each step, and random numbers that all processes draw alike."""

    def note(nlp, _):
        weights = [w for pipe in models(nlp) for _, w, _ in parameters(pipe)]
        SEEN.append([crc32(w.numpy().copy()) for w in weights])
        SEEN.append([random.random(), numpy.random.random()])

    return note


def models(nlp):
    return [pipe.model for _, pipe in nlp.pipeline]


def make_config(kind="classes", components=None, **training) -> Config:
    components = PIPELINES[kind] if components is None else components
    name = list(components)[-1]
    config = {
        "nlp": {"lang": "xx", "pipeline": list(components)},
        "components": components,
        "corpora": {
            "train": {"@readers": "tests.examples.v1", "name": name},
            "dev": {"@readers": "tests.first_alone.v1", "name": name},
        },
        "training": {
            "seed": 0,
            "gpu_allocator": None,
            "dropout": 0.0,
            "max_steps": 8,
            "eval_frequency": 4,
            "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 3},
            # Unlike Adam, it makes no long steps of gradients that are mere rounding.
            "optimizer": {"@optimizers": "SGD.v1", "learn_rate": 0.1},
            "before_update": {"@callbacks": "tests.note_weights.v1"},
            **training,
        },
    }
    return Config(config)


def weights_of(nlp):
    return [weights.numpy().copy() for each in models(nlp) for _, weights, _ in parameters(each)]


def train_alone(config):
    nlp = init_nlp(config)
    train(nlp, stdout=io.StringIO())
    return weights_of(nlp)


def train_in_two(config, change=lambda: None):
    """Return, of each process, the weights, the scores, and what was seen there."""

    def run():
        SEEN.clear()
        change()
        nlp = train_together(config, None)
        return weights_of(nlp), nlp.meta["performance"], SEEN

    return run_in_processes(run)


def succeed(found):
    for each in found:
        assert not isinstance(each, Failure), each
    return found


ADAM = {"@optimizers": "spacy-attn.FusedAdam.v1", "learn_rate": 0.001}
SETTINGS = [
    *((kind, {}) for kind in PIPELINES),
    # Learns in batches of one document, so that one of two processes gets nothing.
    ("perturbed classes", {"accumulate_gradient": 2}),
    ("listeners", {"accumulate_gradient": 2}),
    ("lemmas", {"accumulate_gradient": 2}),
    ("texts", {"accumulate_gradient": 2}),
    ("texts", {"max_epochs": -1}),
    ("perturbed classes", {"optimizer": ADAM}),
    ("lemmas in context", {"optimizer": ADAM}),
]


@pytest.mark.filterwarnings("ignore:.*streamed corpus", "ignore:The first batch has fewer")
@pytest.mark.parametrize(("kind", "training"), SETTINGS)
def test_two_processes_end_with_the_weights_of_one(kind, training):
    config = make_config(kind, **training)
    alone = train_alone(config)
    first, second = succeed(train_in_two(config))
    for one, two, other in zip(alone, first[0], second[0], strict=True):
        numpy.testing.assert_allclose(one, two, rtol=0, atol=1e-5)
        numpy.testing.assert_array_equal(two, other)
    noted = noted_in(first[2])
    assert len(noted) > 8
    assert noted == noted_in(second[2])


# What has to agree


def noted_in(seen):
    return [each for each in seen if each != "evaluated"]


def test_with_dropout_weights_and_common_random_numbers_agree_at_every_step():
    # NumPy draws the masks of words, and torch the others.
    words = {**SMALL_EMBEDDING, "@architectures": "spacy-attn.SubwordEmbedding.v1"}
    model = {**SMALL_MODEL, "tok2vec": {**words, "ngram_rows": 50, "word_dropout": 0.5}}
    components = {"attn_textcat": {**TEXTCAT, "model": model, "perturbation": 1.0}}
    config = make_config(components=components, dropout=0.5)
    first, second = (noted_in(seen) for _, _, seen in succeed(train_in_two(config)))
    assert first == second
    assert first[0] != first[2]


def test_each_process_draws_masks_of_its_own():
    def note_masks():
        def backpropagate(self, examples):
            SEEN.append(numpy.random.random())
            return 0.0

        AttentionTextCategorizer._backpropagate = backpropagate

    config = make_config(max_steps=2, before_update=None)
    drawn = [{*noted_in(seen)} for _, _, seen in succeed(train_in_two(config, note_masks))]
    assert all(drawn)
    assert not drawn[0] & drawn[1]


@pytest.mark.filterwarnings("ignore:The first batch has fewer")
def test_a_process_that_had_nothing_to_learn_forgets_what_belonged_to_the_weights_of_before():
    def note_steps():
        AttentionTextCategorizer._after_step = lambda self: SEEN.append("step")

    config = make_config(accumulate_gradient=3, max_steps=2, before_update=None)
    config["training"]["batcher"]["size"] = 1
    for _, _, seen in succeed(train_in_two(config, note_steps)):
        assert seen.count("step") == 3


@registry.scorers("tests.rank_scores.v1")
def make_rank_scores():
    """Scores that rise in the first process, and would fall in the second."""
    steps = count(1)
    return lambda examples, **_: {"cats_score": next(steps) * (0.01 - 0.02 * own_rank())}


def test_the_first_process_alone_evaluates_and_the_scores_are_those_of_all():
    components = {"attn_textcat": {**TEXTCAT, "scorer": {"@scorers": "tests.rank_scores.v1"}}}
    config = make_config(components=components, eval_frequency=2, score_weights={"cats_score": 1.0})
    first, second = succeed(train_in_two(config))
    # Before the first step of each pair, up to that with the number `max_steps`.
    assert first[2].count("evaluated") == 5
    assert second[2].count("evaluated") == 0
    assert first[1] == second[1]
    assert first[1]["cats_score"] == pytest.approx(0.05)


@pytest.mark.parametrize("sign", [1, -1])
def test_all_stop_at_the_step_at_which_the_scores_of_the_first_no_longer_rise(sign):
    def scores_that_rise_in_one():
        score = count(1)
        direction = sign if own_rank() == 0 else -sign
        AttentionTextCategorizer.score = lambda *_, **__: {"cats_score": direction * next(score)}

    training = {"patience": 4, "eval_frequency": 2, "score_weights": {"cats_score": 1.0}}
    found = succeed(train_in_two(make_config(**training), scores_that_rise_in_one))
    n_steps = {len(noted_in(seen)) // 2 for _, _, seen in found}
    assert n_steps == {9 if sign > 0 else 5}


def test_the_losses_that_are_shown_are_those_of_all_documents():
    config = make_config(max_steps=2, eval_frequency=2)
    nlp = init_nlp(config)
    train(nlp, stdout=io.StringIO())
    for _, performance, _ in succeed(train_in_two(config)):
        expected = nlp.meta["performance"]["attn_textcat_loss"]
        assert performance["attn_textcat_loss"] == pytest.approx(expected, rel=1e-5)


def test_without_a_seed_all_processes_use_that_of_the_first():
    first, second = (noted_in(seen) for _, _, seen in succeed(train_in_two(make_config(seed=None))))
    assert first == second


def test_all_start_with_the_weights_of_the_first():
    def initialize_otherwise():
        if own_rank() == 1:
            initialize = AttentionTextCategorizer.initialize

            @wraps(initialize)
            def initialize_otherwise(self, *arguments, **settings):
                initialize(self, *arguments, **settings)
                for _, weights, _ in parameters(self.model):
                    weights += 1.0

            AttentionTextCategorizer.initialize = initialize_otherwise

    first, second = succeed(train_in_two(make_config(), initialize_otherwise))
    assert noted_in(first[2]) == noted_in(second[2])
    for one, two in zip(train_alone(make_config()), second[0], strict=True):
        numpy.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


# What is refused


def refused(found, error, words):
    """Whether at least one process has refused something, and no other one hangs or goes on."""
    assert all(isinstance(each, Failure) for each in found)
    assert any(f"{error}: " in each and words in each for each in found), found


def test_configs_that_differ_between_processes_are_an_error():
    config = make_config()

    def change_patience():
        config["training"]["patience"] = 10 * own_rank()

    refused(train_in_two(config, change_patience), "ValueError", "have different configs")


def test_labels_that_differ_between_processes_are_an_error():
    def read_other_labels():
        if own_rank() == 1:
            EXAMPLES["attn_textcat"] = lambda nlp: make_categories(
                nlp, CATEGORIES, ("positive", "other")
            )

    found = train_in_two(make_config(), read_other_labels)
    refused(found, "ValueError", "Component 'attn_textcat' was initialized differently")
    assert all("initialized differently" in each for each in found)


def test_batches_that_differ_between_processes_are_an_error():
    def shuffle_otherwise():
        if own_rank() == 1:
            random.shuffle = lambda examples: examples.reverse()

    found = train_in_two(make_config(), shuffle_otherwise)
    refused(found, "ValueError", "Batch 1 is not the same in all processes")
    assert all("Batch 1" in each for each in found)


def test_weights_that_come_to_differ_are_an_error_at_an_evaluation():
    def change_weights():
        if own_rank() == 1:
            finish_update = AttentionTextCategorizer.finish_update

            def finish_and_change(self, sgd):
                finish_update(self, sgd)
                next(parameters(self.model))[1][0, 0] += 1e-6

            AttentionTextCategorizer.finish_update = finish_and_change

    found = train_in_two(make_config(before_update=None), change_weights)
    refused(found, "ValueError", "batches, the weights are no longer the same")


def test_a_corpus_with_fewer_documents_than_processes_is_an_error():
    def read_one():
        EXAMPLES["attn_textcat"] = lambda nlp: make_categories(nlp, CATEGORIES)[:1]

    found = train_in_two(make_config(), read_one)
    refused(found, "ValueError", "'corpora.train' has fewer documents, 1, than")


def test_a_batch_with_fewer_documents_than_processes_is_warned_of_once():
    batcher = {"@batchers": "spacy.batch_by_sequence.v1", "size": 1}
    found = train_in_two(make_config(batcher=batcher))  # warnings are errors
    refused(found, "UserWarning", "The first batch has fewer documents, 1, than")


@pytest.mark.parametrize("factory", ["textcat", "ner", "spancat"])
def test_a_component_of_another_package_is_refused_unless_it_is_frozen(factory):
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe(factory, name="theirs")
    nlp.add_pipe("attn_textcat")
    with pytest.raises(ValueError, match=f"'theirs' cannot be trained .* it is a '{factory}'"):
        learning_components(nlp, [])
    assert list(learning_components(nlp, ["theirs"])) == ["tok2vec", "attn_textcat"]


# What ends


def end_by_error():
    raise ValueError("something of this process")


@pytest.mark.parametrize(
    ("end", "rank"),
    [
        (end_by_error, 1),
        (lambda: os._exit(3), 0),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), 1),
    ],
)
def test_a_process_that_ends_ends_the_others_with_an_error(end, rank):
    def end_in_the_third_step():
        steps = count(1)
        backpropagate = AttentionTextCategorizer._backpropagate

        def backpropagate_and_end(self, examples):
            if own_rank() == rank and next(steps) == 3:
                end()
            return backpropagate(self, examples)

        AttentionTextCategorizer._backpropagate = backpropagate_and_end

    found = train_in_two(make_config(), end_in_the_third_step)
    assert all(isinstance(each, Failure) for each in found)
    assert f"Process {1 - rank} of 2 cannot go on, since another one has ended" in found[1 - rank]


def test_nobody_waits_for_an_evaluation_with_a_time_out(monkeypatch):
    settings_seen = {}
    monkeypatch.setattr(dist, "init_process_group", lambda *_, **own: settings_seen.update(own))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    with processes.together():
        pass
    assert settings_seen["timeout"].days > 30


# Shares


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(1, 9))
def test_a_batch_is_cut_into_runs_of_about_as_many_tokens_and_loses_no_document(lengths, n_parts):
    ranks = cut_evenly(lengths, n_parts)
    assert len(ranks) == len(lengths)
    assert ranks == sorted(ranks)
    assert set(ranks) <= set(range(n_parts))
    sizes = [
        sum(1 + n for n, r in zip(lengths, ranks, strict=True) if r == i) for i in range(n_parts)
    ]
    assert max(sizes) <= (sum(lengths) + len(lengths)) / n_parts + max(lengths) + 1


def test_after_training_the_pipeline_has_its_own_methods_again():
    nlp = init_nlp(make_config())
    before = {*vars(nlp)}
    with parallel.learning_from_shares(nlp, learning_components(nlp, []), seed=0):
        assert {*vars(nlp)} - before == {"update", "evaluate", "use_params"}
    assert {*vars(nlp)} == before
