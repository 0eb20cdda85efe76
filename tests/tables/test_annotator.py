import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import pyarrow
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example
from spacy.util import ignore_error

import spacy_attn
from spacy_attn import Annotator
from spacy_attn.tables import loaded
from spacy_attn.tables.failures import RowError

from ..conftest import LABELS, MIXED_TEXTS, SMALL_MODEL, make_examples, make_nlp

ALL = {"attention": True, "contributions": True, "tokens": True}
NAMES = ("one", "two")
FACTORIES = ["attn_textcat", "attn_textcat_multilabel", "textcat", "textcat_multilabel"]


def pipeline(*factories: str) -> Language:
    """A pipeline that has learned nothing, which must not have been trained to decide."""
    nlp = spacy.blank("xx")
    for factory in factories:
        nlp.add_pipe(factory)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@Language.component("fill_cats")
def fill_cats(doc):
    doc.cats.update({"short": 0.5, "empty": float(not doc.text)})
    return doc


@Language.component("refuse_dull")
def refuse_dull(doc):
    if "dull" in doc.text:
        raise RuntimeError("no dull documents")
    return doc


@Language.component("forget_dull")
def forget_dull(doc):
    if "dull" in doc.text:
        doc.cats = {}
    return doc


class Spoil:
    """Sets one more score in documents of one text."""

    def __init__(self, nlp: Language, name: str, text: str, label: str, score: str):
        self.text, self.label, self.score = text, label, float(score)

    def __call__(self, doc):
        if doc.text == self.text:
            doc.cats[self.label] = self.score
        return doc


Language.factory("spoil", func=Spoil)


@Language.factory("ignore_errors")
def ignore_errors(nlp: Language, name: str):
    nlp.default_error_handler = ignore_error
    return lambda doc: doc


class Declared:
    """Gives a label that it declares, but to some documents alone."""

    labels = ("urgent",)

    def __call__(self, doc):
        if "!" in doc.text:
            doc.cats["urgent"] = 1.0
        return doc


Language.factory("declared", assigns=["doc.cats"], func=lambda nlp, name: Declared())

# What comes of a table


def test_an_arrow_table_gets_what_the_pipeline_says_of_each_row_in_order(model, trained_nlp, table):
    annotated = Annotator(model, **ALL, batch_size=4)(table)
    added = annotated.drop_columns(table.column_names).to_pylist()
    explained = spacy_attn.explain(trained_nlp, MIXED_TEXTS)
    for row, doc, explanation in zip(added, trained_nlp.pipe(MIXED_TEXTS), explained, strict=True):
        assert row["label"] == max(doc.cats, key=doc.cats.__getitem__)
        assert row["tokens"] == [token.text for token in doc]
        for label in LABELS:
            assert row[f"score_{label}"] == pytest.approx(doc.cats[label], abs=1e-6)
            values = row["contributions"][label]
            numpy.testing.assert_allclose(values, explanation.of_label(label), atol=1e-5)
        numpy.testing.assert_allclose(row["attention"], doc._.attention, atol=1e-6)


def test_the_schema_is_known_before_any_row_is_read_and_is_that_of_the_result(model, table):
    annotator = Annotator(model, **ALL, prefix="new_")
    schema = annotator.schema(table.schema)
    for part in (table, table.slice(0, 0)):
        assert annotator(part).schema.equals(schema, check_metadata=True)
    types = {name.removeprefix("new_"): schema.field(name).type for name in schema.names[3:]}
    floats = pyarrow.list_(pyarrow.float32())
    assert types == {
        "label": pyarrow.string(),
        "score_positive": pyarrow.float64(),
        "score_negative": pyarrow.float64(),
        "tokens": pyarrow.list_(pyarrow.string()),
        "attention": floats,
        "contributions": pyarrow.struct(dict.fromkeys(LABELS, floats)),
    }


