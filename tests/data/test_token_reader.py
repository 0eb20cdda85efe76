"""The reader of tokens: gold tokens, their lemmas and parts of speech, and what it refuses."""

import json
import warnings

import pytest
import spacy
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Token
from spacy.training import Corpus
from spacy.util import registry
from spacy.vocab import Vocab
from thinc.api import Config

from spacy_attn.data import DatasetError, HFTokens
from spacy_attn.data.token_reader import find_spaces

ROW = {
    "tokens": ["Don't", "feed", "mice", "."],
    "lemmas": ["do not", "feed", "mouse", "."],
    "upos": ["AUX", "VERB", "NOUN", "PUNCT"],
}
STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture
def tokens(nlp):
    """Go through a reader once, and return the tokens, lemmas and parts of speech."""

    def read_all(path, **settings):
        references = [example.reference for example in HFTokens(path, **settings)(nlp)]
        return [[(token.text, token.lemma_, token.pos_) for token in doc] for doc in references]

    return read_all


def triples(row):
    return list(zip(row["tokens"], row["lemmas"], row["upos"], strict=True))


@STREAMING
def test_tokens_are_kept_and_the_annotation_is_on_the_reference_alone(write, nlp, streaming):
    [example] = HFTokens(write([ROW]), streaming=streaming)(nlp)
    read = [(token.text, token.lemma_, token.pos_) for token in example.reference]
    assert read == triples(ROW)
    assert [token.text for token in example.predicted] == ROW["tokens"]
    assert not example.predicted.has_annotation("LEMMA")
    assert not example.predicted.has_annotation("POS")
    assert example.text == "Don't feed mice . "


@STREAMING
def test_parts_of_speech_are_on_the_predicted_document_where_that_is_asked_for(
    write, nlp, streaming, tmp_path
):
    [example] = HFTokens(write([ROW]), streaming=streaming, give_pos=True)(nlp)
    assert [token.pos_ for token in example.predicted] == ROW["upos"]
    assert not example.predicted.has_annotation("LEMMA")
    DocBin(docs=[example.reference]).to_disk(tmp_path / "rows.spacy")
    path = str(tmp_path / "rows.spacy")
    for give_pos in (False, True):
        [stored] = HFTokens(path, give_pos=give_pos)(nlp)
        assert stored.predicted.has_annotation("POS") == give_pos
        assert [token.pos_ for token in stored.reference] == ROW["upos"]


def test_a_config_names_the_reader_and_columns(write, nlp):
    path = write([{"words": ["mice"], "base": ["mouse"], "tag": ["NOUN"]}])
    config = Config().from_str(
        f'[train]\n@readers = "spacy-attn.HFTokens.v1"\npath = "{path}"\n'
        'tokens_column = "words"\nlemmas_column = "base"\npos_column = null\n'
    )
    [example] = registry.resolve(config)["train"](nlp)
    assert [(t.text, t.lemma_, t.pos_) for t in example.reference] == [("mice", "mouse", "")]


@STREAMING
def test_columns_that_are_null_are_not_read(write, tokens, streaming):
    path = write([{"tokens": ["a", "b"]}])
    read = tokens(path, streaming=streaming, lemmas_column=None, pos_column=None)
    assert read == [[("a", "", ""), ("b", "", "")]]


def test_null_and_empty_values_are_missing_and_an_underscore_is_a_lemma(write, tokens):
    row = {
        "tokens": ["a", "b", "c", "d"],
        "lemmas": [None, "", "_", "e"],
        "upos": ["X", "X", "X", None],
    }
    assert tokens(write([row])) == [
        [("a", "", "X"), ("b", "", "X"), ("c", "_", "X"), ("d", "e", "")]
    ]


def test_a_contraction_that_its_words_follow_has_neither_lemma_nor_part_of_speech(write, tokens):
    row = {
        "tokens": ["du", "de", "le"],
        "lemmas": ["_", "de", "le"],
        "upos": ["_", "ADP", "DET"],
    }
    assert tokens(write([row])) == [[("du", "", ""), ("de", "de", "ADP"), ("le", "le", "DET")]]


def test_underscores_that_no_part_of_speech_tells_apart_are_lemmas_and_counted(write, nlp):
    row = {"tokens": ["du", "de", "_"], "lemmas": ["_", "de", "_"]}
    with pytest.warns(UserWarning, match="1 tokens have the lemma '_', which may stand for none"):
        [example] = HFTokens(write([row]), pos_column=None)(nlp)
    assert [token.lemma_ for token in example.reference] == ["_", "de", "_"]


