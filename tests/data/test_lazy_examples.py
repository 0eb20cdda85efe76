"""Lazy examples: the same documents and labels as those that are kept, made when asked for."""

import random

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.loop import create_train_batches

from spacy_attn.data import HFDataset
from spacy_attn.data.lazy_examples import LazyExample, Shared

NLP = spacy.blank("en")
CATS = {"a": 0.1, "b": 0.9}
# Special cases of the tokenizer, whose parts have norms of their own, and what is not a word.
PARTS = ["don't", "It's", "cannot", "gonna", "U.S.", ":)", "word", "Word", " ", "\n", "", "é", "'"]


def eager(text: str) -> Example:
    predicted = NLP.make_doc(text)
    reference = predicted.copy()
    reference.cats = dict(CATS)
    return Example(predicted, reference)


def lazy(text: str) -> LazyExample:
    return LazyExample(NLP.make_doc(text), CATS, Shared())


def tokens(doc: Doc):
    return [(token.text, token.norm_, token.whitespace_, token.idx) for token in doc]


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=5)).map(" ".join))
def test_documents_and_labels_are_those_of_an_example_that_keeps_them(text):
    expected, found = eager(text), lazy(text)
    assert len(found) == len(expected)
    for name in ("predicted", "reference", "x", "y"):
        doc, made = getattr(expected, name), getattr(found, name)
        assert tokens(made) == tokens(doc)
        assert made.text == text
        assert made.cats == doc.cats
        assert made.has_unknown_spaces == doc.has_unknown_spaces


@pytest.mark.parametrize(
    "use",
    [
        lambda example: example.text,
        lambda example: example.to_dict(),
        lambda example: example.get_aligned("ORTH", as_string=True),
        lambda example: example.get_aligned_parse(),
        lambda example: example.get_aligned_sent_starts(),
        lambda example: example.get_aligned_ner(),
        lambda example: example.get_aligned_spans_x2y([example.x[1:3]]),
        lambda example: example.alignment.x2y.lengths.tolist(),
        lambda example: example.copy().to_dict(),
        lambda example: [each.to_dict() for each in example.split_sents()],
        repr,
        str,
    ],
)
def test_all_that_an_example_does_is_done(use):
    assert str(use(lazy("It don't rain today"))) == str(use(eager("It don't rain today")))


def test_what_is_written_to_a_document_does_not_reach_the_next_one():
    example = lazy("It don't rain")
    example.reference.cats["a"] = 0.5
    example.predicted[0].norm_ = "other"
    assert example.reference.cats == CATS
    assert example.predicted[0].norm_ == "it"
    with pytest.raises(AttributeError):
        example.predicted = NLP.make_doc("another text")


def corpus(write, **options):
    rows = [{"text": f"It's number {i}", "a": i / 40, "b": 1 - i / 40} for i in range(40)]
    columns = ["a", "b"]
    return HFDataset(write(rows), label_column=columns, exclusive=True, **options)


def test_a_reader_makes_them_for_training_that_keeps_them_and_for_spacys_tokenizer(write):
    assert {type(example) for example in corpus(write, lazy=True)(NLP)} == {LazyExample}
    assert {type(example) for example in corpus(write)(NLP)} == {Example}
    assert {type(example) for example in corpus(write, lazy=True, streaming=True)(NLP)} == {Example}
    other = spacy.blank("en")
    other.tokenizer = lambda text: Doc(other.vocab, words=text.split(), user_data={"own": 1})
    example = next(corpus(write, lazy=True)(other))
    assert example.predicted.user_data["own"] == 1


def batch_by_8(examples):
    return spacy.util.minibatch(examples, 8)


def test_training_learns_the_same_to_the_last_digit(write):
    def losses(lazy):
        nlp = spacy.blank("en")
        model = {"tok2vec": {"@architectures": "spacy-attn.SubwordEmbedding.v1", "ngram_rows": 50}}
        nlp.add_pipe("attn_textcat", config={"model": {"hidden_width": 4, **model}})
        read = corpus(write, lazy=lazy)
        spacy.util.fix_random_seed(0)
        sgd = nlp.initialize(lambda: read(nlp))
        batches = create_train_batches(nlp, read, batch_by_8, 2)
        random.seed(0)
        return [nlp.update(batch, sgd=sgd, drop=0.1)["attn_textcat"] for _, batch in batches]

    assert losses(lazy=True) == losses(lazy=False)