def test_only_the_columns_that_are_asked_for_are_added(model):
    texts = {"text": ["fun"]}
    assert list(Annotator(model, scores=False)(texts)) == ["text", "label"]
    assert list(Annotator(model, scores=False, tokens=True)(texts)) == ["text", "label", "tokens"]


# Labels


@pytest.mark.parametrize("factory", FACTORIES)
def test_any_text_categorizer_gives_the_labels_that_spacys_scorer_would_take(factory):
    nlp = pipeline(factory)
    annotated = Annotator(nlp)(pyarrow.table({"text": MIXED_TEXTS})).to_pylist()
    exclusive = "multilabel" not in factory
    threshold = None if exclusive else nlp.get_pipe(factory).cfg["threshold"]
    for row, doc in zip(annotated, nlp.pipe(MIXED_TEXTS), strict=True):
        for label in LABELS:
            assert row[f"score_{label}"] == pytest.approx(doc.cats[label], abs=1e-6)
        predicted = [row["label"]] if exclusive else row["labels"]
        example = Example(doc, doc.copy())
        example.reference.cats = {label: float(label in predicted) for label in LABELS}
        scores = Scorer.score_cats(
            *([example], "cats"), labels=LABELS, multi_label=not exclusive, threshold=threshold
        )
        assert scores["cats_micro_f"] == float(bool(predicted))


def test_independent_labels_are_those_that_reach_the_threshold_of_the_component():
    nlp = make_nlp("attn_textcat_multilabel")
    scores = nlp("fun").cats
    for threshold, expected in ((scores["positive"], True), (scores["positive"] + 1e-9, False)):
        nlp.get_pipe("attn_textcat_multilabel").cfg["threshold"] = threshold
        (labels,) = Annotator(nlp)({"text": ["fun"]})["labels"]
        assert ("positive" in labels) == expected


def test_labels_of_a_component_that_declares_none_are_those_it_gives_as_independent_ones():
    nlp = spacy.blank("xx")
    nlp.add_pipe("fill_cats")
    annotator = Annotator(nlp)
    assert annotator.labels == ("short", "empty")
    annotated = annotator({"text": ["", "fun"]})
    assert annotated["labels"] == [["short", "empty"], ["short"]]
    assert annotated["score_empty"] == [1.0, 0.0]


def test_a_label_that_a_component_declares_may_be_missing_from_documents():
    nlp = spacy.blank("xx")
    nlp.add_pipe("declared")
    annotated = Annotator(nlp)({"text": ["now!", "later"]})
    assert annotated["labels"] == [["urgent"], []]
    assert annotated["score_urgent"] == [1.0, None]


def test_of_several_components_one_is_named(trained_nlp):
    nlp = spacy.blank("en")
    nlp.add_pipe("attn_textcat", source=trained_nlp)
    nlp.add_pipe("fill_cats")
    nlp.add_pipe("declared")
    with pytest.raises(ValueError, match=r"several components .*'attn_textcat', 'declared'"):
        Annotator(nlp)({"text": ["fun"]})
    ours = Annotator(nlp, component="attn_textcat", attention=True)({"text": ["fun"]})
    assert ours["label"] == ["positive"]
    assert "score_short" in ours  # which nobody declares, and which must not be lost
    other = Annotator(nlp, component="declared")({"text": ["fun"]})
    assert other["labels"] == [[]]
    assert "score_positive" not in other
    with pytest.raises(ValueError, match=r"no component 'nobody' .*'attn_textcat', 'declared'"):
        Annotator(nlp, component="nobody")({"text": ["fun"]})