@STREAMING
def test_ids_of_classes_are_read_by_the_names_of_the_data_set(tmp_path, tokens, streaming):
    names = ["NOUN", "_", "VERB"]
    features = Features(
        {
            "tokens": List(Value("string")),
            "lemmas": List(Value("string")),
            "upos": List(ClassLabel(names=names)),
        }
    )
    rows = {
        "tokens": [["a", "b", "c", "d"]],
        "lemmas": [["a", "b", "c", "d"]],
        "upos": [[2, 0, 1, -1]],
    }
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "rows.parquet")
    [read] = tokens("rows.parquet", streaming=streaming)
    assert [pos for _, _, pos in read] == ["VERB", "NOUN", "", ""]


@STREAMING
@pytest.mark.parametrize("name", ["words.csv", "words.jsonl"])
def test_a_row_may_be_a_single_word(tmp_path, tokens, name, streaming):
    rows = [("mice", "mouse", "NOUN"), ("US", "", "_"), ("a.m.", "in the morning", "ADV")]
    columns = ["form", "lemma", "pos"]
    lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
    if name.endswith(".csv"):
        lines = [",".join(row) for row in [columns, *rows]]
    (tmp_path / name).write_text("\n".join(lines))
    settings = {"tokens_column": "form", "lemmas_column": "lemma", "pos_column": "pos"}
    read = tokens(name, streaming=streaming, **settings)
    assert read == [
        [("mice", "mouse", "NOUN")],
        [("US", "", "")],
        [("a.m.", "in the morning", "ADV")],
    ]


def test_a_single_word_may_have_no_lemma_but_must_be_there(write, tokens):
    row = {"tokens": "mice", "lemmas": None, "upos": None}
    assert tokens(write([row])) == [[("mice", "", "")]]
    with pytest.raises(DatasetError, match=r"row 1 .*'tokens' is null where a list"):
        tokens(write([row, {**row, "tokens": None}]))
    with pytest.raises(DatasetError, match=r"row 1 .*'tokens' holds an empty string"):
        tokens(write([row, {**row, "tokens": ""}]))


def test_targets_are_set_as_norms_on_the_reference_alone(write, nlp):
    path = write([{"tokens": ["u", "b4", "me"], "norms": ["you", "before", "me"]}])
    settings = {"lemmas_column": None, "pos_column": None, "targets_column": "norms"}
    [example] = HFTokens(path, **settings)(nlp)
    assert [token.norm_ for token in example.reference] == ["you", "before", "me"]
    assert [token.norm_ for token in example.predicted] == [t.norm_ for t in nlp("u b4 me")]


@pytest.mark.parametrize("norm", [None, ""])
def test_a_norm_that_is_missing_is_refused_or_skipped_and_not_learned_in_lower_case(
    write, nlp, norm
):
    path = write([{"word": "u", "norm": "you"}, {"word": "Berlin", "norm": norm}])
    settings = {"lemmas_column": None, "pos_column": None}
    settings |= {"tokens_column": "word", "targets_column": "norm"}
    expected = f"row 1 .* holds {norm!r} for the token 'Berlin', .* as \"_.name\"; .*skip_missing"
    with pytest.raises(DatasetError, match=expected):
        list(HFTokens(path, **settings)(nlp))
    with pytest.warns(UserWarning, match="skipped 1 rows for want of a value in column 'norm'"):
        examples = list(HFTokens(path, skip_missing=True, **settings)(nlp))
    assert [token.norm_ for example in examples for token in example.reference] == ["you"]


@pytest.fixture
def phones():
    yield {"lemmas_column": None, "pos_column": None, "target": "_.phones_of_test"}
    if Token.has_extension("phones_of_test"):
        Token.remove_extension("phones_of_test")


def test_targets_are_set_as_an_extension_and_may_be_symbols(write, nlp, phones):
    rows = [
        {"tokens": ["cat", "emu"], "sounds": [["K", "AE", "T"], None]},
        {"tokens": ["dog"], "sounds": [["D", "AO", "G"]]},
    ]
    examples = list(HFTokens(write(rows), targets_column="sounds", **phones)(nlp))
    found = [[t._.phones_of_test for t in example.reference] for example in examples]
    assert found == [[["K", "AE", "T"], None], [["D", "AO", "G"]]]
    assert [t._.phones_of_test for t in examples[0].predicted] == [None, None]
    word = [{"tokens": "cat", "sounds": ["K", "AE", "T"]}]
    [example] = HFTokens(write(word), targets_column="sounds", **phones)(nlp)
    assert example.reference[0]._.phones_of_test == ["K", "AE", "T"]


