"""What is read and written, and bad input: nothing is dropped, and nothing goes on for ever."""

import numpy
import pytest
import spacy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Token
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_attn.nn.decoder import Written
from spacy_attn.nn.known import KnownSequences
from spacy_attn.pipeline.writers.characters import to_symbols
from spacy_attn.pipeline.writers.dictionary import Dictionary

from ..made_up import (
    SMALL,
    WITH_CONTEXT,
    make_examples,
    make_lemmatizer,
    make_rows,
    read,
    sources,
    stems,
)

ROWS = make_rows(40)
MARK = "�"
PHONES = {"ship": ["SH", "IH", "P"], "chip": ["CH", "IH", "P"], "shop": ["SH", "AA", "P"]}


@pytest.fixture(scope="module")
def untrained():
    """A lemmatizer whose weights are those of the start; tests must not change it."""
    return make_lemmatizer(ROWS)


@pytest.fixture(scope="module")
def with_context():
    return make_lemmatizer(ROWS, model=WITH_CONTEXT)


def make_transducer(pairs, steps=0, target="_.written", lang="xx", **config):
    """A transducer that learns pairs of forms and what is written for them."""
    fix_random_seed(0)
    nlp = spacy.blank(lang)
    component = nlp.add_pipe("attn_transducer", config={"model": SMALL, "target": target, **config})

    def examples():
        for form, value in pairs:
            doc = Doc(nlp.vocab, words=[form])
            component.target.write(doc[0], value)
            yield Example(Doc(nlp.vocab, words=[form]), doc)

    nlp.initialize(lambda: list(examples()))
    sgd = nlp.create_optimizer()
    sgd.learn_rate = 0.02
    for _ in range(steps):
        nlp.update(list(examples()), sgd=sgd)
    return nlp


def test_norms_that_a_component_before_sets_are_what_is_looked_up():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_transducer", name="norm", config={"model": SMALL})
    config = {"model": SMALL, "source": "NORM", "target": "_.ipa"}
    sounds = nlp.add_pipe("attn_transducer", name="sounds", config=config)

    def examples():
        for form, norm, ipa in (("u", "you", "ju"), ("gr8", "great", "greit"), ("a", "a", "ei")):
            doc = Doc(nlp.vocab, words=[form])
            doc[0].norm_, doc[0]._.ipa = norm, ipa
            yield Example(Doc(nlp.vocab, words=[form]), doc)

    nlp.initialize(lambda: list(examples()))
    assert {form for form, *_ in sounds.dictionary} == {"you", "great", "a"}
    scores = nlp.evaluate(list(examples()))
    # "a" has no norm of its own to learn: the first component writes one for it.
    found = [(token._.ipa, token._.ipa_source) for token in nlp(Doc(nlp.vocab, words=["u", "gr8"]))]
    assert found == [("ju", "dictionary"), ("greit", "dictionary")]
    assert scores["ipa_acc"] >= 2 / 3


@pytest.mark.parametrize("name", ["_.lemma", "_.norm"])
def test_an_attribute_of_your_own_that_is_named_as_one_of_spacys_is_refused(name):
    with pytest.raises(ValueError, match=rf"'target' is '{name}', whose scores and sources would"):
        spacy.blank("xx").add_pipe("attn_transducer", config={"target": name})


def test_a_beam_that_is_no_whole_number_is_refused():
    nlp = make_lemmatizer(ROWS)
    nlp.get_pipe("attn_lemmatizer").beam_width = 2.5
    with pytest.raises(ValueError, match=r"'beam_width' must be a whole number, but is 2.5"):
        nlp("unknownform")


def test_a_dictionary_with_as_many_other_values_is_the_one_that_is_preferred(
    untrained, monkeypatch
):
    component = untrained.get_pipe("attn_lemmatizer")
    before, other = component._known_targets(), Dictionary()
    for i in range(component.dictionary.n_targets):
        other.add(f"form{i}", "", "z" * (i + 1))
    monkeypatch.setattr(component, "dictionary", other)
    after, (z,) = component._known_targets(), component.symbols.numbers(["z"])
    root, symbol = torch.tensor(KnownSequences.ROOT), torch.tensor(z)
    assert int(after.after(after.after(root, symbol), symbol)) != KnownSequences.NONE
    assert int(before.after(before.after(root, symbol), symbol)) == KnownSequences.NONE


