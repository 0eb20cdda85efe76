"""What a transducer learns from, and that it is trained as spaCy trains components."""

import copy
import json
import pickle

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Token
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from spacy.util import load_config_from_str
from thinc.api import Adam, fix_random_seed

from spacy_attn.models.fused_adam import FusedAdam_v1
from spacy_attn.models.weights import parameters
from spacy_attn.pipeline.writers.characters import CAPITALS

from ...conftest import LISTENER, TOK2VEC
from ..made_up import (
    SMALL,
    WITH_CONTEXT,
    WITH_POS,
    learn,
    make_examples,
    make_lemmatizer,
    make_rows,
    read,
    stems,
)

NAME = "attn_lemmatizer"
ROWS = make_rows(30)


def weights_of(nlp, name=NAME):
    return {key: value.numpy().copy() for key, value, _ in parameters(nlp.get_pipe(name).model)}


def are_equal(one, other):
    return one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)


def entries_of(nlp):
    return list(nlp.get_pipe(NAME).dictionary)


def pair(nlp, words, lemmas, pos=None):
    return Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, lemmas=lemmas, pos=pos))


# What is learned


def test_the_dictionary_counts_forms_parts_of_speech_and_lemmas():
    rows = [(["we", "saw"], ["we", "see"], ["PRON", "VERB"]), (["saw"], ["see"], ["VERB"])]
    assert entries_of(make_lemmatizer(rows)) == [
        ("we", "PRON", "we", 1),
        ("saw", "VERB", "see", 2),
    ]


@pytest.mark.parametrize(("underscore", "learned"), [(True, ["a", "_x"]), (False, ["a"])])
def test_an_underscore_is_a_lemma_but_that_of_itself_or_it_is_missing(underscore, learned):
    rows = [(["a", "_x", "_"], ["b", "_", "_"], ["NOUN", "NOUN", "PUNCT"])]
    nlp = make_lemmatizer(rows, underscore=underscore)
    assert [form for form, *_ in entries_of(nlp)] == learned
    # What is missing is not scored either.
    example = pair(nlp, ["a", "_x", "_"], ["b", "_", "_"])
    example.predicted = nlp(example.predicted)
    assert nlp.get_pipe(NAME).score([example])["lemma_acc"] == 1.0
    example.predicted[1].lemma_ = "z"
    expected = 0.5 if underscore else 1.0
    assert nlp.get_pipe(NAME).score([example])["lemma_acc"] == expected


def test_a_missing_lemma_teaches_nothing():
    nlp = make_lemmatizer([(["a", "b"], ["c", ""], ["X", "X"])])
    assert entries_of(nlp) == [("a", "X", "c", 1)]
    before = weights_of(nlp)
    nlp.update([pair(nlp, ["b"], [""])], sgd=Adam(0.1))
    assert are_equal(weights_of(nlp), before)


def test_symbols_of_one_frequency_are_in_the_order_in_which_they_occur():
    """That of a set would be another one in each process, and so would be all weights."""
    nlp = make_lemmatizer([(["hgfedcba"] * 2, ["zyxwvuts"] * 2, ["X"] * 2)])
    assert "".join(nlp.get_pipe(NAME).symbols.to_list()) == f"zyxwvuts{CAPITALS}"
    nlp = make_lemmatizer([(["hgfe", "hefg"], ["dcba", "abcd"], ["X", "X"])])
    assert "".join(nlp.get_pipe(NAME).symbols.to_list()) == f"hgfedcba{CAPITALS}"


@pytest.mark.parametrize("copy", [True, False])
def test_the_mark_of_capitals_is_a_symbol_where_training_puts_forms_in_capitals(copy):
    for capitals in (0.0, 0.02):
        nlp = make_lemmatizer(ROWS, model={**SMALL, "copy": copy}, capitals=capitals)
        assert (CAPITALS in nlp.get_pipe(NAME).symbols.to_list()) == (capitals > 0)