def test_attention_and_contributions_are_those_of_the_named_component(trained_nlp):
    nlp = spacy.blank("en")
    nlp.add_pipe("attn_textcat", name="one", source=trained_nlp)
    settings = {"attention_attr": "focus", "contributions_attr": "parts"}
    nlp.add_pipe("attn_textcat_multilabel", name="two", config={"model": SMALL_MODEL, **settings})
    nlp.get_pipe("two").initialize(lambda: make_examples(nlp, labels=("dull", "fun")), nlp=nlp)
    asked = {"attention": True, "contributions": True}
    one, two = (Annotator(nlp, component=name, **asked)({"text": ["great fun"]}) for name in NAMES)
    doc = nlp("great fun")
    numpy.testing.assert_allclose(one["attention"][0], doc._.attention, atol=1e-6)
    numpy.testing.assert_allclose(two["attention"][0], doc._.focus, atol=1e-6)
    assert not numpy.allclose(one["attention"][0], two["attention"][0], atol=1e-3)
    numpy.testing.assert_allclose(two["contributions"][0]["fun"], doc._.parts[:, 1], atol=1e-6)
    assert (list(one), list(two)) == (
        ["text", "label", "score_positive", "score_negative", *asked],
        ["text", "labels", "score_dull", "score_fun", *asked],
    )


@pytest.mark.parametrize("asked", ["attention", "contributions"])
def test_attention_of_a_pipeline_without_it_is_refused(asked):
    with pytest.raises(ValueError, match=r"no component that can be asked for attention .*textcat"):
        Annotator(pipeline("textcat"), **{asked: True})({"text": ["fun"]})


def test_a_pipeline_that_fills_no_cats_is_refused():
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    with pytest.raises(ValueError, match=r"fills no 'doc.cats' .*'sentencizer'"):
        Annotator(nlp).schema(pyarrow.schema({"text": pyarrow.string()}))


def test_a_pipeline_that_cannot_be_applied_at_all_is_an_error_whatever_rows_may_do(model):
    nlp = spacy.blank("xx")
    nlp.add_pipe("attn_textcat")
    with pytest.raises(ValueError, match=r"given as an object cannot be applied .*'attn_textcat'"):
        Annotator(nlp, on_error="null")({"text": ["fun"]})


# Rows that fail


@pytest.mark.parametrize("value", [None, 7])
def test_a_row_without_a_text_is_named_or_left_null_and_counted(model, value):
    texts, numbers = ["fun", value, "dull"], [10, 11, 12]
    with pytest.raises(RowError, match=r"Row 1 of this table .*; id: 11\): column 'text'") as info:
        Annotator(model)({"text": texts, "id": numbers})
    assert info.value.row == 1
    assert str(pickle.loads(pickle.dumps(info.value))) == str(info.value)
    annotator = Annotator(model, on_error="null", **ALL)
    annotated = annotator({"text": texts, "id": numbers})
    assert annotator.n_failed == 1
    added = [values for name, values in annotated.items() if name not in ("text", "id")]
    assert [values[1] for values in added] == [None] * 6
    assert all(values[row] is not None for values in added for row in (0, 2))
    assert (annotated["text"], annotated["id"]) == (texts, numbers)


def test_a_text_longer_than_the_pipeline_takes_fails_alone(trained_nlp):
    nlp = pipeline("textcat")
    nlp.max_length = 10
    texts = ["fun", "x" * 11, "dull"]
    with pytest.raises(RowError, match=r"Row 1 .* text of 11 characters, .*max_length = 10"):
        Annotator(nlp)({"text": texts})
    labels = Annotator(nlp, on_error="null")({"text": texts})["label"]
    assert [label is None for label in labels] == [False, True, False]


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_a_batch_that_fails_is_traced_to_its_rows(batch_size):
    nlp = pipeline("textcat")
    nlp.add_pipe("refuse_dull")
    texts = ["dull" if i in (0, 5, 6, 21) else f"text {i}" for i in range(22)]
    annotator = Annotator(nlp, on_error="null", batch_size=batch_size)
    annotated = annotator({"text": texts})
    assert [i for i, label in enumerate(annotated["label"]) if label is None] == [0, 5, 6, 21]
    assert annotator.n_failed == 4
    whole = Annotator(nlp)({"text": [text for text in texts if text != "dull"]})
    scores = [score for score in annotated["score_positive"] if score is not None]
    numpy.testing.assert_allclose(scores, whole["score_positive"], atol=1e-6)
    with pytest.raises(RowError, match=r"Row 5 .*'dull' fails: RuntimeError: no dull") as info:
        Annotator(nlp, batch_size=batch_size)({"text": ["fun", *texts[1:]]})
    assert isinstance(info.value.__cause__, RuntimeError)