# Any documents


def texts_of(doc):
    return [(token.lemma_, token._.lemma_source) for token in doc]


def test_documents_without_tokens_are_passed_on(with_context):
    for docs in ([Doc(with_context.vocab)], [Doc(with_context.vocab)] * 2, []):
        assert [len(doc) for doc in with_context.pipe(docs)] == [0] * len(docs)
    together = with_context.pipe([Doc(with_context.vocab), with_context.make_doc("zupek")])
    assert [len(doc) for doc in together] == [0, 1]
    assert with_context.get_pipe("attn_lemmatizer").explain([Doc(with_context.vocab)]) == [[]]


def test_a_stream_is_read_as_far_as_it_is_needed(untrained):
    n_read = 0

    def endless():
        nonlocal n_read
        while True:
            n_read += 1
            yield f"zup{n_read}"

    docs = untrained.pipe(endless(), batch_size=5)
    assert [next(docs)[0].text for _ in range(7)][-1] == "zup7"
    assert n_read <= 11


@given(data=st.data())
@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_neither_batches_nor_their_order_change_anything(with_context, untrained, data):
    words = st.sampled_from(["we", "saw", "We", "SAW", "zupek", "a😀b", "mitosed", "\n", "x" * 30])
    all_words = data.draw(st.lists(st.lists(words, max_size=5), max_size=6))
    order = data.draw(st.permutations(range(len(all_words))))
    size = data.draw(st.integers(1, 9))
    for nlp in (with_context, untrained):
        expected = [texts_of(nlp(Doc(nlp.vocab, words=words))) for words in all_words]
        nlp.get_pipe("attn_lemmatizer")._forget()
        docs = [Doc(nlp.vocab, words=all_words[i]) for i in order]
        found = list(map(texts_of, nlp.pipe(docs, batch_size=size)))
        assert found == [expected[i] for i in order]


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6))
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_token_of_any_text_gets_a_lemma_and_is_aligned(untrained, words):
    component = untrained.get_pipe("attn_lemmatizer")
    doc = untrained(Doc(untrained.vocab, words=words))
    assert all(token.lemma_ for token in doc)
    (alignments,) = component.explain([doc])
    for token, alignment in zip(doc, alignments, strict=True):
        if token.text.isspace():
            assert token.lemma_ == token.text
            assert alignment is None
        else:
            assert alignment.source == tuple(token.text)
            assert alignment.target == tuple(token.lemma_)


def test_white_space_keeps_its_form_and_is_not_learned(untrained):
    assert read(untrained, "we", " ", "\n\t") == ["we", " ", "\n\t"]
    assert sources(untrained, "we", " ", "\n\t") == ["dictionary", "form", "form"]
    nlp = make_lemmatizer([(["we", "\n"], ["we", "X"], ["PRON", "SPACE"])])
    assert len(nlp.get_pipe("attn_lemmatizer").dictionary) == 1


# Symbols


def test_forms_longer_than_max_length_keep_themselves_and_are_not_learned():
    long, allowed = "zu" * 5_000, "zu" * 6
    rows = [*ROWS, ([long], ["short"], ["NOUN"])]
    with pytest.warns(
        UserWarning, match="does not learn from 1 tokens that are longer than 'max_l"
    ):
        nlp = make_lemmatizer(rows)
    assert read(nlp, long, allowed, "we")[0::2] == [long, "we"]
    assert sources(nlp, long, allowed, "we") == ["form", "decoder", "dictionary"]
    assert [len(each) for each in nlp.get_pipe("attn_lemmatizer").explain([nlp(long)])] == [1]
    nlp.update(make_examples(nlp, rows), sgd=nlp.create_optimizer())


