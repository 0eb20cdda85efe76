"""Variants of texts: what may change in them, what may not, and that a seed makes them again."""

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy import registry
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example
from spacy.vectors import Vectors

from spacy_attn.data.augmenter import make_augment
from spacy_attn.data.reader import HFDataset_v1

NLP = spacy.blank("en")
TEXT = "The acting, frankly,  was good; I loved it!"
CATS = {"positive": 1.0, "negative": 0.0}


def example_of(text, nlp=NLP, **annotations):
    return Example.from_dict(nlp.make_doc(text), {"cats": CATS, **annotations})


def variants(example, nlp=NLP, **settings):
    """The variants of an example, which itself comes first."""
    first, *others = make_augment(**settings)(nlp, example)
    assert first is example
    return others


def words(doc):
    return [token.text for token in doc]


def test_a_variant_has_the_labels_of_its_document():
    for variant in variants(example_of(TEXT), copies=20):
        assert variant.reference.cats == CATS
        assert variant.predicted.cats == {}


def test_variants_differ_from_the_document_and_from_each_other():
    texts = [each.text for each in variants(example_of(TEXT), copies=50, mask=0.05, window=0)]
    assert len({TEXT, *texts}) == len(texts) + 1
    assert len(texts) > 5


def test_masks_leave_spaces_and_punctuation_as_they_were():
    example = example_of(TEXT)
    (variant,) = variants(example, mask=1.0, mask_text="MASK", window=0.0)
    assert variant.text == "MASK MASK, MASK,  MASK MASK; MASK MASK MASK!"


@pytest.mark.parametrize(("rate", "share"), [(0.1, 0.1), (0.5, 0.5)])
def test_words_are_masked_at_their_rate(rate, share):
    (variant,) = variants(example_of("word " * 2000), mask=rate, window=0.0)
    assert words(variant.reference).count("_") / 2000 == pytest.approx(share, abs=0.03)


@given(
    st.lists(st.sampled_from(["a", "B", ",", "  ", "c3", "!"]), max_size=8),
    st.integers(0, 5),
    st.booleans(),
)
def test_a_window_is_a_run_of_tokens_aligned_with_its_annotations(tokens, seed, as_tokenized):
    doc = Doc(NLP.vocab, words=tokens)
    doc.cats = CATS
    other = Doc(NLP.vocab, words=tokens) if as_tokenized else NLP.make_doc(doc.text)
    for variant in variants(
        Example(other, doc), mask=0.0, window=1.0, min_window=2, max_window=4, seed=seed, copies=3
    ):
        found = words(variant.reference)
        assert len(found) in range(min(2, len(tokens)), 5)
        assert any(tokens[i : i + len(found)] == found for i in range(len(tokens)))
        assert variant.predicted.text == variant.reference.text
        if as_tokenized:
            assert words(variant.predicted) == found


def test_a_window_holds_a_word_and_a_text_without_any_stays_as_it_is():
    text = "? ; , good . ! ( ) bad - ?"
    settings = {"window": 1.0, "max_window": 2, "copies": 300}
    found = {each.text for each in variants(example_of(text), mask=0.0, **settings)}
    assert found
    assert all("good" in each or "bad" in each for each in found)
    assert variants(example_of("? ; ,"), **settings) == []


def annotated():
    tags = ["DET", "NOUN", "VERB", "PROPN", "PROPN", "PUNCT"]
    doc = Doc(
        NLP.vocab,
        words=["The", "man", "saw", "New", "York", "."],
        spaces=[True, True, True, True, False, False],
        pos=tags,
        tags=tags,
        lemmas=["the", "man", "see", "New", "York", "."],
        heads=[1, 2, 2, 4, 2, 2],
        deps=["det", "nsubj", "ROOT", "compound", "dobj", "punct"],
        ents=["O", "O", "O", "B-GPE", "I-GPE", "O"],
    )
    doc.spans["a"] = [Span(doc, 0, 2, "x"), Span(doc, 3, 5, "y")]
    return doc