@pytest.mark.parametrize(
    ("settings", "targets", "expected"),
    [
        ({}, [5, 6], r"'targets' holds 5 for the token 'a', where a target is a string, a list of"),
        (
            {},
            [["x"], ["y"]],
            r"holds the list \['x'\] for the token 'a', and NORM is a string; set",
        ),
        ({}, ["x"], r"'targets' has 1 values for the 2 tokens"),
        ({"target": "LEMMA"}, ["x", "y"], r"'target' must be one of NORM, or .* is 'LEMMA'"),
        ({"targets_column": "tokens"}, ["x", "y"], "name the same column"),
    ],
)
def test_targets_that_cannot_be_set_are_refused(write, tokens, settings, targets, expected):
    path = write([{"tokens": ["a", "b"], "targets": targets}])
    given = {"lemmas_column": None, "pos_column": None, "targets_column": "targets"}
    with pytest.raises(DatasetError, match=expected):
        tokens(path, **given | settings)


def test_tokens_may_hold_anything_but_nothing(write, tokens):
    words = [" ", "\n", "14 000", "🎉", "e\u0301", "x" * 10_000, "naïve"]
    row = {"tokens": words, "lemmas": words, "upos": ["X"] * len(words)}
    assert tokens(write([row])) == [triples(row)]


def test_the_text_shows_where_spaces_are(write, nlp):
    path = write([{**ROW, "text": "Don't  feed mice."}])
    [example] = HFTokens(path, text_column="text")(nlp)
    assert example.text == example.reference.text == "Don't feed mice."
    assert [token.text for token in example.predicted] == ROW["tokens"]


def test_rows_whose_text_is_not_made_of_the_tokens_get_spaces_and_are_counted(write, nlp):
    rows = [
        {**ROW, "text": "Don't feed mice."},
        {**ROW, "text": "Do not feed mice."},
        {**ROW, "text": None},
    ]
    with pytest.warns(UserWarning, match="2 rows have no text that consists of their tokens"):
        texts = [example.text for example in HFTokens(write(rows), text_column="text")(nlp)]
    assert texts == ["Don't feed mice.", "Don't feed mice . ", "Don't feed mice . "]


WORDS = st.text(min_size=1).filter(lambda word: not any(map(str.isspace, word)))


@given(st.lists(st.tuples(WORDS, st.booleans())), st.data())
def test_spaces_of_any_text_are_found(pairs, data):
    words, spaces = map(list, zip(*pairs, strict=True)) if pairs else ([], [])
    doc = Doc(Vocab(), words=words, spaces=spaces)
    assert find_spaces(words, doc.text) == spaces
    blank = st.text(" \n\t\u00a0", min_size=1)
    other = [token.text + (data.draw(blank) if token.whitespace_ else "") for token in doc]
    found = find_spaces(words, data.draw(st.just("") | blank) + "".join(other))
    assert found is not None
    assert found[:-1] == spaces[:-1]
    assert find_spaces(words, doc.text + "x") is None


def test_white_space_may_be_a_token_of_a_text():
    words = ["a", " ", "\n", "b"]
    assert find_spaces(words, "a  \nb") == [True, False, False, False]


@STREAMING
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"lemmas": ["do"]}, "column 'lemmas' has 1 values for the 4 tokens of column 'tokens'"),
        ({"upos": ["X"] * 5}, "column 'upos' has 5 values for the 4 tokens of column 'tokens'"),
        ({"tokens": ["a", None, "b", "c"]}, "column 'tokens' holds None where token 1 "),
        ({"tokens": ["a", "b", "", "c"]}, "column 'tokens' holds an empty string where token 2 "),
        ({"upos": ["X", "X", "NN", "X"]}, "column 'upos' holds 'NN' for the token 'mice', which"),
        ({"upos": ["X", "X", "noun", "X"]}, "holds 'noun' .* none of the parts of speech ADJ, ADP"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_number(
    write, tokens, changed, expected, streaming
):
    path = write([ROW, {**ROW, **changed}])
    with pytest.raises(DatasetError, match=rf"row 1 \(counted from 0\): .*{expected}"):
        tokens(path, streaming=streaming, skip_missing=True)


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("tokens", "a b", r"'tokens' holds the text 'a b' where a list of tokens or a single wor"),
        ("tokens", 5, r"'tokens' holds 5 of type int where a list is wanted"),
        ("lemmas", "a b", r"'lemmas' holds 'a b' of type str where a list is wanted"),
        ("tokens", [1, 2], r"'tokens' holds 1 where token 0"),
        ("lemmas", [1, 2], r"'lemmas' holds 1 of type int for the token 'a', where a lemma is"),
        ("upos", [1, 2], r"'upos' holds 1 for the token 'a', which is none of the parts of speech"),
        ("text", 5, r"'text' holds 5 of type int where a text is wanted"),
    ],
)
def test_columns_of_another_type_are_refused(write, tokens, column, values, expected):
    row = {"tokens": ["a", "b"], "lemmas": ["a", "b"], "upos": ["X", "X"], "text": "a b"}
    with pytest.raises(DatasetError, match=expected):
        tokens(write([{**row, column: values}]), text_column="text")


