"""What spaCy's own text classifiers guarantee, for ours."""

import numpy
import pytest
import spacy
from spacy.pipeline import MultiLabel_TextCategorizer, TextCategorizer
from spacy.training import Example

from ..conftest import LABELS, MIXED_TEXTS, SMALL_MODEL, TEXTS, make_examples, make_nlp, train

WITNESS = "A gorgeous, witty, seductive movie."


def test_components_are_added_trained_and_used_without_any_argument(factory):
    nlp = spacy.blank("xx")
    nlp.add_pipe(factory)
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp, steps=2)
    doc = nlp(WITNESS)
    assert set(doc.cats) == set(LABELS)
    assert doc._.attention.shape == (len(doc),)


def test_components_are_spacys_own_text_categorizers():
    nlp = spacy.blank("xx")
    assert isinstance(nlp.add_pipe("attn_textcat"), TextCategorizer)
    assert isinstance(
        nlp.add_pipe("attn_textcat_multilabel", config={"attention_attr": "other"}),
        MultiLabel_TextCategorizer,
    )


def test_what_is_assigned_is_declared(factory):
    meta = spacy.blank("xx").add_pipe(factory) and spacy.Language.get_factory_meta(factory)
    assert list(meta.assigns) == ["doc.cats", "doc._.attention"]


def test_the_training_table_shows_more_scores_than_spacys_and_chooses_by_the_same(factory):
    weights = spacy.Language.get_factory_meta(factory).default_score_weights
    of_spacy = spacy.Language.get_factory_meta("textcat").default_score_weights
    assert set(weights) == {*of_spacy, "cats_acc", "cats_ece"}
    chosen_by = {name: weight for name, weight in weights.items() if weight}
    assert chosen_by == {name: weight for name, weight in of_spacy.items() if weight}
    assert all(name in make_nlp(factory).evaluate([]) for name, w in weights.items() if w == 0.0)


def test_exclusive_scores_sum_to_one_and_independent_ones_need_not(trained_nlp):
    for doc in trained_nlp.pipe(MIXED_TEXTS):
        assert sum(doc.cats.values()) == pytest.approx(1.0)
    nlp = make_nlp("attn_textcat_multilabel")
    train(nlp)
    assert sum(nlp("unheard of").cats.values()) != pytest.approx(1.0, abs=1e-6)


def test_it_learns_a_small_data_set_by_heart(factory):
    nlp = make_nlp(factory)
    train(nlp, steps=100)
    for text, gold in TEXTS.items():
        cats = nlp(text).cats
        assert cats[gold] > 0.9
        assert max(cats, key=cats.get) == gold


def test_scores_and_attention_do_not_depend_on_batch_mates_or_batch_size(trained_nlp):
    texts = [*MIXED_TEXTS, *TEXTS] * 3
    alone = [trained_nlp(text) for text in texts]
    for size in (1, 2, 7, 1000):
        for doc, own in zip(trained_nlp.pipe(texts, batch_size=size), alone, strict=True):
            assert doc.text == own.text
            assert doc.cats == pytest.approx(own.cats, abs=1e-5)
            numpy.testing.assert_allclose(doc._.attention, own._.attention, atol=1e-5)


def test_batches_without_any_token_and_mixed_ones_are_annotated_alike(factory):
    nlp = make_nlp(factory)
    (empty,) = nlp.pipe([""])
    mixed = list(nlp.pipe(["", "great fun", ""]))
    assert empty.cats == pytest.approx(mixed[0].cats)
    assert empty.cats == pytest.approx(mixed[2].cats)
    assert empty._.attention.shape == (0,)
    assert empty._.attention.dtype == numpy.float32
    assert list(nlp.pipe([])) == []


def test_white_space_is_tokens_like_any_other(trained_nlp):
    doc = trained_nlp(" \n ")
    assert doc._.attention.shape == (len(doc),)
    assert doc._.attention.sum() == pytest.approx(1.0)