def test_a_document_that_an_error_handler_leaves_out_moves_no_other_row():
    nlp = pipeline("textcat")
    nlp.add_pipe("refuse_dull")
    nlp.add_pipe("ignore_errors")
    texts = {"text": ["a", "dull", "b"]}
    labels = Annotator(nlp, on_error="null")(texts)["label"]
    assert [label is None for label in labels] == [False, True, False]
    with pytest.raises(RowError, match=r"Row 1 .* leaves this document out"):
        Annotator(nlp)(texts)


@pytest.mark.parametrize("score", ["nan", "inf"])
def test_a_score_that_is_no_number_fails(score):
    nlp = spacy.blank("xx")
    nlp.add_pipe("fill_cats")
    nlp.add_pipe("spoil", config={"text": "spoiled", "label": "short", "score": score})
    with pytest.raises(RowError, match=rf"Row 1 .*'spoiled' .*the label 'short' the score {score}"):
        Annotator(nlp)({"text": ["fun", "spoiled"]})


def test_a_document_without_any_score_does_not_get_the_first_label():
    nlp = pipeline("textcat")
    nlp.add_pipe("forget_dull")
    with pytest.raises(RowError, match=r"Row 1 .* gives none of the labels 'positive', 'negative'"):
        Annotator(nlp)({"text": ["fun", "dull"]})


def test_a_label_that_no_component_has_declared_is_not_lost_silently():
    nlp = spacy.blank("xx")
    nlp.add_pipe("fill_cats")
    nlp.add_pipe("spoil", config={"text": "new", "label": "new", "score": "1"})
    with pytest.raises(RowError, match=r"Row 0 .*the label 'new', which none .*'empty', 'short'"):
        Annotator(nlp)({"text": ["new"]})


# Columns that are there


def test_existing_columns_are_refused_or_replaced_in_their_places(model):
    table = pyarrow.table({"label": [1], "text": ["fun"], "n": [2]})
    with pytest.raises(
        ValueError, match=r"names of new ones already \('label'\): .*overwrite=True"
    ):
        Annotator(model)(table)
    with pytest.raises(ValueError, match=r"names of new ones already \('label'\)"):
        Annotator(model).schema(table.schema)
    replacing = Annotator(model, overwrite=True, scores=False)
    assert replacing(table).to_pylist() == [{"label": "positive", "text": "fun", "n": 2}]
    assert replacing(table.to_pandas()).to_dict("records") == replacing(table).to_pylist()
    assert next(iter(replacing(table.to_pydict()).items())) == ("label", ["positive"])
    assert replacing(table).schema == replacing.schema(table.schema)
    beside = Annotator(model, prefix="predicted_", scores=False)(table)
    assert beside.column_names == ["label", "text", "n", "predicted_label"]


def test_the_texts_are_never_replaced(model):
    annotator = Annotator(model, text_column="tokens", tokens=True, overwrite=True)
    with pytest.raises(ValueError, match="column of the texts, 'tokens', would be replaced"):
        annotator({"tokens": ["fun"]})


def test_a_column_of_texts_that_is_missing_or_there_twice_is_named(model):
    with pytest.raises(ValueError, match=r"no column 'text'; .* one of 'review', 'n'"):
        Annotator(model)({"review": ["fun"], "n": [1]})
    twice = pyarrow.table([["a"], ["b"]], names=["text", "text"])
    with pytest.raises(ValueError, match="several columns 'text'"):
        Annotator(model)(twice)
    with pytest.raises(ValueError, match="several columns 'text'"):
        Annotator(model)(twice.to_pandas())