def test_forms_are_kept_that_are_as_long_as_those_that_training_has_kept():
    addresses = [f"http://zuzu.ka/{'z' * 30}{i}" for i in range(30)]
    rows = [*ROWS, (addresses, addresses, ["X"] * len(addresses))]
    other = "http://kaka.zu/" + "k" * 40
    nlp = make_lemmatizer(rows)
    assert read(nlp, other, addresses[0]) == [other, addresses[0]]
    assert sources(nlp, other, addresses[0], "zzz") == ["form", "dictionary", "decoder"]
    assert sources(make_lemmatizer(rows, keep_long=False), other) == ["decoder"]
    # It takes no time in training.
    component = nlp.get_pipe("attn_lemmatizer")
    drawn = [each for e in make_examples(nlp, rows) for each in component._drawn(e)]
    assert drawn
    assert not any(lesson.form in addresses for lesson in drawn)


def test_a_symbol_that_was_never_seen_is_copied_and_never_dropped():
    # Symbols that are seen once are unknown, too: so it learns to copy what it does not know.
    once = [f"{stem[:2]}{chr(0x430 + i)}{stem[2:]}" for i, stem in enumerate(stems(30, 2))]
    pairs = [(word, word) for word in [*stems(20, 0), *once]]
    nlp = make_transducer(pairs, 60, model={**SMALL, "dropout": 0.0}, dictionary=False)
    for word, unseen in (("ze😀k", "😀"), ("nęl", "ę"), ("ka\u0301m", "\u0301")):
        written = nlp(Doc(nlp.vocab, words=[word]))[0]._.written
        assert unseen in written, written


@pytest.mark.parametrize("form", ["\N{ZERO WIDTH SPACE}", "жы", "x😀", f"x{MARK}"])
def test_a_form_whose_unseen_symbols_would_be_dropped_keeps_itself(lemmatizer, form, monkeypatch):
    component = lemmatizer.get_pipe("attn_lemmatizer")
    monkeypatch.setattr(component, "known_bonus", 1e3)  # it writes what training had
    assert read(lemmatizer, form, "zupeks") == [form, read(lemmatizer, "zupeks")[0]]
    assert read(lemmatizer, "zupekb") != ["zupekb"]


def spell(nlp, form, written):
    """What becomes of a form for which the model writes something."""
    component = nlp.get_pipe("attn_lemmatizer")
    source = component._source_symbols(form)
    numbers = torch.tensor(component._target_numbers(to_symbols(written, "xx"), source))
    return component._spell(Written(numbers, 0.0, True, None), source, form)


@pytest.mark.parametrize(
    ("form", "written"), [("x😀😀", "x😀"), (MARK * 2, MARK), ("xyz", f"x{MARK}"), ("zupek", "_")]
)
def test_what_is_written_must_not_lack_unseen_symbols_nor_say_that_something_is_missing(
    lemmatizer, form, written
):
    assert spell(lemmatizer, form, written) == form
    assert spell(lemmatizer, form, form) == form


def test_a_number_does_not_become_another_one_unless_training_does_so():
    numbers = ["12", "21", "1,112", "2,221"]
    kept = make_lemmatizer([(numbers, ["12", "21", "1112", "2221"], ["NUM"] * 4)])
    assert spell(kept, "2,112", "212") == "2,112"
    assert spell(kept, "2,112", "2112") == "2112"
    assert spell(kept, "1,22", "122") == "1,22"
    named = make_lemmatizer([(numbers, ["@card@"] * 4, ["NUM"] * 4)])
    assert spell(named, "2112", "@card@") == "@card@"


def test_letters_after_signs_stay_capitals_in_a_name_in_capitals():
    names = ["JR-X", "J.R.X.", "Xr", "Jr"]
    nlp = make_lemmatizer([(names, names, ["PROPN"] * 4)])
    assert spell(nlp, "X.R.J.", "X.r.j.") == "X.R.J."
    assert spell(nlp, "XR-JR", "Xr-jr") == "Xr-Jr"
    # Here the model, or the form, says what is a capital.
    assert spell(nlp, "XR-JR", "xr-jr") == "xr-jr"
    assert spell(nlp, "Xr-jr", "Xr-jr") == "Xr-jr"


def test_a_marked_unknown_of_the_text_itself_stays_one():
    nlp = make_transducer([(f"{stem}{MARK}", f"{stem}{MARK}") for stem in stems(30, 0)])
    assert nlp(f"kam{MARK}")[0]._.written is not None


