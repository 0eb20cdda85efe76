"""What explanations say of contrasts and of spans, and their way through JSON."""

import json

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_attn import Explanation
from spacy_attn.interpret.methods import METHODS
from spacy_attn.results.explanation import CONTRIBUTIONS

from ..conftest import make_nlp
from ..interpret.show.pages import HOSTILE, make_explanation

LABELS = ("bad", "fair", "good")
TOKENS = ("not", "so", "bad", ".", "Fun", "!")
PAIR = ("good", "bad")
EXPLANATION = make_explanation(
    TOKENS, LABELS, sentences=((0, 4, ""), (4, 6, "")), entities=((4, 5, "MOOD"),), contrast=PAIR
)
PARTS = st.floats(width=32, allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1) | st.sampled_from(HOSTILE)


def test_a_contrast_is_the_difference_of_its_labels():
    for name, value in (("attributions", "of_label"), ("logits", "logit_of"), ("bias", "bias_of")):
        values = getattr(EXPLANATION, name)
        numpy.testing.assert_array_equal(
            getattr(EXPLANATION, value)(PAIR), values[..., 2] - values[..., 0]
        )
        numpy.testing.assert_array_equal(getattr(EXPLANATION, value)("fair"), values[..., 1])


@pytest.mark.parametrize("contrast", ["good", ("good",), ("good", "bad", "fair"), (1, 2), 3])
def test_a_contrast_that_is_no_pair_of_labels_is_refused(contrast):
    with pytest.raises(ValueError, match=r"'contrast' must be a pair of labels, .* but is"):
        make_explanation(TOKENS, LABELS, contrast=contrast)


def test_a_contrast_with_itself_or_with_an_unknown_label_is_refused():
    with pytest.raises(ValueError, match="label 'good' with itself is 0 for every token"):
        EXPLANATION.of_label(("good", "good"))
    with pytest.raises(ValueError, match="no label 'great'; the component has 'bad', 'fair'"):
        EXPLANATION.of_label(("good", "great"))


def test_a_span_has_the_sums_of_its_tokens():
    span = EXPLANATION.of_span(1, 3)
    assert (span.text, span.start, span.end, span.kind) == ("so bad", 1, 3, "")
    assert span.attention == pytest.approx(EXPLANATION.attention[1:3].sum())
    for label in LABELS:
        assert span.of_label(label) == pytest.approx(EXPLANATION.of_label(label)[1:3].sum())
    assert span.of_label(PAIR) == pytest.approx(EXPLANATION.of_label(PAIR)[1:3].sum())
    assert "'so bad', tokens 1:3, attention=" in repr(span)


def test_sentences_add_up_to_the_logit():
    sentences = EXPLANATION.of_sentences()
    assert [sentence.text for sentence in sentences] == ["not so bad .", "Fun !"]
    for target in (*LABELS, PAIR):
        total = sum(sentence.of_label(target) for sentence in sentences)
        assert total == pytest.approx(EXPLANATION.of_label(target).sum(), abs=1e-6)
    (entity,) = EXPLANATION.of_entities()
    assert (entity.text, entity.kind) == ("Fun", "MOOD")


def test_spans_of_spacy_and_pairs_of_numbers_say_the_same():
    doc = Doc(spacy.blank("xx").vocab, words=list(TOKENS))
    doc.spans["parts"] = [Span(doc, 0, 2, "A"), doc[1:6]]
    found = EXPLANATION.of(doc.spans["parts"])
    assert [(part.start, part.end, part.kind) for part in found] == [(0, 2, "A"), (1, 6, "")]
    pairs = EXPLANATION.of([(0, 2), numpy.array([1, 6])])
    assert [part.of_label("good") for part in pairs] == [part.of_label("good") for part in found]


@pytest.mark.parametrize("span", [(2, 2), (3, 2), (-1, 2), (5, 7), (7, 8)])
def test_a_span_outside_the_document_is_refused(span):
    message = rf"The span {span[0]}:{span[1]} is not within the document, which has 6 tokens"
    with pytest.raises(ValueError, match=message):
        EXPLANATION.of_span(*span)
    with pytest.raises(ValueError, match=message):
        EXPLANATION.of([span])


def test_what_is_no_span_of_the_document_is_refused():
    other = Doc(spacy.blank("xx").vocab, words=["other", "words"])
    with pytest.raises(ValueError, match=r"'other' is of a document with other tokens .* has 6"):
        EXPLANATION.of([other[:1]])
    for span in ("ab", 3, (1.5, 2), None, (1, 2, 3)):
        with pytest.raises(TypeError, match="must be a Span, or a pair of numbers"):
            EXPLANATION.of([span])


def test_where_nothing_has_looked_for_sentences_or_entities_it_says_what_to_add():
    explanation = make_explanation()
    with pytest.raises(ValueError, match=r"sentences of 'great fun ': .* such as 'sentencizer'"):
        explanation.of_sentences()
    with pytest.raises(ValueError, match=r"entities of 'great fun ': .* such as 'ner'"):
        explanation.of_entities()
    with pytest.raises(ValueError, match="looked for the sentences"):
        explanation.to_dataframe("sentence")


def test_the_component_takes_sentences_and_entities_from_the_document():
    component = make_nlp().get_pipe("attn_textcat")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "MOOD", "pattern": "fun"}])
    docs = list(nlp.pipe(["great fun. So dull.", "", "nothing here"]))
    one, nothing, other = component.explain(docs, contrast=("positive", "negative"))
    assert one.sentences == ((0, 3, ""), (3, 6, ""))
    assert one.entities == ((1, 2, "MOOD"),)
    assert (nothing.sentences, other.entities) == ((), ())
    assert one.contrast == ("positive", "negative")
    (plain,) = component.explain([spacy.blank("en")("great fun")])
    assert (plain.sentences, plain.entities, plain.contrast) == (None, None, None)
    with pytest.raises(ValueError, match="no label 'good'; 'attn_textcat' has"):
        component.explain(docs, contrast=("positive", "good"))