def test_annotations_stay_with_their_tokens_and_those_of_a_masked_word_are_left_out():
    doc = annotated()
    for variant in variants(Example(NLP.make_doc(doc.text), doc), mask=0.3, window=0, copies=9):
        for token, old in zip(variant.reference, doc, strict=True):
            masked = token.text == "_"
            assert token.lemma_ == ("" if masked else old.lemma_)
            assert token.pos_ == ("" if masked else old.pos_)
            assert (token.dep_, token.head.i) == (old.dep_, old.head.i)
        assert [(ent.start, ent.end) for ent in variant.reference.ents] == [(3, 5)]
        assert [(span.start, span.label_) for span in variant.reference.spans["a"]] == [
            (0, "x"),
            (3, "y"),
        ]


def test_windows_keep_the_annotations_of_their_tokens():
    doc = annotated()
    seen, spans = set(), set()
    settings = {"mask": 0.0, "window": 1.0, "min_window": 2, "max_window": 3, "copies": 30}
    for variant in variants(Example(NLP.make_doc(doc.text), doc), **settings):
        reference = variant.reference
        lemmas = {token.text: token.lemma_ for token in doc}
        assert all(token.lemma_ == lemmas[token.text] for token in reference)
        seen.update(ent.text for ent in reference.ents)
        spans.update((span.label_, span.text) for span in reference.spans["a"])
    assert seen == {"New York"}
    assert spans == {("x", "The man"), ("y", "New York")}


def test_a_token_of_a_window_whose_head_is_outside_has_no_head():
    doc = annotated()
    settings = {"mask": 0.0, "window": 1.0, "min_window": 2, "max_window": 3, "copies": 30}
    n_outside = 0
    for variant in variants(Example(NLP.make_doc(doc.text), doc), **settings):
        words = {token.text for token in variant.reference}
        for token in variant.reference:
            (old,) = (each for each in doc if each.text == token.text)
            is_inside = old.head.text in words
            n_outside += not is_inside
            assert token.dep_ == (old.dep_ if is_inside else "")
            assert token.head.text == (old.head.text if is_inside else token.text)
    assert n_outside


def test_a_mask_that_the_pipeline_would_split_is_refused():
    with pytest.raises(ValueError, match=r"one token, but \"don't\" is .'do', \"n't\". in this"):
        list(make_augment(mask_text="don't")(NLP, example_of(TEXT)))


def test_the_same_seed_makes_the_same_variants_and_another_pass_others():
    examples = [example_of(TEXT), example_of("one two three four five six seven")]

    def passes(seed):
        augment = make_augment(copies=3, mask=0.3, seed=seed)
        return [[each.text for e in examples for each in augment(NLP, e)] for _ in range(2)]

    assert passes(0) == passes(0) != passes(1)
    first, second = passes(0)
    assert first != second


def test_a_word_is_replaced_by_one_of_the_same_part_of_speech_that_was_read_before():
    augment = make_augment(mask=0.0, replace=1.0, window=0.0, copies=20)
    others = Doc(NLP.vocab, words=["dogs", "Run"], pos=["NOUN", "VERB"])
    list(augment(NLP, Example(NLP.make_doc(others.text), others)))
    doc = Doc(NLP.vocab, words=["Cats", "sleep", "!"], pos=["NOUN", "VERB", "PUNCT"])
    found = {each.text for each in augment(NLP, Example(NLP.make_doc(doc.text), doc))}
    assert found == {"Cats sleep ! ", "Dogs sleep ! ", "Cats run ! ", "Dogs run ! "}


