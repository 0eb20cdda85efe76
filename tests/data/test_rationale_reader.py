"""The reader of rationales."""

import pytest
import spacy
import srsly

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.rationale_reader import HFRationales


def read(path, rationale, text="so bad, so very bad"):
    srsly.write_jsonl(path / "a.jsonl", [{"text": text, "label": "a", "why": rationale}] * 2)
    examples = list(HFRationales(str(path / "a.jsonl"), rationale_column="why")(spacy.blank("en")))
    assert [example.reference.cats for example in examples] == [{"a": 1.0}] * 2
    return [(span.start_char, span.end_char) for span in examples[1].reference.spans["why"]]


@pytest.mark.parametrize(
    ("rationale", "spans"),
    [
        (["so bad"], [(0, 6)]),
        (["bad", "bad"], [(3, 6), (16, 19)]),
        ("very bad", [(11, 19)]),
        ([[3, 6], [8, 10]], [(3, 6), (8, 10)]),
        (["ery"], [(11, 15)]),  # all of a token
        (None, []),
        ([], []),
    ],
)
def test_phrases_and_pairs_of_characters_become_spans(tmp_path, rationale, spans):
    assert read(tmp_path, rationale) == spans


@pytest.mark.parametrize(
    ("rationale", "message"),
    [
        (["good"], "row 0 .* column 'why' has the phrase 'good', which its text does not have"),
        (["bad", "bad", "bad"], "the phrase 'bad', which its text does not have so often"),
        ([[3, 99]], r"the span \[3, 99\], but its text has 19 characters"),
        ([[3, 3]], r"the span \[3, 3\]"),
        ([[3]], r"holds \[3\], where a list is wanted"),
        (7, "holds 7, where a list is wanted"),
    ],
)
def test_a_rationale_that_is_not_of_the_text_is_refused_with_its_row(tmp_path, rationale, message):
    with pytest.raises(DatasetError, match=message):
        read(tmp_path, rationale)


def test_a_column_that_is_missing_is_named(tmp_path):
    srsly.write_jsonl(tmp_path / "a.jsonl", [{"text": "a", "label": "a"}])
    with pytest.raises(DatasetError, match="'why'"):
        list(HFRationales(str(tmp_path / "a.jsonl"), rationale_column="why")(spacy.blank("en")))