def test_predict_changes_no_document(trained_nlp):
    doc = trained_nlp.make_doc(WITNESS)
    trained_nlp.get_pipe("attn_textcat").predict([doc])
    assert not doc.cats
    assert not doc.user_data


def test_annotations_of_other_components_stay(trained_nlp):
    doc = trained_nlp.make_doc(WITNESS)
    doc.cats["other"] = 0.5
    doc.user_data["other"] = 1
    doc = trained_nlp.get_pipe("attn_textcat")(doc)
    assert doc.cats["other"] == 0.5
    assert doc.user_data["other"] == 1


def test_using_an_uninitialized_component_says_what_to_do(factory):
    nlp = spacy.blank("xx")
    component = nlp.add_pipe(factory)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"E109.*initialize"):
            nlp("text")
        with pytest.raises(ValueError, match=r"E109.*initialize"):
            nlp.update(make_examples(nlp))
        component.add_label("positive")  # alone makes no weights


# Labels


def test_labels_come_from_the_examples_or_are_given():
    assert make_nlp().get_pipe("attn_textcat").labels == LABELS
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_textcat", config={"model": SMALL_MODEL})
    component = nlp.get_pipe("attn_textcat")
    component.initialize(
        lambda: make_examples(nlp), nlp=nlp, labels=["negative", "positive", "third"]
    )
    assert component.label_data == ("negative", "positive", "third")
    assert nlp(WITNESS).cats.keys() == {"negative", "positive", "third"}


def test_label_names_must_be_strings(factory):
    component = spacy.blank("xx").add_pipe(factory)
    with pytest.raises(ValueError, match="E187"):
        component.add_label(9)


def test_adding_a_label_says_whether_it_is_new_and_files_its_string(factory):
    nlp = spacy.blank("xx")
    component = nlp.add_pipe(factory)
    assert component.add_label("a new one") == 1
    assert component.add_label("a new one") == 0
    assert "a new one" in nlp.vocab.strings


def test_exclusive_classes_need_two_labels():
    def one_label(nlp):
        return [Example.from_dict(nlp.make_doc("x"), {"cats": {"only": 1.0}})]

    with pytest.raises(ValueError, match=r"'attn_textcat' needs two labels or more.*\['only'\]"):
        make_nlp(examples=one_label)
    assert make_nlp("attn_textcat_multilabel", examples=one_label)("x").cats.keys() == {"only"}


def test_positive_label_must_be_one_of_exactly_two():
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("attn_textcat", config={"model": SMALL_MODEL})

    def initialize(**settings):
        component.initialize(lambda: make_examples(nlp), nlp=nlp, **settings)

    with pytest.raises(ValueError, match="E920"):
        initialize(positive_label="unheard of")
    initialize(positive_label="positive")
    assert component.cfg["positive_label"] == "positive"
    with pytest.raises(ValueError, match="E919"):
        initialize(positive_label="positive", labels=["positive", "negative", "third"])


def test_adding_a_label_to_a_trained_component_leaves_the_others_ratio_and_can_be_learned():
    nlp = make_nlp()
    train(nlp)
    component = nlp.get_pipe("attn_textcat")
    before = component.predict([nlp.make_doc(WITNESS)]).scores[0]
    component.add_label("neutral")
    after = component.predict([nlp.make_doc(WITNESS)]).scores[0]
    assert after[0] / after[1] == pytest.approx(before[0] / before[1], rel=1e-4)
    assert after[2] < 0.01
    assert nlp(WITNESS).cats.keys() == {*LABELS, "neutral"}

    texts = {**TEXTS, "a table and a chair": "neutral", "the table is made of wood": "neutral"}
    sgd = nlp.create_optimizer()
    train(
        nlp,
        steps=100,
        sgd=sgd,
        examples=lambda nlp: make_examples(nlp, texts, (*LABELS, "neutral")),
    )
    assert nlp("a table and a chair").cats["neutral"] > 0.8


