"""The component `attn_seq2seq`: what it learns, writes, stores, and refuses."""

import copy
import json
import pickle

import numpy
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_attn.nn.decoder import UNKNOWN, Written
from spacy_attn.results.alignment import Alignment
from spacy_attn.results.written_data import store_generated, store_target

from ...conftest import LISTENER, SMALL_EMBEDDING, TOK2VEC, copies_of

SMALL = {
    "@architectures": "spacy-attn.AttentionDecoder.v1",
    "tok2vec": SMALL_EMBEDDING,
    "reads": "vectors",
    "symbol_width": 12,
    "hidden_width": 10,
    "decoder_width": 16,
    "output_width": None,
    "dropout": 0.0,
    "copy": False,
    "tied": True,
}
TEXTS = {
    "ein Hund": "A dog",
    "zwei Hunde , eine Katze .": "Two dogs, a cat.",
    "eine Katze .": "A cat.",
    "nichts": "",
    "der Hund schläft .": "The dog doesn't wake.",
}
OTHERS = ["", "  \n ", "Hund", "eine Katze und ein Hund . " * 5, "Unbekanntes"]


def make_examples(nlp, texts=None, attr="generated"):
    examples = []
    for source, target in (TEXTS if texts is None else texts).items():
        doc = nlp.make_doc(source)
        reference = doc.copy()
        if target is not None:
            store_target(reference, target, attr)
        examples.append(Example(doc, reference))
    return examples


def make_nlp(examples=make_examples, lang="xx", initialize=True, model=(), **config):
    fix_random_seed(0)
    nlp = spacy.blank(lang)
    settings = {"min_frequency": 1, "label_smoothing": 0.0, "beam_width": 1, **config}
    nlp.add_pipe("attn_seq2seq", config={"model": {**SMALL, **dict(model)}, **settings})
    if initialize:
        nlp.initialize(lambda: examples(nlp))
    return nlp


def train(nlp, steps=60, examples=make_examples):
    sgd = nlp.create_optimizer()
    sgd.learn_rate = 0.02
    for _ in range(steps):
        losses = {}
        nlp.update(examples(nlp), sgd=sgd, losses=losses)
    return losses["attn_seq2seq"]


@pytest.fixture(scope="module")
def nlp():
    """Tests must not change it."""
    nlp = make_nlp()
    train(nlp)
    return nlp


def written(nlp, texts=(*TEXTS, *OTHERS)):
    return [
        (doc._.generated, doc._.generated_tokens, numpy.round(doc._.alignment, 4).tolist())
        for doc in nlp.pipe(texts)
    ]


# --- What it writes -------------------------------------------------------------------------------


def test_it_learns_to_write_texts_with_their_spaces_and_case(nlp):
    assert {text: nlp(text)._.generated for text in TEXTS} == TEXTS
    assert nlp("der Hund schläft .")._.generated_tokens == [
        "The",
        "dog",
        "does",
        "n't",
        "wake",
        ".",
    ]


def test_json_takes_the_text_and_its_tokens(nlp):
    found = nlp("eine Katze .").to_json(underscore=["generated", "generated_tokens"])["_"]
    assert found == {"generated": "A cat.", "generated_tokens": ["A", "cat", "."]}


def test_the_alignment_has_a_row_for_each_token_that_was_written(nlp):
    for text in (*TEXTS, *OTHERS):
        doc = nlp(text)
        assert doc._.alignment.shape == (len(doc._.generated_tokens), len(doc))
        assert doc._.alignment.min(initial=0) >= 0
        assert doc._.alignment.sum(axis=1) == pytest.approx(1)


def test_explain_returns_the_alignments_and_leaves_documents_as_they_are(nlp):
    docs = [nlp.make_doc("eine Katze ."), nlp.make_doc("")]
    found = nlp.get_pipe("attn_seq2seq").explain(docs)
    assert [each.target for each in found] == [("A", "cat", "."), ()]
    assert found[0].source == ("eine", "Katze", ".")
    assert found[0].log_probability < 0
    assert all(each.of_tokens for each in found)
    assert not docs[0].user_data
    numpy.testing.assert_array_equal(found[0].weights, nlp("eine Katze .")._.alignment)


@settings(max_examples=20)
@given(texts=st.lists(st.sampled_from([*TEXTS, *OTHERS]), max_size=6))
def test_neither_order_nor_company_changes_what_a_document_gets(nlp, texts):
    for doc, text in zip(nlp.pipe(texts), texts, strict=True):
        alone = nlp(text)
        assert doc._.generated == alone._.generated
        numpy.testing.assert_allclose(doc._.alignment, alone._.alignment, atol=1e-5)