def never_ending(nlp):
    """The pipeline with a decoder that does not write an end."""
    decoder = nlp.get_pipe(nlp.pipe_names[0]).model.get_ref("decoder").shims[0].module.decoder
    decoder.output_bias.data[0] = -1e4
    if decoder.gate is not None:
        decoder.gate.bias.data[:] = -1e4
    return nlp


def test_a_form_keeps_itself_where_the_decoder_does_not_end():
    nlp = never_ending(make_lemmatizer(ROWS, dictionary=False, known_bonus=0.0))
    assert read(nlp, "zupek") == ["zupek"]


def test_a_decoder_of_lists_that_does_not_end_is_stopped():
    nlp = never_ending(make_transducer(PHONES.items(), dictionary=False, known_bonus=0.0))
    assert 10 < len(nlp("cheap")[0]._.written) <= 2 * 5 + 10


def test_a_beam_wider_than_the_vocabulary_writes_what_is_most_probable():
    nlp = make_transducer([("a", "b"), ("b", "a")], 40, beam_width=50, dictionary=False)
    assert [token._.written for token in nlp(Doc(nlp.vocab, words=["a", "b"]))] == ["b", "a"]


def test_an_empty_value_is_learned_and_written_where_the_attribute_can_be_empty():
    pairs = [(word, "") for word in stems(20, 0)]
    nlp = make_transducer(pairs, 25, dictionary=False)
    doc = nlp(Doc(nlp.vocab, words=["zupek", "nelim"]))
    assert [token._.written for token in doc] == ["", ""]
    assert nlp.get_pipe("attn_transducer").explain([doc]) == [[None, None]]
    nlp = make_transducer(pairs)
    assert nlp(pairs[0][0])[0]._.written == ""


def test_a_lemma_is_never_empty():
    nlp = make_lemmatizer(ROWS, dictionary=False)
    decoder = nlp.get_pipe("attn_lemmatizer").model.get_ref("decoder").shims[0].module.decoder
    decoder.output_bias.data[0] = 1e4
    decoder.gate.bias.data[:] = -1e4
    assert read(nlp, "zupek", "we") == ["zupek", "we"]


# Alignment


def test_alignments_are_stored_only_where_they_are_asked_for(untrained):
    assert all(token._.lemma_alignment is None for token in untrained("we saw zupek"))
    nlp = make_lemmatizer(ROWS, alignment=True)
    doc = nlp(Doc(nlp.vocab, words=["we", "Saw", "Zupek", " "]))
    for token in doc[:3]:
        weights = token._.lemma_alignment
        assert weights.shape == (len(token.lemma_), len(token))
        numpy.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    assert doc[3]._.lemma_alignment is None


def test_an_alignment_is_that_with_which_the_model_wrote(lemmatizer):
    (alignments,) = lemmatizer.get_pipe("attn_lemmatizer").explain([lemmatizer("Zupeks nelimed")])
    for alignment in alignments:
        # Each letter of the stem looks at about itself.
        places = alignment.weights.argmax(axis=1)
        assert numpy.abs(places - numpy.arange(len(places))).max() <= 2
        assert (numpy.diff(places) >= 0).mean() > 0.7


def test_an_alignment_depends_on_nothing_else_of_the_batch(with_context, monkeypatch):
    component = with_context.get_pipe("attn_lemmatizer")
    monkeypatch.setattr(component, "keep_long", False)
    docs = [Doc(with_context.vocab, words=["zupek", "mit" * 60, "we"]) for _ in range(2)]
    docs.append(Doc(with_context.vocab, words=["saw"]))
    expected = [component.explain([doc])[0] for doc in docs]
    for found, alone in zip(component.explain(docs), expected, strict=True):
        for one, other in zip(found, alone, strict=True):
            assert (one.source, one.target) == (other.source, other.target)
            numpy.testing.assert_allclose(one.weights, other.weights, atol=1e-5)


# Other attributes


