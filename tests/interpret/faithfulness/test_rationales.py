"""The comparison of explanations with the tokens that people have marked."""

from itertools import pairwise

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from spacy.tokens import Doc

from spacy_attn.interpret.faithfulness.batch import Batch
from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness
from spacy_attn.interpret.faithfulness.rationales import (
    Rationales,
    agreed,
    first_tokens,
    marked_tokens,
    match_spans,
    spans_of,
    token_f1,
)
from spacy_attn.interpret.subject import Classifier

from ...conftest import make_examples

FLAGS = st.lists(st.booleans(), min_size=1, max_size=12)


def flags(text: str):
    return numpy.array([character == "x" for character in text])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_token_f1_is_that_of_scikit_learn(pairs):
    marked, chosen = (numpy.array(column) for column in zip(*pairs, strict=True))
    if marked.any() or chosen.any():
        expected = f1_score(marked, chosen, zero_division=0)
        assert token_f1(marked, chosen) == pytest.approx(expected)


@given(FLAGS)
def test_spans_are_the_longest_runs_of_marked_tokens(row):
    spans = spans_of(numpy.array(row))
    assert [i for span in spans for i in span] == [i for i, flag in enumerate(row) if flag]
    for one, other in pairwise(spans):
        assert one.stop < other.start


@pytest.mark.parametrize(
    ("marked", "chosen", "expected"),
    [
        ("xx..", "xx..", (1, 1)),
        ("xx..", "x...", (1, 1)),  # half of the union is enough
        ("xxx.", "x...", (0, 0)),
        ("xx.x", "xx..", (1, 1 / 2)),
        ("xx..", "xx.x", (1 / 2, 1)),
        ("xx..", "..xx", (0, 0)),
        ("xx..", "....", (0, 0)),
        ("xx..xx", "xx..xx", (1, 1)),
    ],
)
def test_spans_match_where_half_of_their_union_is_shared(marked, chosen, expected):
    assert match_spans(flags(marked), flags(chosen)) == expected


def test_a_worked_example_has_the_values_of_the_definitions():
    marked = [flags("xx..."), flags("..x..")]
    values = [numpy.array([3.0, 2, 1, 0, 0]), numpy.array([5.0, 0, 4, 0, 0])]
    found = agreed(marked, values, share=0.3)  # 1.5 of 5 tokens, rounded up
    # The first finds both tokens, the second one of its two.
    assert found.token_f1.mean == pytest.approx((1 + 2 / 3) / 2)
    assert found.token_iou.mean == pytest.approx((1 + 1 / 2) / 2)
    # Precision (1 + 1/2) / 2, recall 1.
    assert found.iou_f1 == pytest.approx(2 * 0.75 / 1.75)
    assert found.average_precision.mean == pytest.approx((1 + 1 / 2) / 2)


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_share_is_rounded_up_and_not_by_the_inexactness_of_floats(count, n_tokens):
    if count <= n_tokens:
        assert first_tokens(numpy.arange(n_tokens), count / n_tokens).sum() == count


def test_tokens_are_marked_by_characters_whatever_the_tokens_of_the_annotation():
    nlp = spacy.blank("xx")
    doc = nlp("a not-so-bad film")
    reference = Doc(doc.vocab, words=["a", "not", "-so-", "bad", "film"], spaces=[1, 0, 0, 1, 0])
    assert doc.text == reference.text
    reference.spans["why"] = [reference[3:4]]
    expected = [token.idx <= 9 < token.idx + len(token) for token in doc]
    assert marked_tokens(doc, reference, "why").tolist() == expected
    assert not marked_tokens(doc, reference, "other").any()


def test_only_documents_with_a_rationale_count(words_nlp):
    examples = make_examples(words_nlp)
    for example in examples[:2]:
        example.reference.spans["why"] = [example.reference[1:2]]
    rationales = Rationales("why", ["contributions"], seed=0)
    rationales.add(Batch.make(Classifier(words_nlp), examples, ["contributions"]))
    result = rationales.result()
    assert result.n_docs == 2
    expected = numpy.mean([1 / len(example.reference) for example in examples[:2]])
    assert result.share == pytest.approx(expected)
    assert list(result.rankings) == ["attention", "contributions", "chance"]


def test_the_report_has_rationales_where_there_are_some_and_asks_for_others(words_nlp):
    examples = make_examples(words_nlp)
    assert evaluate_faithfulness(words_nlp, examples, methods=[]).rationales is None
    examples[0].reference.spans["rationale"] = [examples[0].reference[0:1]]
    report = evaluate_faithfulness(words_nlp, examples, methods=[])
    assert report.to_dict()["rationales"]["n_docs"] == 1
    message = r"doc.spans\['why'\]; the span groups are \['rationale'\]"
    with pytest.raises(ValueError, match=message):
        evaluate_faithfulness(words_nlp, examples, methods=[], rationales="why")
