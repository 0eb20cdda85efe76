"""What components that write keep on documents."""

import warnings

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Token
from spacy.tokens.underscore import Underscore

from spacy_attn.results.alignment import Alignment
from spacy_attn.results.extensions import install_generated, install_token_alignments
from spacy_attn.results.written_data import (
    document_alignment,
    store_generated,
    store_sources,
    store_token_alignments,
    token_alignment,
)

from ..conftest import copies_of

VOCAB = spacy.blank("xx").vocab
WORDS = ["Zwei", "junge", "Männer", "gehen", "."]
WRITTEN = ["Two", "young", "men", "walk", "."]
WEIGHTS = (0.8 * numpy.eye(5) + 0.04).astype(numpy.float32)
SOURCES = ["dictionary", "lower", "decoder", "candidates", None]
# 🙂 is one character, é here two: a letter and a combining mark.
LEMMAS = [None, "jung", "Mann", "", "e\u0301🙂"]


def make_alignment(form: str, lemma: str, seed: int = 0) -> Alignment:
    rng = numpy.random.default_rng(seed)
    weights = rng.dirichlet(numpy.ones(len(form)), size=len(lemma))
    return Alignment(tuple(form), tuple(lemma), weights, -1.5)


ALIGNMENTS = [
    None if lemma is None else make_alignment(form, lemma, seed)
    for seed, (form, lemma) in enumerate(zip(WORDS, LEMMAS, strict=True))
]


@pytest.fixture(autouse=True)
def installed():
    install_generated()
    install_token_alignments()


@pytest.fixture
def doc() -> Doc:
    doc = Doc(VOCAB, words=WORDS, spaces=[True, True, True, False, False])
    store_generated(doc, "Two young men walk.", WRITTEN, WEIGHTS, log_probability=-2.5)
    store_sources(doc, SOURCES)
    store_token_alignments(doc, ALIGNMENTS)
    return doc


def check_all(doc: Doc, how: str = "") -> None:
    assert doc._.generated == "Two young men walk.", how
    assert doc._.generated_tokens == WRITTEN, how
    numpy.testing.assert_array_equal(doc._.alignment, WEIGHTS, err_msg=how, strict=True)
    assert document_alignment(doc).log_probability == -2.5, how
    assert document_alignment(doc).of_tokens, how
    assert [token._.lemma_source for token in doc] == SOURCES, how
    for token, expected in zip(doc, ALIGNMENTS, strict=True):
        check_same(token_alignment(token), expected, how)
        assert (token._.lemma_alignment is None) == (expected is None), how


def check_same(found: Alignment | None, expected: Alignment | None, how: str = "") -> None:
    if found is None or expected is None:
        assert found is expected, how
        return
    assert (found.source, found.target) == (expected.source, expected.target), how
    assert found.log_probability == expected.log_probability, how
    numpy.testing.assert_array_equal(found.weights, expected.weights, err_msg=how, strict=True)


def test_documents_and_tokens_show_what_was_stored(doc):
    check_all(doc)
    assert document_alignment(doc).source == tuple(WORDS)
    assert document_alignment(doc).target == tuple(WRITTEN)


def test_what_no_component_has_seen_has_none():
    doc = Doc(VOCAB, words=["unseen"])
    assert doc._.generated is doc._.generated_tokens is doc._.alignment is None
    assert doc[0]._.lemma_source is doc[0]._.lemma_alignment is None
    assert document_alignment(doc) is token_alignment(doc[0]) is None


def test_it_survives_bytes_pickle_copy_and_docbin(doc):
    for how, copied in copies_of(doc):
        check_all(copied, how)


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
sources = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=8))


@given(st.lists(st.tuples(texts, st.booleans(), sources, st.none() | texts), max_size=6), st.data())
def test_anything_survives_being_stored_and_sent(tokens, data):
    words, spaces, origins, lemmas = map(list, zip(*tokens, strict=True)) if tokens else [[]] * 4
    doc = Doc(VOCAB, words=words, spaces=spaces)
    alignments = [
        None if lemma is None else make_alignment(word, lemma)
        for word, lemma in zip(words, lemmas, strict=True)
    ]
    n_output = data.draw(st.integers(0, 4)) if words else 0
    written = data.draw(st.lists(texts, min_size=n_output, max_size=n_output))
    weights = numpy.random.default_rng(n_output).dirichlet(numpy.ones(len(words) or 1), n_output)
    store_generated(doc, " ".join(written), written, weights[:, : len(words)])
    store_sources(doc, origins)
    store_token_alignments(doc, alignments)
    for how, copied in copies_of(doc):
        assert copied._.generated == " ".join(written), how
        assert copied._.generated_tokens == written, how
        assert copied._.alignment.shape == (len(written), len(words)), how
        numpy.testing.assert_array_equal(copied._.alignment, doc._.alignment, err_msg=how)
        assert [token._.lemma_source for token in copied] == origins, how
        for token, alignment in zip(copied, alignments, strict=True):
            check_same(token_alignment(token), alignment, how)


