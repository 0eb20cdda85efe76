"""Class weights and label smoothing."""

import json
import re

import numpy
import pytest
import spacy
from hypothesis import assume, given
from hypothesis import strategies as st
from spacy.training import Example
from thinc.api import Config

from spacy_attn.pipeline.class_weights import check_class_weights, weights_by_label
from spacy_attn.pipeline.losses import sigmoid_cross_entropy, softmax_cross_entropy

from ..conftest import LABELS, SMALL_MODEL, TEXTS, make_examples, make_nlp, train

RARE = {**{f"{text} {i}": label for i in range(5) for text, label in TEXTS.items()}, "meh": "so-so"}
HASHES = {
    "width": 12,
    "depth": 1,
    "embed_size": 50,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": False,
    "pretrained_vectors": None,
}
RARE_LABELS = (*LABELS, "so-so")


def rare_examples(nlp):
    return make_examples(nlp, RARE, RARE_LABELS)


def balanced_weights(factory, examples=rare_examples):
    return (
        make_nlp(factory, examples=examples, class_weights="balanced")
        .get_pipe(factory)
        .cfg["balanced_weights"]
    )


@given(st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("cross_entropy", [softmax_cross_entropy, sigmoid_cross_entropy])
def test_the_gradient_is_that_of_the_loss_with_any_weights(cross_entropy, seed):
    rng = numpy.random.default_rng(seed)
    logits = rng.normal(size=(3, 4))
    targets = rng.dirichlet(numpy.ones(4), size=3)
    known = (rng.random((3, 4)) < 0.8).astype("f")
    known[:, 0] = 1.0
    weights = rng.random(4)
    targets = targets * known
    _, gradient = cross_entropy(logits, targets, known, weights)
    for index in numpy.ndindex(*logits.shape):
        above, below = logits.copy(), logits.copy()
        above[index] += 1e-5
        below[index] -= 1e-5
        losses = [cross_entropy(z, targets, known, weights)[0] for z in (above, below)]
        assert gradient[index] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-4)


def test_a_weight_multiplies_the_loss_of_the_documents_of_its_label():
    plain = make_nlp().get_pipe("attn_textcat")
    weighted = make_nlp(class_weights={"negative": 3.0}).get_pipe("attn_textcat")
    nlp = spacy.blank("xx")
    for label, factor in (("positive", 1.0), ("negative", 3.0)):
        texts = {text: gold for text, gold in TEXTS.items() if gold == label}
        expected = plain.update(make_examples(nlp, texts))["attn_textcat"]
        assert weighted.update(make_examples(nlp, texts))["attn_textcat"] == pytest.approx(
            factor * expected, rel=1e-5
        )


def test_balanced_weights_are_those_of_scikit_learn():
    weights = balanced_weights("attn_textcat")
    # n_documents / (n_classes * documents of the class)
    assert weights == pytest.approx(
        {"positive": 31 / 3 / 15, "negative": 31 / 3 / 15, "so-so": 31 / 3}
    )


def test_balanced_weights_of_independent_labels_weigh_both_sides_alike():
    weights = balanced_weights("attn_textcat_multilabel")
    assert weights == pytest.approx({"positive": 16 / 15, "negative": 16 / 15, "so-so": 30.0})


def test_balanced_weights_of_independent_labels_count_annotated_documents_only():
    def examples(nlp):
        unannotated = [Example.from_dict(nlp.make_doc("?"), {"cats": {"negative": 0.0}})] * 7
        return rare_examples(nlp) + unannotated

    assert balanced_weights("attn_textcat_multilabel", examples)["so-so"] == pytest.approx(30.0)


def test_a_rare_class_is_found_sooner_with_balanced_weights(factory):
    found = {}
    for class_weights in (None, "balanced"):
        nlp = make_nlp(factory, examples=rare_examples, class_weights=class_weights)
        train(nlp, steps=12, examples=rare_examples)
        found[class_weights] = nlp("meh").cats["so-so"]
    assert found["balanced"] > 1.1 * found[None]


def test_balanced_weights_survive_saving_so_that_training_can_go_on(factory, tmp_path):
    nlp = make_nlp(factory, examples=rare_examples, class_weights="balanced")
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path).get_pipe(factory)
    numpy.testing.assert_array_equal(
        loaded._label_weights(), nlp.get_pipe(factory)._label_weights()
    )


def test_a_label_that_no_document_has_weighs_1_and_is_named_in_a_warning(factory):
    nlp = spacy.blank("xx")
    component = nlp.add_pipe(factory, config={"model": SMALL_MODEL, "class_weights": "balanced"})
    nlp.config["initialize"]["components"][factory] = {"labels": [*LABELS, "absent"]}
    with pytest.warns(UserWarning, match=r"'absent'.*weight 1"):
        nlp.initialize(lambda: make_examples(nlp))
    assert component.cfg["balanced_weights"]["absent"] == 1.0


def test_balancing_by_the_first_documents_of_a_stream_is_said(factory):
    nlp = spacy.blank("xx")
    nlp.config["training"]["max_epochs"] = -1
    model = {**SMALL_MODEL, "tok2vec": {"@architectures": "spacy.HashEmbedCNN.v2", **HASHES}}
    nlp.add_pipe(factory, config={"model": model, "class_weights": "balanced"})
    with pytest.warns(UserWarning, match="first documents of a streamed corpus.*table of weights"):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize(
    ("class_weights", "message"),
    [
        ("auto", "'class_weights' must be null, \"balanced\", a table"),
        ([["negative", 1.0, 2.0]], "'class_weights' must be null, \"balanced\", a table"),
        ([["negative", 1.0], ["negative", 2.0]], "gives label 'negative' 2 weights"),
        ([["$", 1.0], ["\\u0024", 2.0]], r"gives label '\$' 2 weights"),
        ({"a": "b = 5.0"}, "weight of label 'a'.*'b = 5.0'.*':' or '='.*list"),
        ({"negative": -1.0}, "weight of label 'negative'.*at least 0, but is -1.0"),
        ({"negative": "high"}, "weight of label 'negative'.*number"),
        ({"negative": None}, "weight of label 'negative'.*number of at least 0, but is None"),
        ({"Negative": 2.0}, r"'class_weights' names \['Negative'\], but the labels are"),
    ],
)
def test_wrong_class_weights_are_refused_with_the_label_and_what_to_do(
    factory, class_weights, message
):
    with pytest.raises(ValueError, match=message):
        make_nlp(factory, class_weights=class_weights)