def test_documents_are_read_in_bounded_chunks_that_change_nothing(nlp, monkeypatch):
    expected = list(nlp.pipe([*TEXTS, *OTHERS]))
    monkeypatch.setattr("spacy_attn.pipeline.writers.seq2seq.MAX_CHUNK_SYMBOLS", 4)
    for doc, other in zip(nlp.pipe([*TEXTS, *OTHERS]), expected, strict=True):
        assert doc._.generated == other._.generated
        numpy.testing.assert_allclose(doc._.alignment, other._.alignment, atol=1e-5)


def test_an_unknown_token_is_replaced_by_what_was_looked_at_most(nlp, monkeypatch):
    pipe = nlp.get_pipe("attn_seq2seq")
    dog = pipe.symbols.numbers([" dog"])[0]
    weights = torch.tensor([[0.1, 0.7, 0.2], [0.2, 0.2, 0.6], [0.8, 0.1, 0.1]])
    found = Written(torch.tensor([dog, UNKNOWN, UNKNOWN]), -1.0, True, weights)
    monkeypatch.setattr(pipe, "_write", lambda *args, **kwargs: [found])
    doc = nlp(Doc(nlp.vocab, words=["Rex", "schläft", "!"], spaces=[True, False, False]))
    assert (doc._.generated, doc._.generated_tokens) == ("dog! Rex", ["dog", "!", "Rex"])
    pipe.lower = True
    try:
        assert nlp("Rex schläft !")._.generated == "dog ! rex"
    finally:
        pipe.lower = False


def test_a_copied_word_is_not_glued_to_the_word_before_it(nlp, monkeypatch):
    pipe = nlp.get_pipe("attn_seq2seq")
    dog = pipe.symbols.numbers([" dog"])[0]
    copied = len(pipe.symbols)  # the first unknown word of the document, by a model that copies
    for number in (UNKNOWN, copied):
        weights = torch.tensor([[0.9, 0.1], [0.1, 0.9]])
        found = Written(torch.tensor([dog, number]), -1.0, True, weights)
        monkeypatch.setattr(pipe, "_write", lambda *args, found=found, **kwargs: [found])
        doc = nlp(Doc(nlp.vocab, words=["Zwuckel", "Zwuckel"], spaces=[False, False]))
        assert (doc._.generated, doc._.generated_tokens) == ("dog Zwuckel", ["dog", "Zwuckel"])


def test_white_space_is_not_read_and_has_no_weight(nlp):
    plain, spaced = nlp("der Hund schläft ."), nlp(" der \n Hund\n\nschläft .  ")
    assert spaced._.generated == plain._.generated
    is_read = [not token.is_space for token in spaced]
    assert spaced._.alignment.shape == (len(spaced._.generated_tokens), len(spaced))
    assert (spaced._.alignment[:, numpy.logical_not(is_read)] == 0).all()
    numpy.testing.assert_allclose(spaced._.alignment[:, is_read], plain._.alignment, atol=1e-5)