def test_a_merged_token_has_the_weights_of_its_parts_and_nothing_of_their_lemmas(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:3])
    for how, changed in (("merged", doc), *copies_of(doc)):
        expected = numpy.stack([*WEIGHTS.T[:1], WEIGHTS.T[1:3].sum(0), *WEIGHTS.T[3:]]).T
        numpy.testing.assert_allclose(changed._.alignment, expected, atol=1e-6, err_msg=how)
        assert changed._.generated_tokens == WRITTEN, how
        assert document_alignment(changed).source == ("Zwei", "junge Männer", "gehen", ".")
        assert document_alignment(changed).log_probability == -2.5
        found = [token._.lemma_source for token in changed]
        assert found == ["dictionary", None, "candidates", None], how
        check_same(token_alignment(changed[1]), None, how)
        check_same(token_alignment(changed[2]), ALIGNMENTS[3], how)
        check_same(token_alignment(changed[3]), ALIGNMENTS[4], how)


def test_a_split_token_shares_its_weights_and_has_nothing_of_its_lemma(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[3], ["ge", "hen"], heads=[doc[2], (doc[3], 0)])
    numpy.testing.assert_allclose(doc._.alignment.sum(axis=1), 1.0, atol=1e-6)
    numpy.testing.assert_allclose(doc._.alignment[3, 3:5], [0.84 * 2 / 5, 0.84 * 3 / 5], atol=1e-6)
    assert [token._.lemma_source for token in doc] == [*SOURCES[:3], None, None, None]
    check_same(token_alignment(doc[5]), ALIGNMENTS[4])


def test_a_merge_and_a_split_that_keep_the_number_of_tokens_are_noticed(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[3], ["ge", "hen"], heads=[doc[2], (doc[3], 0)])
    assert len(doc) == len(WORDS)
    assert [token._.lemma_source for token in doc] == [None, "decoder", None, None, None]
    check_same(token_alignment(doc[1]), ALIGNMENTS[2])
    check_same(token_alignment(doc[4]), ALIGNMENTS[4])


def test_nothing_written_stays_nothing_when_tokens_are_merged(doc):
    store_generated(doc, "", [], numpy.zeros((0, 5)))
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert doc._.generated == ""
    assert doc._.generated_tokens == []
    assert doc._.alignment.shape == (0, 4)


def test_a_part_cut_out_of_a_document_has_none_of_its_own(doc):
    part = doc[0:3].as_doc(copy_user_data=True)
    assert part._.generated is part._.generated_tokens is part._.alignment is None
    assert part[0]._.lemma_source is part[0]._.lemma_alignment is None
    check_all(doc)


def test_what_was_written_for_another_text_is_never_shown(doc):
    for words in (WORDS[:4], [*WORDS, "more"]):
        other = Doc(VOCAB, words=words, user_data=doc.user_data)
        assert other._.generated is other._.generated_tokens is other._.alignment is None
        assert document_alignment(other) is None
        assert other[0]._.lemma_source is other[0]._.lemma_alignment is None


def test_concatenating_documents_says_what_is_left_out(doc):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        both = Doc.from_docs([doc, doc.copy()])
    said = " ".join(str(warning.message) for warning in caught)
    for name in ("generated", "lemma_source", "lemma_alignment"):
        assert f"'{name}'" in said or name in said
    assert both._.generated is both[0]._.lemma_source is both[0]._.lemma_alignment is None


def test_arrays_are_read_only_and_those_given_may_change_afterwards():
    doc = Doc(VOCAB, words=WORDS)
    weights = WEIGHTS.copy()
    given = make_alignment("gehen", "gehen")
    store_generated(doc, "", WRITTEN, weights)
    store_token_alignments(doc, [given, None, None, None, None])
    expected = given.weights.copy()
    weights[:] = 7
    given.weights[:] = 7
    numpy.testing.assert_array_equal(doc._.alignment, WEIGHTS)
    numpy.testing.assert_array_equal(doc[0]._.lemma_alignment, expected)
    for array in (doc._.alignment, doc[0]._.lemma_alignment):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0
    doc._.generated_tokens.append("more")
    assert doc._.generated_tokens == WRITTEN


def test_assigning_the_attributes_is_refused(doc):
    for name in ("generated_tokens", "alignment"):
        with pytest.raises(AttributeError, match=rf"doc\._\.{name}' is read-only"):
            setattr(doc._, name, "x")
    install_generated("short")
    with pytest.raises(AttributeError, match=r"A text to learn from is set as doc\._\.short\."):
        doc._.short_alignment = WEIGHTS
    for name in ("lemma_source", "lemma_alignment"):
        with pytest.raises(AttributeError, match=rf"token\._\.{name}' is read-only"):
            setattr(doc[0]._, name, "x")