@pytest.mark.parametrize("target", ["l" * 21, ("L",) * 21])
def test_targets_longer_than_max_length_are_not_learned(target):
    nlp = spacy.blank("xx")
    config = {"model": SMALL, "target": "_.long", "max_length": 20}
    component = nlp.add_pipe("attn_transducer", config=config)
    doc = Doc(nlp.vocab, words=["a", "b"])
    doc[0]._.long, doc[1]._.long = target, target[:20]
    example = Example(Doc(nlp.vocab, words=["a", "b"]), doc)
    with pytest.warns(UserWarning, match="learn from 1 tokens .* or have a longer value"):
        nlp.initialize(lambda: [example])
    assert [form for form, *_ in component.dictionary] == ["b"]
    assert [lesson.form for lesson in component._drawn(example)] == ["b"]


def test_what_is_read_must_be_predicted_in_training_as_later():
    Token.set_extension("kana", default=None, force=True)
    nlp = spacy.blank("xx")
    component = nlp.add_pipe(NAME, config={"model": SMALL, "source": "_.kana"})
    doc = Doc(nlp.vocab, words=["A"], lemmas=["ak"])
    doc[0]._.kana = "aka"
    # At initialization, what sets it has not run.
    nlp.initialize(lambda: [Example(Doc(nlp.vocab, words=["A"]), doc)])
    before = weights_of(nlp)
    with pytest.warns(UserWarning, match=r"'_.kana', which it reads, .* annotating_components"):
        component.update([Example(Doc(nlp.vocab, words=["A"]), doc)], sgd=Adam(0.1))
    assert are_equal(weights_of(nlp), before)
    component.update([Example(doc.copy(), doc)], sgd=Adam(0.1))
    assert not are_equal(weights_of(nlp), before)


def test_frequent_pairs_are_drawn_less_often():
    nlp = make_lemmatizer([(["a"] * 100 + ["b"], ["a"] * 100 + ["b"], ["X"] * 101)])
    example = pair(nlp, ["a"] * 100 + ["b"], ["a"] * 100 + ["b"])
    drawn = [
        lesson.form.lower() for _ in range(50) for lesson in nlp.get_pipe(NAME)._drawn(example)
    ]
    assert drawn.count("b") == 50
    assert 3.0 < drawn.count("a") / 50 < 9.0  # 1 + ln 100 is 5.6


def test_data_without_lemmas_are_refused():
    with pytest.raises(ValueError, match=r"no token of the training data has a value of 'lemma_'"):
        make_lemmatizer([(["a"], [""], ["X"])])