def test_white_space_of_documents_teaches_nothing():
    spaced = {f"\n{text.replace(' ', '  ')}\n": target for text, target in TEXTS.items()}
    # The words of the embedding stay those of the texts.
    nlps = [make_nlp() for _ in range(2)]
    losses = [
        train(nlp, 3, lambda nlp, texts=texts: make_examples(nlp, texts))
        for nlp, texts in zip(nlps, [TEXTS, {**spaced, " \n": "nothing"}], strict=True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_model_that_copies_writes_tokens_that_training_had_only_in_the_document():
    names = {f"{name} schläft": f"{name} sleeps" for name in ("Rex", "Fips", "Mia", "Tom", "Ute")}

    def examples(nlp):
        return make_examples(nlp, names)

    nlp = make_nlp(examples, model={"copy": True}, min_frequency=2)
    assert nlp.get_pipe("attn_seq2seq").symbols.to_list() == [" sleeps"]
    train(nlp, examples=examples)
    assert [nlp(text)._.generated for text in names] == list(names.values())


def test_everything_is_written_in_lower_case_where_it_is_learned_so():
    nlp = make_nlp(lower=True)
    train(nlp)
    assert nlp("ein Hund")._.generated == "a dog"


def test_a_beam_wider_than_the_vocabulary_finds_what_is_at_least_as_probable(nlp):
    pipe = nlp.get_pipe("attn_seq2seq")
    docs = [nlp.make_doc(text) for text in TEXTS]
    greedy = [each.log_probability for each in pipe.explain(docs)]
    pipe.beam_width = 50
    try:
        found = pipe.explain(docs)
    finally:
        pipe.beam_width = 1
    assert ["".join(each.target) for each in found][:1] == ["Adog"]
    for each, log_probability in zip(found, greedy, strict=True):
        assert each.log_probability >= log_probability - 1e-4


def test_a_text_that_does_not_end_is_bounded_by_the_length_of_the_document():
    nlp = make_nlp()
    # Ends are as good as impossible.
    module = nlp.get_pipe("attn_seq2seq").model.get_ref("decoder").shims[0].module
    with torch.no_grad():
        module.decoder.output_bias[0] = -1e4
    texts = ("", "Hund", "ein Hund . " * 50)
    assert [len(nlp(text)._.generated_tokens) for text in texts] == [0, 12, 310]
    nlp.get_pipe("attn_seq2seq").max_length = 100
    with pytest.warns(UserWarning, match=r"cut off 1 texts at 'max_length', 100 .* 'ein Hund \."):
        found = [len(doc._.generated_tokens) for doc in nlp.pipe(texts)]
    assert found == [0, 12, 100]


def test_a_document_of_white_space_alone_gets_an_empty_text(nlp):
    doc = nlp(" \n\n ")
    assert (doc._.generated, doc._.alignment.shape) == ("", (0, len(doc)))


def test_a_text_of_the_largest_length_is_written_to_its_end():
    def examples(nlp):
        return make_examples(nlp, {"Hund": "x y z", "Katze": "x y"})

    nlp = make_nlp(examples, max_length=3)
    train(nlp, steps=80, examples=examples)
    docs = list(nlp.pipe(["Hund", "Katze"]))
    assert [doc._.generated for doc in docs] == ["x y z", "x y"]


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "\N{GRINNING FACE}\N{GRINNING FACE}", "e\u0301 \u0301", "\n\n", "�"]
)
def test_tokens_of_any_kind_can_be_read_and_learned(text):
    def examples(nlp):
        return make_examples(nlp, {"Hund": text, text: "dog"})

    nlp = make_nlp(examples)
    train(nlp, steps=3, examples=examples)
    doc = nlp(text)
    assert doc._.alignment.shape == (len(doc._.generated_tokens), len(doc))


# --- Training -------------------------------------------------------------------------------------