# Settings and state


def test_settings_out_of_range_are_refused(model, tmp_path):
    for wrong in ({"batch_size": 0}, {"n_threads": 0}, {"on_error": "skip"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Annotator(model, **wrong)
    with pytest.raises(OSError, match=r"no pipeline 'nowhere'.*neither an installed package"):
        Annotator("nowhere")
    with pytest.raises(TypeError, match="'model' must be the name"):
        Annotator(7)


def test_an_annotator_is_pickled_as_the_folder_of_its_model_the_same_after_use(model, table):
    annotator = Annotator(model, on_error="null")
    before = pickle.dumps(annotator)
    annotator(pyarrow.table({"text": ["fun", None]}))
    assert pickle.dumps(annotator) == before
    assert len(before) < 1000
    assert pickle.loads(before)(table).equals(annotator(table))


def test_a_pipeline_in_memory_is_taken_as_it_is_and_left_alone():
    nlp = make_nlp(seed=1)
    annotator = Annotator(nlp, contributions=True)
    before = annotator({"text": MIXED_TEXTS})["score_positive"]
    assert nlp.get_pipe("attn_textcat").contributions_attr is None
    nlp.get_pipe("attn_textcat").cfg["temperature"] = 5.0
    assert annotator({"text": MIXED_TEXTS})["score_positive"] == before
    loaded.load_once.cache_clear()
    sent = pickle.loads(pickle.dumps(annotator))
    assert sent({"text": MIXED_TEXTS})["score_positive"] == before
    assert Annotator(nlp)({"text": MIXED_TEXTS})["score_positive"] != before


def test_a_pipeline_is_loaded_once_in_a_process_however_often_it_is_sent(model, monkeypatch):
    loaded.load_once.cache_clear()
    calls = []
    monkeypatch.setattr(
        spacy, "load", lambda path, load=spacy.load: calls.append(path) or load(path)
    )
    annotator = Annotator(model)
    assert not calls
    for _ in range(3):
        pickle.loads(pickle.dumps(annotator))({"text": ["fun"]})
    assert len(calls) == 1


def test_words_that_are_rare_do_not_pile_up_and_change_nothing(model, monkeypatch):
    texts = [f"word{i} fun" for i in range(300)]
    expected = Annotator(model)({"text": texts})["score_positive"]
    loaded.load_once.cache_clear()
    monkeypatch.setattr(loaded, "_KEPT_WORDS", 50)
    annotator = Annotator(model, batch_size=20)
    numpy.testing.assert_allclose(annotator({"text": texts})["score_positive"], expected, atol=1e-6)
    vocab = annotator._load().nlp.vocab
    assert sum(f"word{i}" in vocab.strings for i in range(300)) <= 60
    loaded.load_once.cache_clear()


def test_several_threads_may_use_one_pipeline_which_they_take_turns_with(model, monkeypatch):
    one, other = Annotator(model, batch_size=3), pickle.loads(pickle.dumps(Annotator(model)))
    parts = [[f"fun {i}", "dull " * i, "x"] for i in range(6)]
    expected = [one({"text": part}) for part in parts]
    apply, at_work, most = loaded.LoadedPipeline.apply, [], []

    def watched(self, texts):
        at_work.append(self)
        most.append(len(at_work))
        time.sleep(0.002)  # lets other threads go on
        try:
            return apply(self, texts)
        finally:
            at_work.pop()

    monkeypatch.setattr(loaded.LoadedPipeline, "apply", watched)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda i: (one, other)[i % 2]({"text": parts[i]}), range(len(parts)))
        assert list(found) == expected
    assert set(most) == {1}


def test_the_threads_of_your_own_process_stay_as_they_are(model):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        Annotator(model, n_threads=2)({"text": ["fun"]})
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