def test_norms_that_nobody_has_set_are_refused():
    """Otherwise the lower case that each token has by itself would be learned."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_transducer", config={"model": SMALL})
    docs = [nlp.make_doc("Gr8") for _ in range(2)]
    with pytest.raises(ValueError, match="no token of the training data has a value of 'norm_'"):
        nlp.initialize(lambda: [Example(*docs)])
    docs[1][0].norm_ = "great"
    [stored] = DocBin(docs=docs[1:]).get_docs(nlp.vocab)
    nlp.initialize(lambda: [Example(docs[0], stored)])
    assert nlp("Gr8")[0].norm_ == "great"


def test_attributes_that_a_file_has_lost_are_refused():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_transducer", config={"model": SMALL, "target": "_.said"})
    doc = nlp.make_doc("Gr8")
    doc[0]._.said = ["G", "R"]
    [lost] = DocBin(docs=[doc]).get_docs(nlp.vocab)
    with pytest.raises(ValueError, match=r"'_.said' to learn. .* with store_user_data=True only"):
        nlp.initialize(lambda: [Example(nlp.make_doc("Gr8"), lost)])
    [kept] = DocBin(docs=[doc], store_user_data=True).get_docs(nlp.vocab)
    nlp.initialize(lambda: [Example(nlp.make_doc("Gr8"), kept)])
    assert nlp("Gr8")[0]._.said == ["G", "R"]


def test_data_of_which_no_form_can_be_read_are_refused():
    message = r"has a value of 'lemma_' can be learned from. .* 'max_length' characters, 2\."
    with (
        pytest.warns(UserWarning, match="does not learn from 1 tokens"),
        pytest.raises(ValueError, match=message),
    ):
        make_lemmatizer([(["abc"], ["abc"], ["X"])], max_length=2)
    with pytest.raises(ValueError, match="A value '_' is missing for a form '_', and with under"):
        make_lemmatizer([(["_", "au"], ["_", "_"], ["X", "X"])], underscore=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([["SH", "IH"], "ship"], "some values of '_.phones' are strings, and others are lists"),
        ([["SH", ""], ["SH"]], r"the value of '_.phones' for 'w0' has an empty string in its list"),
    ],
)
def test_values_that_cannot_be_learned_together_are_refused(values, message):
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("attn_transducer", config={"model": SMALL, "target": "_.phones"})
    doc = Doc(nlp.vocab, words=["w0", "w1"])
    for token, value in zip(doc, values, strict=True):
        token._.phones = value
    with pytest.raises(ValueError, match=message):
        component.initialize(lambda: [Example(nlp.make_doc("w0 w1"), doc)], nlp=nlp)


def test_a_streamed_corpus_is_warned_of():
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"model": SMALL})
    nlp.config["training"]["max_epochs"] = -1
    with pytest.warns(UserWarning, match="from the first documents of a streamed corpus only"):
        nlp.initialize(lambda: make_examples(nlp, ROWS))


# Initialization


@pytest.mark.parametrize("number", [30, 3000])
def test_one_target_that_is_very_long_does_not_lengthen_all_searches(number):
    words = [f"w{i}" for i in range(number)]
    rows = [(words, ["l" * 90, *words[1:]], ["X"] * len(words))]
    assert make_lemmatizer(rows).get_pipe(NAME).cfg["growth"] == 2.0


def test_initializing_twice_begins_anew():
    nlp = make_lemmatizer(ROWS, steps=2)
    trained = weights_of(nlp)
    others = [(["aü"], ["b" * 40], ["X"])]
    fix_random_seed(0)
    nlp.initialize(lambda: make_examples(nlp, others))
    assert entries_of(nlp) == [("aü", "X", "b" * 40, 1)]
    component = nlp.get_pipe(NAME)
    assert set(component.symbols.to_list()) == {"b", CAPITALS}
    assert component.cfg["growth"] == 15.0
    fix_random_seed(0)
    nlp.initialize(lambda: make_examples(nlp, ROWS))
    assert component.cfg["growth"] == 2.0
    again = weights_of(nlp)
    assert again.keys() == trained.keys()
    assert not are_equal(again, trained)
    assert are_equal(again, weights_of(make_lemmatizer(ROWS)))


def test_extending_keeps_weights_and_adds_symbols_and_entries():
    nlp = make_lemmatizer(ROWS, steps=3, model=WITH_CONTEXT)
    component = nlp.get_pipe(NAME)
    before, n_entries = weights_of(nlp), len(component.dictionary)
    symbols = component.symbols.to_list()
    more = [(["ü", "üü", "we"], ["ö", "öü", "we"], ["X", "X", "PRON"])]
    n_we = component.dictionary.count("we", "we")
    component.initialize(lambda: make_examples(nlp, more), nlp=nlp, extend=True)
    assert component.symbols.to_list()[: len(symbols)] == symbols
    assert set(component.symbols.to_list()[len(symbols) :]) == {"ü", "ö"}
    assert len(component.dictionary) == n_entries + 2
    assert component.dictionary.count("we", "we") == n_we + 1
    after = weights_of(nlp)
    for key, value in before.items():
        kept = after[key][: len(value)] if value.ndim else after[key]
        numpy.testing.assert_array_equal(kept, value)
    assert read(nlp, "ü", "we") == ["ö", "we"]
    learn(nlp, more, 2)
    other = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert read(other, "üü", "zupek") == read(nlp, "üü", "zupek")


def test_extending_keeps_the_words_of_the_context_and_can_be_saved():
    embedding = {"@architectures": "spacy-attn.SubwordEmbedding.v1", "width": 8, "min_frequency": 1}
    nlp = make_lemmatizer(ROWS, steps=1, model={**SMALL, "tok2vec": embedding})
    more = [([f"{stem}x" for stem in stems(200, 3)], stems(200, 3), ["X"] * len(stems(200, 3)))]
    nlp.get_pipe(NAME).initialize(lambda: make_examples(nlp, more), nlp=nlp, extend=True)
    learn(nlp, more, 1)
    other = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert read(other, "zupek", "kox") == read(nlp, "zupek", "kox")


def test_extending_what_was_not_trained_begins_anew():
    nlp = spacy.blank("xx")
    component = nlp.add_pipe(NAME, config={"model": SMALL})
    component.initialize(lambda: make_examples(nlp, ROWS), nlp=nlp, extend=True)
    assert read(nlp, "we") == ["we"]


def test_lists_cannot_extend_strings():
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("attn_transducer", config={"model": SMALL, "target": "_.either"})

    def examples(value):
        doc = nlp.make_doc("w")
        doc[0]._.either = value
        return [Example(nlp.make_doc("w"), doc)]

    component.initialize(lambda: examples("v"), nlp=nlp)
    before = component.to_bytes()
    with pytest.raises(ValueError, match="are strings, and others are lists"):
        component.initialize(lambda: examples(["v"]), nlp=nlp, extend=True)
    assert component.to_bytes() == before


# Updates


def test_dropout_of_the_model_or_of_training_is_used():
    nlp = make_lemmatizer(ROWS, model={**SMALL, "dropout": None})
    component = nlp.get_pipe(NAME)

    def loss(drop):
        fix_random_seed(1)
        return component.update(make_examples(nlp, ROWS[:2]), drop=drop)[NAME]

    assert loss(0.0) == loss(0.0)
    assert loss(0.5) != loss(0.0)


def test_documents_without_tokens_or_lessons_are_passed_over():
    for model in (SMALL, WITH_CONTEXT):
        nlp = make_lemmatizer(ROWS, model=model)
        before = weights_of(nlp)
        empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
        unknown = pair(nlp, ["a", "b"], None)
        for batch in ([empty], [empty, unknown]):
            assert nlp.update(batch, sgd=Adam(0.1)) == {NAME: 0.0}
            assert are_equal(weights_of(nlp), before)
        losses = nlp.update([empty, *make_examples(nlp, ROWS[:4])], sgd=Adam(0.1))
        assert losses[NAME] > 0.0
        assert not are_equal(weights_of(nlp), before)


def test_gradients_of_two_batches_add_up():
    nlp = make_lemmatizer(ROWS)
    component = nlp.get_pipe(NAME)
    before = weights_of(nlp)
    for rows in (ROWS[:4], ROWS[4:8]):
        component.update(make_examples(nlp, rows))
    assert are_equal(weights_of(nlp), before)
    component.finish_update(Adam(0.01))
    assert not are_equal(weights_of(nlp), before)


def test_averages_are_used_and_put_back():
    nlp = make_lemmatizer(ROWS)
    sgd = FusedAdam_v1(0.01, use_averages=True)
    learn(nlp, ROWS, 4, sgd=sgd)
    own = weights_of(nlp)
    with nlp.use_params(sgd.averages):
        assert not are_equal(weights_of(nlp), own)
    assert are_equal(weights_of(nlp), own)


def test_a_frozen_component_stays_as_it_is():
    nlp = make_lemmatizer(ROWS)
    before = weights_of(nlp)
    with nlp.select_pipes(disable=[NAME]):
        nlp.update(make_examples(nlp, ROWS), sgd=Adam(0.1))
    nlp.update(make_examples(nlp, ROWS), sgd=Adam(0.1), exclude=[NAME])
    assert are_equal(weights_of(nlp), before)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
def test_a_copy_learns_apart(duplicate):
    nlp = make_lemmatizer(ROWS, steps=1)
    before = weights_of(nlp)
    other = duplicate(nlp)
    learn(other, ROWS, 1)
    assert are_equal(weights_of(nlp), before)
    assert not are_equal(weights_of(other), before)


# Shared token vectors


def make_shared(tagger=False):
    """A lemmatizer, and perhaps a tagger, over a shared layer."""
    fix_random_seed(0)
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    if tagger:
        model = {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}
        nlp.add_pipe("tagger", config={"model": model}).add_label("P")
        nlp.get_pipe("tagger").add_label("V")
    nlp.add_pipe(NAME, config={"model": {**SMALL, "tok2vec": LISTENER}})
    nlp.initialize(lambda: make_examples(nlp, ROWS))
    return nlp


def test_a_shared_layer_learns_from_the_lemmatizer():
    nlp = make_shared()
    before = weights_of(nlp, "tok2vec")
    # In spaCy's order, the gradients of a step reach a shared layer in the next one.
    learn(nlp, ROWS, 2)
    assert not are_equal(weights_of(nlp, "tok2vec"), before)


def test_a_batch_without_lemmas_does_not_keep_a_shared_layer_from_learning_of_others():
    nlp = make_shared(tagger=True)
    words, tags = ["we", "saw"], ["P", "V"]
    examples = [
        Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=tags))
        for _ in range(2)
    ]
    before = weights_of(nlp, "tok2vec")
    # Not in the first steps: the weights of a tagger are 0 at first.
    for _ in range(4):
        nlp.update(examples, sgd=Adam(0.01))
    assert not are_equal(weights_of(nlp, "tok2vec"), before)


def test_a_listener_can_be_replaced_by_a_layer_of_its_own(tmp_path):
    nlp = make_shared()
    learn(nlp, ROWS, 3)
    words = ["we", "saw", "zupeks"]
    expected = read(nlp, *words)
    nlp.replace_listeners("tok2vec", NAME, ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert read(nlp, *words) == expected
    nlp.to_disk(tmp_path)
    assert read(spacy.load(tmp_path), *words) == expected


def test_a_trained_component_is_taken_into_another_pipeline_and_trained_on(tmp_path):
    source = make_lemmatizer(ROWS, steps=3)
    source.to_disk(tmp_path / "source")
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, source=source)
    assert read(nlp, "zupeks", "we") == read(source, "zupeks", "we")
    nlp.resume_training()
    learn(nlp, ROWS, 1)
    assert read(nlp, "we") == ["we"]


CONFIG = """
[nlp]
lang = "xx"
pipeline = ["attn_lemmatizer"]