def test_symbols_are_read_and_written_as_lists():
    nlp = make_transducer(list(PHONES.items()), 40, dictionary=False, model={**SMALL, "dropout": 0})
    doc = nlp(Doc(nlp.vocab, words=["ship", "chop", "\n"]))
    assert doc[0]._.written == ["SH", "IH", "P"]
    assert set(doc[1]._.written) <= {symbol for phones in PHONES.values() for symbol in phones}
    assert doc[2]._.written is None
    (alignments,) = nlp.get_pipe("attn_transducer").explain([doc])
    assert alignments[0].target == ("SH", "IH", "P")
    assert alignments[0].weights.shape == (3, 4)
    scores = nlp.evaluate([Example(nlp.make_doc("ship"), doc[:1].as_doc(copy_user_data=True))])
    assert scores["written_acc"] == 1.0
    assert scores["written_acc_unseen"] is None


def test_lists_of_known_forms_come_from_the_dictionary():
    nlp = make_transducer([*PHONES.items(), ("Chop", ["CH"])])
    doc = nlp(Doc(nlp.vocab, words=["ship", "SHIP", "chop"]))
    assert [token._.written for token in doc][:2] == [PHONES["ship"]] * 2
    assert [token._.written_source for token in doc] == ["dictionary", "lower", "decoder"]


def test_norms_are_written_and_read_by_default():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_transducer", config={"model": SMALL})
    docs = [Doc(nlp.vocab, words=["gr8", "Cool"]) for _ in range(2)]
    docs[1][0].norm_, docs[1][1].norm_ = "great", "Cool"
    nlp.initialize(lambda: [Example(*docs)])
    doc = nlp("gr8 Cool other")
    assert [token.norm_ for token in doc][:2] == ["great", "Cool"]
    assert [token._.norm_source for token in doc] == ["dictionary", "dictionary", "decoder"]
    # Without overwriting, those that a tokenizer has set stay; all others are to be set.
    nlp.get_pipe("attn_transducer").overwrite = False
    doc = nlp.make_doc("gr8 gr8")
    doc[0].norm_ = "grate"
    assert [token.norm_ for token in nlp(doc)] == ["grate", "great"]


def test_a_symbol_that_reads_as_the_mark_of_a_capital_is_aligned_as_others():
    pairs = [("Ab", ["^capital", "x"]), ("cd", ["y", "^capital"])]
    nlp = make_transducer(pairs, alignment=True)
    assert [nlp(form)[0]._.written_alignment.shape for form, _ in pairs] == [(2, 2)] * 2


def test_an_attribute_that_cannot_be_set_is_refused():
    Token.set_extension("read_only", getter=lambda token: token.text, force=True)
    message = r"'attn_transducer': '_.read_only' cannot be set, since .* a getter and without a"
    with pytest.raises(ValueError, match=message):
        make_transducer([("a", "b")], target="_.read_only")
    values = {}
    Token.set_extension(
        "read_only",
        getter=lambda token: values.get(token.i),
        setter=lambda token, value: values.update({token.i: value}),
        force=True,
    )
    make_transducer([("a", "b")], target="_.read_only")
    Token.remove_extension("read_only")


@pytest.mark.parametrize("default", ["", []])
def test_a_token_with_the_default_of_a_registered_attribute_has_no_value(default):
    Token.set_extension("spelled", default=default, force=True)
    value = ["B"] if isinstance(default, list) else "B"
    nlp = make_transducer([("a", value), ("b", default)], target="_.spelled", overwrite=False)
    # What nobody has annotated is not learned either.
    assert nlp.get_pipe("attn_transducer").dictionary.n_targets == 1
    assert nlp("a")[0]._.spelled == value
    Token.remove_extension("spelled")


def test_an_attribute_of_your_own_can_be_read(untrained):
    Token.set_extension("reading", default=None, force=True)
    nlp = make_transducer([("a", "b")])
    component = nlp.add_pipe(
        "attn_transducer",
        name="other",
        config={"model": SMALL, "source": "_.reading", "target": "_.spoken"},
    )
    doc = Doc(nlp.vocab, words=["x", "y", "z"])
    for token, reading in zip(doc, ["ksi", "epsilon", None], strict=True):
        token._.reading, token._.spoken = reading, reading and f"{reading}!"
    # A component before it sets it, which has not run yet at initialization.
    component.initialize(lambda: [Example(nlp.make_doc("x y z"), doc)], nlp=nlp)
    assert [entry[0] for entry in component.dictionary] == ["ksi", "epsilon"]
    other = nlp.make_doc("p q r")
    other[0]._.reading, other[1]._.reading = "ksi", "new"
    other = component(other)
    assert other[0]._.spoken == "ksi!"
    assert [token._.spoken_source for token in other] == ["dictionary", "decoder", None]
    assert other[2]._.spoken is None