def test_documents_without_a_text_and_empty_ones_teach_nothing():
    nlps = [make_nlp() for _ in range(2)]
    further = {"eine Katze": None, "": "nothing"}
    losses = [
        train(nlp, 3, lambda nlp, texts=texts: make_examples(nlp, texts))
        for nlp, texts in zip(nlps, [TEXTS, {**further, **TEXTS}], strict=True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert [text for text, *_ in written(nlps[0])] == [text for text, *_ in written(nlps[1])]


def test_texts_longer_than_the_largest_length_teach_nothing_and_are_counted():
    long = {**TEXTS, "zu lang": "too long " * 10}
    nlps = [make_nlp(max_length=10) for _ in range(2)]
    losses = [
        train(nlp, 3, lambda nlp, texts=texts: make_examples(nlp, texts))
        for nlp, texts in zip(nlps, [TEXTS, long], strict=True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    with pytest.warns(UserWarning, match=r"not learn from 1 texts .* 'max_length', 10 tokens"):
        other = make_nlp(lambda nlp: make_examples(nlp, long), max_length=10)
    assert other.get_pipe("attn_seq2seq").cfg == nlps[0].get_pipe("attn_seq2seq").cfg


def test_a_batch_that_teaches_nothing_has_no_loss():
    nlp = make_nlp()
    before = written(nlp)
    losses = nlp.update(make_examples(nlp, {"ein Hund": None}), losses={})
    assert losses == {"attn_seq2seq": 0.0}
    assert written(nlp) == before


def test_the_loss_is_the_mean_of_the_symbols_and_ends_of_a_batch(nlp):
    again = copy.deepcopy(nlp)
    pipe = again.get_pipe("attn_seq2seq")
    examples = make_examples(again, dict(list(TEXTS.items())[:3]))
    found = pipe.explain([example.predicted for example in examples])
    losses = again.update(examples, sgd=None, losses={})
    n_symbols = sum(len(each.target) + 1 for each in found)
    expected = -sum(each.log_probability for each in found) / n_symbols
    assert losses["attn_seq2seq"] == pytest.approx(expected, rel=1e-3)


def test_label_smoothing_keeps_it_from_being_sure():
    sure, unsure = make_nlp(), make_nlp(label_smoothing=0.3)
    for nlp in (sure, unsure):
        train(nlp)
    docs = [sure.make_doc("ein Hund")]
    of_sure, of_unsure = (
        nlp.get_pipe("attn_seq2seq").explain(docs)[0].log_probability for nlp in (sure, unsure)
    )
    assert of_unsure < of_sure - 0.3


def test_rare_tokens_are_left_out_of_the_vocabulary():
    symbols = make_nlp(min_frequency=2).get_pipe("attn_seq2seq").symbols.to_list()
    assert symbols[0] == "."
    assert set(symbols) == {".", " A", " cat", " dog"}


def test_a_shared_embedding_is_trained_through_a_listener():
    fix_random_seed(0)
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    config = {"model": {**SMALL, "tok2vec": LISTENER}, "min_frequency": 1}
    nlp.add_pipe("attn_seq2seq", config=config)
    # Of a batch, some teach nothing; the embedding sees all.
    texts = {**TEXTS, "eine": None}

    def examples(nlp):
        return make_examples(nlp, texts)

    nlp.initialize(lambda: examples(nlp))
    train(nlp, 100, examples)
    assert nlp("eine Katze .")._.generated == "A cat."


def test_its_scores_are_those_of_the_texts(nlp):
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["bleu"] == scores["chrf"] == 1.0
    pipe = nlp.get_pipe("attn_seq2seq")
    examples = [Example(nlp(eg.text), eg.reference) for eg in make_examples(nlp)]
    assert pipe.score(examples, compare="tokens")["bleu"] == pytest.approx(1.0)


def test_what_is_written_in_lower_case_is_compared_without_case(nlp):
    component = make_nlp(lower=True, initialize=False).get_pipe("attn_seq2seq")
    weights = numpy.full((1, 1), 1.0)
    written = Doc(nlp.vocab, words=["Hund"])
    store_generated(written, "a dog is here .", ["x"], weights)
    reference = Doc(nlp.vocab, words=["Hund"])
    store_target(reference, "A dog is here .")
    assert component.score([Example(written, reference)])["bleu"] == pytest.approx(1.0)


# --- Initialization -------------------------------------------------------------------------------


def test_data_without_any_text_to_learn_is_refused():
    with pytest.raises(ValueError, match=r"no training document has a text in 'doc\._\.generated'"):
        make_nlp(lambda nlp: make_examples(nlp, dict.fromkeys(TEXTS)))


def test_given_tokens_are_the_vocabulary_and_a_stream_without_them_warns():
    nlp = make_nlp(initialize=False)
    nlp.config["training"]["max_epochs"] = -1
    nlp.config["initialize"]["components"] = {"attn_seq2seq": {"words": ["Hund"]}}
    with pytest.warns(UserWarning, match="from the first documents of a streamed corpus only"):
        nlp.initialize(lambda: make_examples(nlp))
    labels = [" dog", "."]
    nlp.config["initialize"]["components"]["attn_seq2seq"]["labels"] = labels
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.get_pipe("attn_seq2seq").label_data == labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["dog", "."], r"must have the space .* as ' dog', but none has, as in 'dog': write them"),
        ("abc", r"'labels' must be a list of tokens, but is 'abc': write them with"),
        ([1, 2], r"'labels' must be a list of tokens, but is \[1, 2\]"),
    ],
)
def test_labels_that_are_no_tokens_with_their_spaces_are_refused(labels, message):
    nlp = make_nlp(initialize=False)
    with pytest.raises(ValueError, match=message):
        nlp.get_pipe("attn_seq2seq").initialize(lambda: make_examples(nlp), labels=labels)


def test_initialized_again_it_has_forgotten(nlp):
    again = copy.deepcopy(nlp)
    again.initialize(lambda: make_examples(again, {"eins": "one two"}))
    assert again.get_pipe("attn_seq2seq").symbols.to_list() == [" one", " two"]


def test_extended_it_keeps_what_it_can_and_learns_new_tokens(nlp):
    again = copy.deepcopy(nlp)
    pipe = again.get_pipe("attn_seq2seq")
    known = pipe.symbols.to_list()
    further = {"ein Hund": "A dog", "die Katze": "The tomcat ."}
    again.config["initialize"]["components"] = {"attn_seq2seq": {"extend": True}}
    again.initialize(lambda: make_examples(again, further))
    assert pipe.symbols.to_list() == [*known, " tomcat", " ."]
    assert {text: again(text)._.generated for text in TEXTS} == TEXTS
    train(again, 30, lambda nlp: make_examples(nlp, {**TEXTS, **further}))
    assert again("die Katze")._.generated == "The tomcat ."


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam_width": 0}, "'beam_width' must be 1 or more, but is 0"),
        ({"min_frequency": 0}, "'min_frequency' must be 1 or more"),
        ({"label_smoothing": 1.0}, "'label_smoothing' must be at least 0 and below 1"),
        ({"target_lang": "qq"}, "'target_lang' must be a language of spaCy"),
        ({"model": {"reads": "symbols"}}, 'it needs a model with reads = "vectors"'),
        ({"generated_attr": "get"}, "'generated_attr' must be a name"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        make_nlp(initialize=False, **settings)


@pytest.mark.parametrize("beam_width", [0, -1])
def test_a_beam_that_was_set_to_no_width_is_refused(nlp, monkeypatch, beam_width):
    monkeypatch.setattr(nlp.get_pipe("attn_seq2seq"), "beam_width", beam_width)
    with pytest.raises(ValueError, match=rf"'beam_width' must be 1 or more, but is {beam_width}\."):
        nlp("ein Hund")


def test_without_weights_it_says_so():
    nlp = make_nlp(initialize=False)
    with pytest.raises(ValueError, match="E109"):
        nlp("ein Hund")


# --- Storage --------------------------------------------------------------------------------------


def test_stored_sent_and_copied_it_writes_the_same(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    from_bytes = spacy.util.load_model_from_config(nlp.config)
    from_bytes.from_bytes(nlp.to_bytes())
    for other in (
        spacy.load(tmp_path),
        from_bytes,
        pickle.loads(pickle.dumps(nlp)),
        copy.deepcopy(nlp),
    ):
        assert written(other) == written(nlp)


def test_what_was_written_stays_with_a_document_however_it_is_stored(nlp):
    doc = nlp("eine Katze .")
    for name, other in copies_of(doc):
        assert other._.generated == "A cat.", name
        assert other._.generated_tokens == ["A", "cat", "."]
        numpy.testing.assert_array_equal(other._.alignment, doc._.alignment)


def test_a_vocabulary_that_is_not_that_of_the_weights_is_refused(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    file = tmp_path / "attn_seq2seq" / "cfg"
    cfg = json.loads(file.read_text())
    cfg["symbols"].pop()
    file.write_text(json.dumps(cfg))
    with pytest.raises(ValueError, match=r"attn_seq2seq/cfg cannot be loaded: it is damaged"):
        spacy.load(tmp_path)
    del cfg["checksums"]
    file.write_text(json.dumps(cfg))
    with pytest.raises(ValueError, match=r"it was trained with \d+ symbols, but the 'cfg' .* has"):
        spacy.load(tmp_path)


def test_two_components_keep_apart_what_they_write():
    nlp = make_nlp(initialize=False)
    config = {"model": SMALL, "min_frequency": 1, "generated_attr": "short"}
    nlp.add_pipe("attn_seq2seq", name="other", config=config)

    def examples():
        found = make_examples(nlp)
        for example in found:
            store_target(example.reference, "short", "short")
        return found

    nlp.initialize(examples)
    train(nlp, 40, lambda nlp: examples())
    doc = nlp("ein Hund")
    assert (doc._.generated, doc._.short) == ("A dog", "short")
    example = Example(doc, examples()[0].reference)
    scores = [nlp.get_pipe(name).score([example]) for name in ("attn_seq2seq", "other")]
    assert [*scores[0], *scores[1]] == ["bleu", "chrf", "short_bleu", "short_chrf"]
    assert doc._.short_alignment.shape == (1, 2)
    assert isinstance(nlp.get_pipe("other").explain([doc])[0], Alignment)


def test_a_text_and_a_single_document_are_not_explained():
    nlp = make_nlp()
    for docs in ("Hund", ["Hund"], nlp.make_doc("Hund")):
        with pytest.raises(
            TypeError, match=r"'docs' must be a list of documents, .* contains (str|Doc)"
        ):
            nlp.get_pipe("attn_seq2seq").explain(docs)