def test_adding_an_independent_label_leaves_the_other_scores_as_they_are():
    nlp = make_nlp("attn_textcat_multilabel")
    train(nlp)
    before = nlp(WITNESS).cats
    nlp.get_pipe("attn_textcat_multilabel").add_label("neutral")
    after = nlp(WITNESS).cats
    assert {label: after[label] for label in before} == pytest.approx(before, abs=1e-6)
    assert after["neutral"] < 0.01


def test_a_label_may_be_added_in_the_midst_of_training_with_the_same_optimizer(factory):
    nlp = make_nlp(factory)
    sgd = nlp.create_optimizer()
    train(nlp, steps=3, sgd=sgd)
    nlp.get_pipe(factory).add_label("neutral")
    train(nlp, steps=3, sgd=sgd)
    with nlp.use_params(sgd.averages):
        assert nlp(WITNESS).cats.keys() == {*LABELS, "neutral"}


def test_a_fixed_number_of_labels_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="'nO' = 5, but there are 2 labels"):
        make_nlp(model={**SMALL_MODEL, "nO": 5})


# Missing values, thresholds


def test_labels_that_are_not_annotated_are_left_out_of_the_loss():
    nlp = make_nlp("attn_textcat_multilabel")
    component = nlp.get_pipe("attn_textcat_multilabel")
    example = Example.from_dict(nlp.make_doc("great fun"), {"cats": {"positive": 1.0}})
    scores = component.predict([example.predicted]).scores
    loss, gradient = component.get_loss([example], scores)
    assert loss == pytest.approx(-numpy.log(scores[0, 0]), rel=1e-5)
    assert gradient[0, 1] == 0.0
    assert gradient[0, 0] == pytest.approx(scores[0, 0] - 1.0)


def test_a_missing_exclusive_label_is_zero_and_an_unannotated_document_teaches_nothing():
    nlp = make_nlp()
    component = nlp.get_pipe("attn_textcat")
    partial = Example.from_dict(nlp.make_doc("great fun"), {"cats": {"positive": 1.0}})
    full = make_examples(nlp, {"great fun": "positive"})[0]
    none = Example.from_dict(nlp.make_doc("great fun"), {})
    scores = component.predict([partial.predicted]).scores
    loss, gradient = component.get_loss([partial], scores)
    full_loss, full_gradient = component.get_loss([full], scores)
    assert loss == full_loss
    numpy.testing.assert_array_equal(gradient, full_gradient)
    loss, gradient = component.get_loss([none], scores)
    assert loss == 0.0
    assert not gradient.any()


def test_the_threshold_decides_what_counts_as_predicted():
    nlp = make_nlp("attn_textcat_multilabel", threshold=0.0)
    assert nlp.evaluate(make_examples(nlp))["cats_micro_r"] == 1.0
    nlp = make_nlp("attn_textcat_multilabel", threshold=1.0)
    assert nlp.evaluate(make_examples(nlp))["cats_micro_r"] == 0.0
    with pytest.raises(ValueError, match=r"'threshold' must be between 0 and 1, but is 1.5"):
        make_nlp("attn_textcat_multilabel", threshold=1.5)


def test_evaluation_gives_spacys_scores_and_accuracy(factory):
    nlp = make_nlp(factory)
    train(nlp)
    scores = nlp.evaluate(make_examples(nlp))
    for name in ("cats_score", "cats_macro_f", "cats_micro_p", "cats_macro_auc", "cats_acc"):
        assert scores[name] == pytest.approx(1.0), name
    assert set(scores["cats_f_per_type"]) == set(LABELS)


def test_accuracy_counts_documents():
    nlp = make_nlp()
    train(nlp)
    texts = {**TEXTS, "great fun and a joy": "negative"}
    assert nlp.evaluate(make_examples(nlp, texts))["cats_acc"] == pytest.approx(5 / 6)
    assert nlp.evaluate([Example.from_dict(nlp.make_doc("x"), {})])["cats_acc"] is None


