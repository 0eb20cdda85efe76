"""Labels that come from examples, annotations that are refused, and labels nobody learns."""

import pickle
import warnings

import numpy
import pytest
import spacy
from spacy.pipeline import TextCategorizer
from spacy.training import Example

from ..conftest import LABELS, SMALL_MODEL, TEXTS, make_examples, make_nlp

HASHES = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 12,
    "depth": 1,
    "embed_size": 50,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": False,
    "pretrained_vectors": None,
}


def annotated(nlp, cats, text="great fun and a joy"):
    return Example.from_dict(nlp.make_doc(text), {"cats": cats})


def with_new_labels(nlp):
    """Examples of which two have labels that the training texts do not have."""
    return [
        *make_examples(nlp),
        annotated(nlp, {"new": 1.0}),
        annotated(nlp, {"positive": 0.0, "newer": 1.0, "new": 1.0}),
        annotated(nlp, {"positive": 1.0, "never true": 0.0}),
    ]


def streaming(factory, **initialize):
    nlp = spacy.blank("xx")
    nlp.config["training"]["max_epochs"] = -1
    nlp.add_pipe(factory, config={"model": {**SMALL_MODEL, "tok2vec": HASHES}})
    nlp.config["initialize"]["components"][factory] = initialize
    return nlp


# Labels that the component does not have


def test_training_on_labels_that_the_component_does_not_have_warns_once():
    nlp = make_nlp("attn_textcat_multilabel")
    with pytest.warns(UserWarning, match=r"2 of 9 documents.*\('new', 'newer'\).*add_label"):
        nlp.update(with_new_labels(nlp))
    nlp.update(with_new_labels(nlp))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(nlp)).update(with_new_labels(nlp))


def test_training_on_nothing_but_unknown_labels_has_no_loss_and_warns(factory):
    nlp = make_nlp(factory)
    with pytest.warns(UserWarning, match=rf"'{factory}': 1 of 1 documents.*'new'.*not learn"):
        losses = nlp.update([annotated(nlp, {"new": 1.0})])
    assert losses[factory] == 0.0


def test_a_component_that_was_pickled_before_there_was_the_warning_trains():
    nlp = make_nlp()
    vars(nlp.get_pipe("attn_textcat")).pop("_warned_of_labels", None)
    assert nlp.update(make_examples(nlp))["attn_textcat"] > 0.0


def test_initializing_with_labels_names_those_of_the_examples_that_are_left_out():
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("attn_textcat_multilabel", config={"model": SMALL_MODEL})
    examples = with_new_labels(nlp)
    with pytest.warns(UserWarning, match=r"2 of 9 documents have labels.*\('new', 'newer'\)"):
        component.initialize(lambda: examples, nlp=nlp, labels=LABELS)
    assert component.labels == LABELS
    nlp.update(examples)  # has been warned of
    with pytest.warns(UserWarning, match=r"2 of 9 documents"):
        component.initialize(lambda: examples, nlp=nlp, labels=LABELS)


def test_labels_of_another_component_are_none_that_are_left_out():
    nlp = make_nlp("attn_textcat_multilabel", attention_attr="other")
    component = nlp.add_pipe("attn_textcat", config={"model": SMALL_MODEL})
    examples = make_examples(nlp)
    component.initialize(lambda: examples, nlp=nlp, labels=["a", "b"])
    assert component.labels == ("a", "b")


def test_initializing_with_a_stream_and_without_labels_says_what_to_do(factory):
    nlp = streaming(factory)
    nlp.initialize(lambda: make_examples(nlp))  # each of which names all labels
    nlp = streaming(factory)
    with pytest.warns(
        UserWarning,
        match=rf"first documents of a streamed.*init labels.*initialize.components.{factory}.lab",
    ):
        nlp.initialize(
            lambda: [annotated(nlp, {label: 1.0}, text) for text, label in TEXTS.items()]
        )
    nlp = streaming(factory, labels=["third", *LABELS])
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.get_pipe(factory).labels == ("third", *LABELS)


# Annotations that are refused


@pytest.mark.parametrize("value", [3.0, -0.1, float("nan"), None, "yes"])
def test_what_is_no_probability_is_named_with_its_label_text_and_component(factory, value):
    nlp = make_nlp(factory)
    text = "A long text of which the beginning is enough to find it again"
    example = annotated(nlp, {}, text)
    example.reference.cats = {"positive": value}
    message = (
        rf"'{factory}': the text 'A long text of which the beginning is enough to fi…' has the "
        rf"value {value!r} for the label 'positive', where 0, 1 or a probability.*correct"
    )
    with pytest.raises(ValueError, match=message):
        nlp.update([example])
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: [*make_examples(nlp), example])


@pytest.mark.parametrize("cats", [{"positive": 1.0, "negative": 1.0}, {"positive": 0.9, "x": 0.2}])
def test_several_exclusive_labels_are_named_with_the_text_and_what_to_do(cats):
    nlp = make_nlp()
    example = annotated(nlp, cats)
    message = (
        r"'attn_textcat': the text 'great fun and a joy' has labels that add up to more than 1 "
        r"\('positive': (1|0.9), '(negative|x)': (1|0.2)\).*'attn_textcat_multilabel' for several"
    )
    with pytest.raises(ValueError, match=message):
        nlp.update([example])
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: [*make_examples(nlp), example])


# Many labels


def test_labels_keep_the_order_in_which_examples_name_them(factory):
    def examples(nlp):
        return [
            annotated(nlp, {"c": 0.0, "a": 1.0}),
            annotated(nlp, {"a": 0.0, "b": 1.0}),
            annotated(nlp, {"c": 1.0, "d": 0.0}),
        ]

    nlp = make_nlp(factory, examples=examples)
    assert nlp.get_pipe(factory).labels == ("c", "a", "b", "d")
    assert all(label in nlp.vocab.strings for label in "abcd")
    nlp.initialize(lambda: examples(nlp))
    assert nlp.get_pipe(factory).labels == ("c", "a", "b", "d")


def test_annotations_as_numbers_are_those_of_spacy(factory):
    nlp = make_nlp(factory)
    component = nlp.get_pipe(factory)
    examples = [annotated(nlp, cats) for cats in ({"negative": 0.5, "x": 1.0}, {}, {"positive": 1})]
    truths, known = component._examples_to_truth(examples)
    expected = TextCategorizer._examples_to_truth(component, examples)
    numpy.testing.assert_array_equal(truths, expected[0])
    numpy.testing.assert_array_equal(known, expected[1])


def test_initializing_looks_at_each_label_of_each_document_a_fixed_number_of_times(factory):
    class Counted(str):
        """A label that counts how often it is compared with others, as in a search."""

        compared = 0
        __hash__ = str.__hash__

        def __eq__(self, other):
            Counted.compared += 1
            return str.__eq__(self, other)

    def comparisons(n_labels):
        labels = [Counted(f"label {i}") for i in range(n_labels)]
        nlp = spacy.blank("xx")
        nlp.add_pipe(factory, config={"model": SMALL_MODEL})
        examples = [annotated(nlp, {}, text) for text in TEXTS]
        for i, example in enumerate(examples):
            cats = {str(label): 0.0 for label in labels}
            example.reference.cats = {**cats, str(labels[i]): 1.0}
        nlp.get_pipe(factory).initialize(lambda: examples, nlp=nlp, labels=labels)
        return Counted.compared

    few = comparisons(10)
    Counted.compared = 0
    assert comparisons(100) <= 20 * max(few, 1)