def test_lemmas_can_be_read():
    nlp = make_lemmatizer(ROWS)
    component = nlp.add_pipe(
        "attn_transducer", config={"model": SMALL, "source": "LEMMA", "target": "_.upper"}
    )
    doc = Doc(nlp.vocab, words=["saws", "we"], lemmas=["saw", ""])
    doc[0]._.upper = doc[1]._.upper = "SAW"
    component.initialize(lambda: [Example(doc, doc)], nlp=nlp)
    assert [entry[0] for entry in component.dictionary] == ["saw"]
    assert nlp("SAW")[0]._.upper is not None


# Settings


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"source": "TEXT"}, "'source' must be one of ORTH, .*, or an attribute of your own"),
        ({"target": "ORTH"}, "'target' must be one of LEMMA, NORM, or .* but is 'ORTH'"),
        ({"target": "_.a b"}, "'target' must be one of .* but is '_.a b'"),
        ({"target": "_.get"}, "'target' must be one of .* but is '_.get'"),
        (
            {"source": "NORM", "target": "NORM"},
            "'source' and 'target' must be two, but both are 'NORM'",
        ),
        ({"beam_width": 0}, "'beam_width' must be 1 or more, but is 0"),
        ({"max_length": 0}, "'max_length' must be 1 or more, but is 0"),
        ({"cache_size": -1}, "'cache_size' must be 0 or more, but is -1"),
        ({"pos_loss": -1.0}, "'pos_loss' must be 0 or more, but is -1.0"),
        ({"known_bonus": -1.0}, "'known_bonus' must be 0 or more, but is -1.0"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(config, message):
    with pytest.raises(ValueError, match=f"Component 'attn_lemmatizer': {message}"):
        spacy.blank("xx").add_pipe("attn_lemmatizer", config=config)


def test_another_model_is_refused():
    model = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 4, "depth": 1, "embed_size": 10}
    model.update(window_size=1, maxout_pieces=2, subword_features=False, pretrained_vectors=None)
    with pytest.raises(ValueError, match=r"cannot use the model .*spacy-attn.AttentionDecoder.v1"):
        spacy.blank("xx").add_pipe("attn_lemmatizer", config={"model": model})


def test_a_component_that_was_not_initialized_says_so():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_lemmatizer", config={"model": SMALL})
    with pytest.raises(ValueError, match="E109"):
        nlp("we")


# Explanation


@pytest.mark.parametrize("docs", ["text", ["text"], "one"])
def test_a_text_and_a_single_document_are_not_explained(untrained, docs):
    docs = untrained.make_doc("we") if docs == "one" else docs
    message = r"'attn_lemmatizer': 'docs' must be a list of documents, .* or contains (str|Doc)\."
    with pytest.raises(TypeError, match=message):
        untrained.get_pipe("attn_lemmatizer").explain(docs)


def test_the_model_is_not_asked_for_values_that_are_kept_but_explains_them(monkeypatch):
    nlp = make_lemmatizer(ROWS)
    component, asked = nlp.get_pipe("attn_lemmatizer"), []
    ask = component._ask

    def spy(questions, contexts):
        asked.extend(question.form for question in questions)
        return ask(questions, contexts)

    monkeypatch.setattr(component, "_ask", spy)
    doc = Doc(nlp.vocab, words=["zzz", "yyy"], lemmas=["z", ""])
    assert nlp(doc)[0].lemma_ == "z"
    assert asked == ["yyy"]
    (alignments,) = component.explain([doc])
    assert asked == ["yyy", "zzz"]
    assert [alignment.source for alignment in alignments] == [tuple("zzz"), tuple("yyy")]
