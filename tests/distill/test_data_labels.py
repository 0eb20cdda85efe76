"""Labels of annotated data against those of teachers: what is refused, either way."""

import pytest
import spacy
from spacy.training import Example

from spacy_attn.distill.data_labels import DataLabels

NLP = spacy.blank("en")


def labels_of(*cats):
    """The labels of a corpus whose documents have some categories."""
    noted = DataLabels()

    def corpus(nlp):
        for each in cats:
            yield Example.from_dict(nlp.make_doc("a text"), {"cats": each})

    assert len(list(noted.noting(corpus)(NLP))) == len(cats)
    return noted


BOTH = labels_of({"good": 1.0}, {"bad": 1.0})


def test_the_same_labels_in_any_order_are_accepted():
    BOTH.check(["bad", "good"])


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["good"], "but only the data have 'bad'. --rename"),
        (["good", "bad", "neutral"], "but only the teacher has 'neutral'. --rename"),
        (["0", "1"], "only the data have 'bad', 'good' and only the teacher has '0', '1'."),
    ],
)
def test_labels_that_only_one_of_both_has_are_named(labels, said):
    with pytest.raises(ValueError, match=said):
        BOTH.check(labels)


def test_a_label_that_no_document_happens_to_have_may_be_named_as_0():
    labels_of({"good": 1.0, "bad": 0.0}).check(["good", "bad"])
    # A student does not need one that never applies.
    labels_of({"good": 1.0, "bad": 1.0, "other": 0.0}).check(["good", "bad"])


def test_data_without_any_label_say_nothing():
    labels_of({}, {}).check(["good", "bad"])