UNUSUAL = (
    "a: b",
    "a=b",
    "a\nb",
    "[x]",
    "# x",
    ";x",
    " x",
    "x ",
    "@x",
    '"q"',
    "${x}",
    "$",
    "%(x)s",
    "",
)
# What a config takes for something else, in any mixture.
LABEL = st.text("aA :=[]#;@$%{}.\\u0024\"'\n\r\t\x85é", max_size=8) | st.sampled_from(UNUSUAL)
# Older versions of spaCy write ten decimals.
WEIGHT = st.just(0.0) | st.floats(0.0625, 10, width=32)


def written(label, weight):
    """As the documentation says to write it in a list."""
    return [re.sub(r"\\(?=u[0-9a-fA-F]{4})", r"\\u005c", label).replace("$", r"\u0024"), weight]


def saved_and_loaded(class_weights, times=2):
    """What a component gets from a config that spaCy has saved and loaded a few times."""
    config = Config({"components": {"c": {"class_weights": class_weights}}})
    for _ in range(times):
        config = Config().from_str(config.to_str(), interpolate=False)
    return config.interpolate()["components"]["c"]["class_weights"]


@given(st.dictionaries(LABEL, WEIGHT, min_size=1, max_size=4))
def test_a_list_of_pairs_brings_weights_of_any_labels_through_a_config(table):
    pairs = [written(*item) for item in table.items()]
    check_class_weights("c", pairs)
    assert weights_by_label(saved_and_loaded(pairs)) == pytest.approx(table, rel=1e-8)


@given(st.dictionaries(LABEL, WEIGHT, min_size=1, max_size=4), st.booleans())
def test_weights_that_are_accepted_come_back_and_others_are_refused_with_what_to_write(
    table, as_pairs
):
    class_weights = list(table.items()) if as_pairs else table
    # A list reads "$" and "\\u0024" alike, as two weights of one label.
    assume(len(weights_by_label(class_weights)) == len(table))
    try:
        check_class_weights("c", class_weights)
    except ValueError as error:
        remedy = json.loads(str(error).split("written so: ")[1].rstrip("."))
        assert weights_by_label(remedy).items() <= table.items()
    else:
        loaded = weights_by_label(saved_and_loaded(class_weights))
        assert loaded == pytest.approx(weights_by_label(class_weights), rel=1e-8)


def test_a_weight_in_a_list_is_that_of_its_label_before_and_after_loading(factory, tmp_path):
    for text in ("a: $b", "# c"):
        texts = {"x": text, "y": "other"}
        pairs = [written(text, 3.0)]
        nlp = make_nlp(
            factory,
            examples=lambda nlp, texts=texts: make_examples(nlp, texts, list(texts.values())),
            class_weights=pairs,
        )
        nlp.to_disk(tmp_path)
        for one in (nlp, spacy.load(tmp_path)):
            component = one.get_pipe(factory)
            weights = dict(zip(component.labels, component._label_weights(), strict=True))
            assert weights == {text: 3.0, "other": 1.0}


@pytest.mark.parametrize("label", ["a: b", "a=b", "a\nb", "[x]", "# x", ";x", " x", "x ", ""])
def test_a_table_that_a_config_would_not_hold_is_refused_with_the_list(factory, label):
    message = re.escape(f"written so: {json.dumps([[label, 5.0]])}")
    with pytest.raises(ValueError, match=message):
        spacy.blank("xx").add_pipe(factory, config={"class_weights": {label: 5.0}})


def test_a_table_of_nothing_is_refused_before_training_as_its_lines_may_be_comments(factory):
    with pytest.raises(ValueError, match=r"'class_weights' names no label.*null.*list"):
        make_nlp(factory, class_weights={})


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0])
def test_label_smoothing_out_of_its_range_is_refused(factory, label_smoothing):
    with pytest.raises(ValueError, match="'label_smoothing' must be at least 0 and below 1"):
        make_nlp(factory, label_smoothing=label_smoothing)


@pytest.mark.parametrize(
    ("factory", "expected"), [("attn_textcat", 0.9), ("attn_textcat_multilabel", 0.9)]
)
def test_training_with_label_smoothing_converges_to_the_smoothed_probability(factory, expected):
    # A share of 0.2, evenly over two labels, leaves 0.8 + 0.1 to the right one.
    nlp = make_nlp(factory, label_smoothing=0.2)
    train(nlp, steps=60)
    for text, gold in TEXTS.items():
        assert nlp(text).cats[gold] == pytest.approx(expected, abs=0.03)


def test_label_smoothing_leaves_documents_without_annotation_without_a_gradient():
    nlp = make_nlp(label_smoothing=0.2)
    component = nlp.get_pipe("attn_textcat")
    example = Example.from_dict(nlp.make_doc("?"), {})
    loss, gradient = component.get_loss([example], numpy.array([[0.7, 0.3]], dtype="f"))
    assert loss == 0.0
    assert not gradient.any()