@pytest.mark.parametrize("name", ["generated", "short"])
def test_a_text_to_learn_can_be_set_and_taken_away(name):
    install_generated(name)
    doc = Doc(VOCAB, words=WORDS)
    doc._.set(name, "What is wanted")
    assert doc._.get(name) == "What is wanted"
    assert doc._.get(f"{name}_tokens") == []
    doc._.set(name, None)
    assert doc._.get(name) is None
    assert doc._.get(f"{name}_tokens") is None
    with pytest.raises(TypeError, match=rf"doc\._\.{name}' must be a text or None, but is 5"):
        doc._.set(name, 5)


def test_a_text_comes_back_from_json(doc):
    store_generated(doc, "", WRITTEN, WEIGHTS)
    doc._.generated = "Gone"
    found = Doc(VOCAB).from_json(doc.to_json(underscore=["generated"]))
    assert found._.generated == "Gone"
    empty = Doc(VOCAB, words=WORDS)
    assert Doc(VOCAB).from_json(empty.to_json(underscore=["generated"]))._.generated is None


@pytest.mark.parametrize("shape", [(5, 4), (4, 5), (5, 5, 1), (5,)])
def test_an_alignment_of_other_tokens_is_refused_and_stores_nothing(shape):
    doc = Doc(VOCAB, words=WORDS)
    with pytest.raises(ValueError, match="5 target symbols and a column for each of the 5 source"):
        store_generated(doc, "", WRITTEN, numpy.ones(shape))
    assert doc._.generated is None


@pytest.mark.parametrize("store", [store_sources, store_token_alignments])
def test_values_for_another_number_of_tokens_are_refused(doc, store):
    with pytest.raises(ValueError, match=r"each of the 5 tokens of a document, but is given 4"):
        store(doc, [None] * 4)
    check_all(doc)


def test_sources_take_a_byte_for_each_token():
    doc = Doc(VOCAB, words=["x"] * 10_000)
    before = len(doc.to_bytes())
    store_sources(doc, ["dictionary", "decoder"] * 5_000)
    (record,) = doc.user_data.values()
    assert record["values"].nbytes == 10_000
    # And eight for the place of each token, as all values of tokens take.
    assert len(doc.to_bytes()) - before < 91_000


def test_more_sources_than_a_byte_can_count_are_kept():
    names = [str(i) for i in range(1000)]
    doc = Doc(VOCAB, words=names)
    store_sources(doc, names)
    assert [token._.lemma_source for token in doc] == names


def test_other_names_are_kept_apart(doc):
    install_generated("french")
    install_token_alignments("norm")
    store_generated(doc, "deux", ["deux"], WEIGHTS[:1], "french")
    store_sources(doc, ["decoder"] * 5, "norm")
    store_token_alignments(doc, ALIGNMENTS[::-1], "norm")
    check_all(doc)
    assert doc._.french == "deux"
    assert doc._.french_tokens == ["deux"]
    assert doc._.french_alignment.shape == (1, 5)
    assert doc[4]._.norm_source == "decoder"
    check_same(token_alignment(doc[0], "norm"), ALIGNMENTS[4])


def test_what_another_component_stored_is_replaced_with_a_warning(doc):
    store_generated(doc, "", WRITTEN, WEIGHTS, author="one")
    store_sources(doc, SOURCES, author="one")
    store_token_alignments(doc, ALIGNMENTS, author="one")
    with pytest.warns(UserWarning, match=r"'two' replaces what 'one' stored as 'doc\._\.generated"):
        store_generated(doc, "", WRITTEN, WEIGHTS, author="two")
    with pytest.warns(UserWarning, match=r"'two' replaces .* 'token\._\.lemma_source'"):
        store_sources(doc, SOURCES, author="two")
    with pytest.warns(UserWarning, match=r"'two' replaces .* 'token\._\.lemma_alignment'"):
        store_token_alignments(doc, ALIGNMENTS, author="two")
    store_sources(doc, SOURCES, author="two")  # again by the same one: no warning


@pytest.mark.parametrize(
    ("install", "owner", "attr", "remedy"),
    [
        (install_generated, Doc, "mine", '"generated_attr": "my_mine"'),
        (install_generated, Doc, "mine_tokens", '"generated_attr": "my_mine"'),
        (install_generated, Doc, "mine_alignment", '"generated_attr": "my_mine"'),
        (install_token_alignments, Token, "mine_source", "Remove the other extension"),
        (install_token_alignments, Token, "mine_alignment", "Remove the other extension"),
    ],
)
def test_a_foreign_extension_of_the_same_name_is_a_clear_error(install, owner, attr, remedy):
    owner.set_extension(attr, default=1)
    try:
        with pytest.raises(ValueError, match=rf"{owner.__name__}\._\.{attr}' exists.*{remedy}"):
            install("mine")
        assert sum("mine" in name for o in (Doc, Token) for name in extensions_of(o)) == 1
    finally:
        owner.remove_extension(attr)


def extensions_of(owner) -> list[str]:
    return list(getattr(Underscore, f"{owner.__name__.lower()}_extensions"))