def test_what_was_found_by_leaving_out_tokens_is_not_added_up():
    explanation = make_explanation(
        TOKENS, LABELS, method="leave_one_out", sentences=((0, 4, ""), (4, 6, ""))
    )
    first, _ = explanation.of_sentences()
    assert first.attention == pytest.approx(explanation.attention[:4].sum())
    assert first.attributions is None
    with pytest.raises(ValueError, match="of one token at a time, and do not add up"):
        first.of_label("good")
    assert "attributions" not in explanation.to_dict()["sentences"][0]
    assert Explanation.from_dict(explanation.to_dict()) == explanation


@given(data=st.data())
def test_an_explanation_goes_through_json_and_is_the_same(data):
    tokens = data.draw(st.lists(WORDS, max_size=4))
    labels = tuple(data.draw(st.lists(WORDS, max_size=3, unique=True)))
    n_tokens, n_labels = len(tokens), len(labels)

    def numbers(*shape):
        size = int(numpy.prod(shape))
        drawn = data.draw(st.lists(PARTS, min_size=size, max_size=size))
        return numpy.array(drawn, dtype="float32").reshape(shape)

    bounds = [(i, i + 1, kind) for i, kind in enumerate(tokens)]
    explanation = Explanation(
        tokens=tuple(tokens),
        spaces=tuple(data.draw(st.lists(st.booleans(), min_size=n_tokens, max_size=n_tokens))),
        labels=labels,
        attention=numbers(n_tokens),
        logits=numbers(n_labels),
        scores=numbers(n_labels),
        bias=numbers(n_labels),
        attributions=numbers(n_tokens, n_labels) / numpy.float32(4 * max(1, n_tokens)),
        method=data.draw(st.sampled_from([*METHODS, "other"])),
        contrast=data.draw(st.sampled_from([None, labels[:2]] if n_labels > 1 else [None])),
        sentences=data.draw(st.sampled_from([None, (), tuple(bounds)])),
        entities=data.draw(st.sampled_from([None, (), tuple(bounds)])),
    )
    found = Explanation.from_dict(json.loads(json.dumps(explanation.to_dict())))
    assert found == explanation
    assert hash(found) == hash(explanation)
    assert found.attributions.dtype == numpy.float32


def test_explanations_with_another_value_are_others():
    data = EXPLANATION.to_dict()
    assert Explanation.from_dict(data) == EXPLANATION
    for name in ("contrast", "sentences", "entities"):
        less = {key: value for key, value in data.items() if key != name}
        assert Explanation.from_dict(less) != EXPLANATION
    assert Explanation.from_dict({**data, "attention": [0.0] * 6}) != EXPLANATION
    assert EXPLANATION != "not so bad"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": "other"}, "do not go together, at the text 'other'"),
        ({"tokens": ["a"]}, "No explanation can be made"),
        ({"attention": [0.1]}, "do not go together"),
        ({"scores": {"bad": 0.1}}, "KeyError: 'fair'"),
        ({"attributions": {label: [0.0] for label in LABELS}}, "ValueError: cannot reshape"),
        ({"sentences": [{"start": 0, "end": 9, "kind": ""}]}, "do not go together"),
        ({"contrast": {"label": "good", "other": "good"}}, "with itself"),
        ({"logits": [1.0]}, "TypeError"),
        ({"logits": ["bad", "fair", "good"], "scores": []}, "TypeError"),
        ({"attention": [float("nan")] * 6}, "do not go together"),
        ({"attention": [10**400] * 6}, "OverflowError"),
        ({"method": None}, "do not go together"),
        ({"sentences": [{"start": 0.5, "end": 2, "kind": ""}]}, "TypeError"),
    ],
)
def test_what_to_dict_does_not_return_makes_no_explanation(changes, message):
    with pytest.raises(ValueError, match=message):
        Explanation.from_dict({**EXPLANATION.to_dict(), **changes})


def test_something_else_makes_no_explanation():
    for data in ({}, [], "text", None):
        with pytest.raises(ValueError, match="No explanation can be made of what was given"):
            Explanation.from_dict(data)


def test_a_table_has_the_contrast_and_the_spans():
    table = EXPLANATION.to_dataframe()
    assert len(table) == len(TOKENS) * (len(LABELS) + 1)
    contrasted = table[table["other"].notna()]
    assert set(zip(contrasted["label"], contrasted["other"], strict=True)) == {PAIR}
    numpy.testing.assert_array_equal(contrasted["attribution"], EXPLANATION.of_label(PAIR))
    sentences = EXPLANATION.to_dataframe("sentence")
    assert [*sentences.columns[:5]] == ["start", "end", "text", "kind", "attention"]
    good = sentences[(sentences["label"] == "good") & sentences["other"].isna()]
    expected = [sentence.of_label("good") for sentence in EXPLANATION.of_sentences()]
    assert good["attribution"].tolist() == pytest.approx(expected)
    assert EXPLANATION.to_dataframe("entity")["kind"].unique().tolist() == ["MOOD"]
    with pytest.raises(ValueError, match="'by' must be one of token, sentence, entity"):
        EXPLANATION.to_dataframe("word")
    assert EXPLANATION.method == CONTRIBUTIONS