[components]

[components.attn_lemmatizer]

[corpora]

[corpora.train]
{reader}

[corpora.dev]
{reader}

[training]
seed = 0
gpu_allocator = null
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
max_steps = 2
eval_frequency = 1

[training.optimizer]
@optimizers = "spacy-attn.FusedAdam.v1"
learn_rate = 0.001
use_averages = true
"""


def spacy_train(tmp_path, name, component, **reader):
    """Train as the command does on documents of the made-up language, and load the last model."""
    nlp = spacy.blank("xx")
    docs = [example.reference for example in make_examples(nlp, ROWS)]
    DocBin(docs=docs).to_disk(tmp_path / "data.spacy")
    reader = {**reader, "path": str(tmp_path / "data.spacy")}
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in reader.items())
    config = load_config_from_str(CONFIG.format(reader=lines))
    config["components"]["attn_lemmatizer"] = component
    (tmp_path / name).mkdir()
    train_loop(init_nlp(config), tmp_path / name)
    return spacy.load(tmp_path / name / "model-last")


def test_spacys_training_loop_trains_evaluates_averages_and_goes_on(tmp_path):
    corpus = {"@readers": "spacy.Corpus.v1"}
    component = {"factory": "attn_lemmatizer", "model": SMALL}
    first = spacy_train(tmp_path, "first", component, **corpus)
    # "saw" is ambiguous, and all other forms are known.
    assert 0.8 < first.meta["performance"]["lemma_acc"] < 1.0
    more = spacy_train(tmp_path, "more", {"source": str(tmp_path / "first/model-last")}, **corpus)
    assert entries_of(more) == entries_of(first)
    assert not are_equal(weights_of(more), weights_of(first))


def test_annotated_parts_of_speech_are_read_in_training_and_evaluation(tmp_path):
    component = {"factory": "attn_lemmatizer", "model": WITH_POS, "use_pos": True}
    reader = {"@readers": "spacy-attn.HFTokens.v1", "give_pos": True}
    nlp = spacy_train(tmp_path, "tagged", component, **reader)
    assert nlp.meta["performance"]["lemma_acc"] == 1.0