def test_accuracy_looks_at_the_labels_of_the_component_alone():
    nlp = make_nlp()
    train(nlp)
    examples = make_examples(nlp)
    for example in examples:
        example.reference.cats["another component's"] = 1.0
    scores = nlp.get_pipe("attn_textcat").score(
        [Example(nlp(example.text), example.reference) for example in examples]
    )
    assert scores["cats_acc"] == 1.0


# The attribute


def test_the_attribute_can_have_another_name(factory):
    nlp = make_nlp(factory, attention_attr="reasons")
    doc = nlp(WITNESS)
    assert doc._.reasons.sum() == pytest.approx(1.0)
    assert doc[1]._.reasons == pytest.approx(doc._.reasons[1])
    assert nlp.config["components"][factory]["attention_attr"] == "reasons"


def test_two_components_keep_their_attention_apart():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_textcat", config={"model": SMALL_MODEL})
    nlp.add_pipe(
        "attn_textcat_multilabel", config={"model": SMALL_MODEL, "attention_attr": "second"}
    )
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp, steps=5)
    doc = nlp(WITNESS)
    assert not numpy.allclose(doc._.attention, doc._.second)


def test_two_components_that_share_an_attribute_are_warned_about():
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_textcat")
    with pytest.warns(
        UserWarning, match=r"'attn_textcat' and 'attn_textcat_multilabel' both.*attention_attr"
    ):
        nlp.add_pipe("attn_textcat_multilabel")


def test_a_foreign_attribute_of_the_same_name_stops_the_component():
    from spacy.tokens import Doc

    Doc.set_extension("taken", default=1)
    with pytest.raises(ValueError, match=r"'Doc\._\.taken' exists already"):
        make_nlp(attention_attr="taken")
    Doc.remove_extension("taken")


# Long documents


def test_a_document_of_100000_tokens_is_classified_whole(trained_nlp):
    doc = spacy.tokens.Doc(trained_nlp.vocab, words=["dull", "film", "."] * 33_333 + ["great"])
    component = trained_nlp.get_pipe("attn_textcat")
    doc = component(doc)
    assert doc._.attention.shape == (100_000,)
    assert doc._.attention.sum(dtype="float64") == pytest.approx(1.0, abs=1e-5)
    # The last token is seen: it moves the scores of the document it ends.
    cut = component(spacy.tokens.Doc(trained_nlp.vocab, words=[token.text for token in doc[:-1]]))
    assert cut.cats != doc.cats


def test_documents_come_with_their_context_and_in_a_memory_zone(trained_nlp):
    texts = [(text, i) for i, text in enumerate(TEXTS)]
    with trained_nlp.memory_zone():
        pairs = list(trained_nlp.pipe(texts, as_tuples=True))
        assert [i for _, i in pairs] == list(range(len(TEXTS)))
        assert all(len(doc._.attention) == len(doc) for doc, _ in pairs)


def test_a_failing_batch_goes_to_the_error_handler(monkeypatch):
    nlp = make_nlp()
    component = nlp.get_pipe("attn_textcat")
    failed = []

    def fail(docs):
        raise RuntimeError("out of order")

    monkeypatch.setattr(component, "predict", fail)
    nlp.set_error_handler(lambda *args: failed.append(args))
    assert list(nlp.pipe(["great fun"])) == []
    assert str(failed[0][-1]) == "out of order"


def test_chunks_of_a_large_batch_keep_the_order(trained_nlp, monkeypatch):
    texts = [*TEXTS, *MIXED_TEXTS] * 2
    expected = [doc.cats for doc in trained_nlp.pipe(texts)]
    monkeypatch.setattr("spacy_attn.pipeline.prediction.MAX_CHUNK_TOKENS", 12)
    for doc, cats in zip(trained_nlp.pipe(texts), expected, strict=True):
        assert doc.cats == pytest.approx(cats, abs=1e-5)