def test_a_tagger_of_its_own_tells_the_parts_of_speech(tmp_path):
    tagger = spacy.blank("en")
    ruler = tagger.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": {"IN": ["cats", "dogs"]}}]], {"POS": "NOUN"})
    tagger.to_disk(tmp_path)
    augment = make_augment(mask=0, replace=1, window=0, copies=9, tagger=str(tmp_path))
    list(augment(NLP, example_of("dogs")))
    assert [each.text for each in augment(NLP, example_of("cats purr"))] == [
        "cats purr",
        "dogs purr",
    ]
    with pytest.raises(ValueError, match=r"sets no parts of speech \(token.pos_\) in 'birds'"):
        list(augment(NLP, example_of("birds")))
    merger = spacy.blank("en")
    merger.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "New York"}])
    merger.add_pipe("merge_entities")
    merger.to_disk(tmp_path / "merger")
    merging = make_augment(replace=1, mask=0, tagger=str(tmp_path / "merger"))
    with pytest.raises(ValueError, match=r"makes other tokens of 'New York'.*splits none"):
        list(merging(NLP, example_of("New York")))
    with pytest.raises(ValueError, match="the tagger 'none' cannot be loaded"):
        list(make_augment(replace=1, mask=0, tagger="none")(NLP, example_of(TEXT)))


@pytest.fixture
def with_vectors():
    nlp = spacy.blank("en")
    keys = [nlp.vocab.strings.add(word) for word in ("good", "great", "bad", "!")]
    data = numpy.array([[1, 0.1], [1, 0.2], [-1, 0], [1, 0.15]], dtype="float16")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=keys, attr="LOWER")
    return nlp


def test_without_parts_of_speech_words_are_replaced_by_those_of_near_vectors(
    with_vectors, monkeypatch
):
    monkeypatch.setattr("spacy_attn.data.similar_words._NEAREST", 1)
    example = example_of("GOOD Great bad unknown!", with_vectors)
    (variant,) = variants(example, with_vectors, mask=0, replace=1, window=0, copies=9)
    assert variant.text == "GREAT Good great unknown!"


def test_replacing_words_without_parts_of_speech_and_vectors_says_what_to_set():
    with pytest.raises(ValueError, match=r"neither parts of speech nor vectors. Set 'tagger' to"):
        variants(example_of(TEXT), replace=0.1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"copies": -1}, "'copies' must be 0 or more, but is -1"),
        ({"mask": 0.6, "replace": 0.5}, "'mask' and 'replace' must sum to 1 at most, not 1.1"),
        ({"window": 1.5}, "'window' must be a rate, from 0 to 1, but is 1.5"),
        ({"mask": float("nan")}, "'mask' must be 0 or more, but is nan"),
        ({"min_window": 6}, "'min_window' must be 'max_window' at most, 5, but is 6"),
        ({"min_window": 0}, "'min_window' must be 1 or more, but is 0"),
        ({"mask_text": "a b"}, "'mask_text' must be one token, but is 'a b'"),
    ],
)
def test_settings_out_of_their_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        make_augment(**settings)


def test_documents_without_words_have_no_variants():
    for text in ("", " ", "?!"):
        assert variants(example_of(text), copies=3) == []


CONFIG = {"@augmenters": "spacy-attn.augment.v1", "copies": 2, "mask": 0.5, "max_window": 3}


@pytest.mark.parametrize("reader", ["spacy.Corpus.v1", "spacy-attn.HFDataset.v1"])
@pytest.mark.parametrize("kind", ["documents", "rows"])
def test_corpus_readers_take_it_from_a_config(reader, kind, tmp_path, write):
    if kind == "documents":
        doc = NLP.make_doc(TEXT)
        doc.cats = CATS
        path = tmp_path / "train.spacy"
        DocBin(docs=[doc], store_user_data=True).to_disk(path)
    elif reader == "spacy.Corpus.v1":
        pytest.skip("It reads documents alone.")
    else:
        path = write([{"text": TEXT, "label": "positive"}], "train.jsonl")
    block = {"@readers": reader, "path": str(path), "augmenter": CONFIG}
    if reader == "spacy.Corpus.v1":
        block |= {"gold_preproc": False, "max_length": 0, "limit": 0}
    corpus = registry.resolve({"corpus": block})["corpus"]
    assert isinstance(corpus, Corpus | HFDataset_v1)
    first, *others = corpus(spacy.blank("en"))
    assert first.text == TEXT
    assert len(others) == 2
    assert all(each.reference.cats == first.reference.cats for each in others)