@STREAMING
@pytest.mark.parametrize("column", ["tokens", "lemmas", "upos"])
def test_a_list_that_is_null_is_refused_or_skipped_and_counted(write, tokens, column, streaming):
    path = write([ROW, {**ROW, column: None}])
    with pytest.raises(DatasetError, match=f"row 1 .*'{column}' is null .*skip_missing = true"):
        tokens(path, streaming=streaming)
    with pytest.warns(UserWarning, match=f"skipped 1 rows for want of .* column '{column}'"):
        assert tokens(path, streaming=streaming, skip_missing=True) == [triples(ROW)]


def test_a_row_without_tokens_is_an_empty_document_or_skipped(write, tokens):
    path = write([ROW, {"tokens": [], "lemmas": [], "upos": []}])
    assert tokens(path) == [triples(ROW), []]
    with pytest.warns(UserWarning, match="skipped 1 rows for want of a value in column 'tokens'"):
        assert tokens(path, skip_missing=True) == [triples(ROW)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"tokens_column": ""}, "'tokens_column' must name a column"),
        ({"lemmas_column": "tokens"}, "name the same column"),
        ({"lemmas_column": "base"}, r"there is no column 'base'; .* 'tokens', 'lemmas', 'upos'"),
    ],
)
def test_columns_that_cannot_be_are_refused(write, tokens, settings, expected):
    path = write([ROW])
    with pytest.raises(DatasetError, match=expected):
        tokens(path, **settings)


def test_a_path_that_is_null_is_refused_by_the_name_of_the_reader():
    with pytest.raises(DatasetError, match=r"'path' of spacy-attn\.HFTokens\.v1 is null"):
        HFTokens(None)


@pytest.mark.parametrize("text", [None, "Don't feed mice."])
def test_documents_that_are_stored_keep_their_tokens(write, nlp, tokens, text):
    [example] = HFTokens(write([{**ROW, "text": text or ""}]), text_column=text and "text")(nlp)
    DocBin(docs=[example.reference]).to_disk("stored.spacy")
    assert tokens("stored.spacy") == [triples(ROW)]
    [again] = HFTokens("stored.spacy")(nlp)
    assert [token.text for token in again.predicted] == ROW["tokens"]
    assert again.text == example.text
    # No list of theirs can be null.
    with pytest.raises(DatasetError, match=r"'skip_missing' has no meaning for \.spacy files"):
        tokens("stored.spacy", skip_missing=True)
    assert not again.predicted.has_annotation("LEMMA")
    with pytest.raises(DatasetError, match="'lemmas_column' has no meaning"):
        tokens("stored.spacy", lemmas_column="base")


def test_spacys_own_reader_keeps_the_tokens_where_no_text_showed_the_spaces(write, nlp):
    [example] = HFTokens(write([ROW]))(nlp)
    DocBin(docs=[example.reference]).to_disk("stored.spacy")
    [again] = Corpus("stored.spacy")(nlp)
    assert [token.text for token in again.predicted] == ROW["tokens"]


def test_rows_train_a_component_of_spacy(write):
    nlp = spacy.blank("en")
    nlp.add_pipe("trainable_lemmatizer", config={"min_tree_freq": 1})
    examples = list(HFTokens(write([ROW] * 4))(nlp))
    nlp.initialize(lambda: examples)
    nlp.update(examples)
    assert nlp.evaluate(examples)["lemma_acc"] is not None


def test_a_pass_makes_no_warning(write, tokens):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokens(write([ROW]))
