"""Every kind of label column, and what is refused."""

import re

import pandas as pd
import pytest
import spacy
from datasets import ClassLabel, Dataset, Features, Sequence, Value
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.data import DatasetError, HFDataset
from spacy_attn.data.errors import MissingValue, RowProblem
from spacy_attn.data.labels import ColumnEncoder, ColumnsEncoder

LABELS = ["a", "b", "c"]


@pytest.fixture
def labelled(write):
    """A data set of one text for each label value, as JSON lines."""
    return lambda *values: write([{"text": "hi", "label": value} for value in values])


@pytest.fixture
def typed(tmp_path):
    """A data set with a type for its label column, in a folder written by save_to_disk."""

    def save(feature, *values):
        features = Features({"text": Value("string"), "label": feature})
        rows = {"text": ["hi"] * len(values), "label": list(values)}
        Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "typed")
        return str(tmp_path / "typed")

    return save


def cats(rows):
    return [row_cats for _, row_cats in rows]


def test_class_ids_take_the_names_of_the_features_and_all_labels_are_present(read, typed):
    path = typed(ClassLabel(names=["neg", "pos", "none"]), 1, 0)
    assert cats(read(path)) == [
        {"neg": 0.0, "pos": 1.0, "none": 0.0},
        {"neg": 1.0, "pos": 0.0, "none": 0.0},
    ]


def test_given_labels_set_the_order_of_classes_but_never_swap_them(read, typed):
    path = typed(ClassLabel(names=["neg", "pos"]), 1)
    [row] = cats(read(path, labels=["pos", "neg"]))
    assert list(row.items()) == [("pos", 1.0), ("neg", 0.0)]
    with pytest.raises(DatasetError, match="has the classes 'neg', 'pos', and 'labels' must name"):
        read(path, labels=["positive", "negative"])


MIXED = [
    {"text": "gold", "label": "b", "p": None, "q": None},
    {"text": "soft", "label": None, "p": 0.25, "q": 0.75},
    {"text": "both", "label": "a", "p": 0.5, "q": 0.5},
]


@pytest.mark.parametrize("name", ["mixed.jsonl", "mixed.csv"])
@pytest.mark.parametrize("streaming", [False, True])
def test_rows_with_a_gold_label_and_rows_with_probabilities_are_one_corpus(
    tmp_path, read, name, streaming
):
    frame = pd.DataFrame(MIXED)
    frame = frame.astype(object).where(frame.notna(), None)
    if name.endswith("csv"):
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_json(tmp_path / name, orient="records", lines=True)
    settings = {"label_column": ["p", "q"], "labels": ["a", "b"], "gold_column": "label"}
    found = read(str(tmp_path / name), exclusive=True, streaming=streaming, **settings)
    assert found == [
        ("gold", {"a": 0.0, "b": 1.0}),
        ("soft", {"a": 0.25, "b": 0.75}),
        ("both", {"a": 1.0, "b": 0.0}),
    ]


def test_of_independent_labels_a_gold_column_may_have_several(write, read):
    row = {"text": "hi", "gold": "b|c", "a": None, "b": None, "c": None}
    soft = {"text": "hi", "gold": None, "a": 0.5, "b": 0.0, "c": 1.0}
    settings = {"label_column": LABELS, "gold_column": "gold", "label_separator": "|"}
    found = read(write([row, soft]), exclusive=False, **settings)
    assert cats(found) == [{"a": 0.0, "b": 1.0, "c": 1.0}, {"a": 0.5, "b": 0.0, "c": 1.0}]


@pytest.mark.parametrize("gold", ["", None])
def test_a_row_whose_gold_label_is_empty_has_its_probabilities(gold, write, read):
    row = {"text": "hi", "gold": gold, "a": 0.5, "b": 0.25}
    settings = {"label_column": ["a", "b"], "gold_column": "gold"}
    found = read(write([row, {**row, "gold": "b"}]), exclusive=False, **settings)
    assert cats(found) == [{"a": 0.5, "b": 0.25}, {"a": 0.0, "b": 1.0}]


def test_a_row_whose_gold_class_is_that_of_none_has_its_probabilities(tmp_path):
    number = Value("float32")
    features = {"text": Value("string"), "gold": ClassLabel(names=["a", "b"])}
    rows = {"text": ["hi", "ho"], "gold": [-1, 1], "a": [0.25, 0.25], "b": [0.75, 0.75]}
    data = Dataset.from_dict(rows, Features({**features, "a": number, "b": number}))
    data.save_to_disk(tmp_path)
    reader = HFDataset(
        str(tmp_path), label_column=["a", "b"], gold_column="gold", exclusive=True, split="train"
    )
    assert [found for _, found in reader.read_texts()] == [
        {"a": 0.25, "b": 0.75},
        {"a": 0.0, "b": 1.0},
    ]


def test_a_gold_label_must_be_one_of_the_labels_and_a_row_must_have_one_or_probabilities(
    write, read
):
    settings = {"label_column": ["a", "b"], "gold_column": "gold"}
    path = write([{"text": "hi", "gold": "c", "a": None, "b": None}])
    with pytest.raises(DatasetError, match=r"row 0 .*'gold' has the label 'c'.*'a', 'b'"):
        read(path, **settings)
    path = write([{"text": "hi", "gold": None, "a": None, "b": 0.5}])
    with pytest.raises(DatasetError, match=r"row 0 .*column 'a' gives no value for the label 'a'"):
        read(path, **settings)
    with pytest.raises(DatasetError, match="'gold_column' and 'label_column' must be different"):
        HFDataset("rows.csv", label_column=["a", "b"], gold_column="b")


def test_labels_name_classes_that_have_numbers_for_names(read, typed):
    path = typed(ClassLabel(num_classes=2), 1)
    assert cats(read(path, labels=["neg", "pos"])) == [{"neg": 0.0, "pos": 1.0}]


def test_class_id_minus_one_is_no_label(read, typed):
    path = typed(ClassLabel(names=["neg", "pos"]), 0, -1)
    with pytest.raises(DatasetError, match=r"row 1 .*'label' has the class id -1.*skip_missing"):
        read(path)
    with pytest.warns(UserWarning, match="1 rows for want of a value in column 'label'"):
        assert len(read(path, skip_missing=True)) == 1


def test_plain_integers_are_named_by_labels(read, labelled):
    assert cats(read(labelled(2, 0), labels=LABELS)) == [
        {"a": 0.0, "b": 0.0, "c": 1.0},
        {"a": 1.0, "b": 0.0, "c": 0.0},
    ]


def test_plain_integers_without_labels_are_refused(read, labelled):
    with pytest.raises(
        DatasetError,
        match=r"plain integers \(2\); .*set labels = .*; if they are the ids of classes, name",
    ):
        read(labelled(2))


@pytest.mark.parametrize("value", [3, -1])
def test_class_id_out_of_range_is_refused_with_the_row(read, labelled, value):
    expected = f"rows.jsonl', split 'train', row 1 .*'label' has the class id {value}, .*0 to 2"
    with pytest.raises(DatasetError, match=expected):
        read(labelled(0, value), labels=LABELS)


def test_labels_that_are_numbers_name_the_integers_they_spell(read, labelled):
    stars = ["1", "2", "3"]
    assert cats(read(labelled(3, 1), labels=stars)) == [
        {"1": 0.0, "2": 0.0, "3": 1.0},
        {"1": 1.0, "2": 0.0, "3": 0.0},
    ]
    with pytest.raises(DatasetError, match="'label' has the label '0', which is none of '1'"):
        read(labelled(0), labels=stars)


def test_strings_are_learned_from_the_column_and_sorted(read, labelled):
    [first, _, _] = cats(read(labelled("pos", "neg", "mixed")))
    assert list(first.items()) == [("mixed", 0.0), ("neg", 0.0), ("pos", 1.0)]


def test_limit_does_not_change_the_labels_learned(read, labelled):
    assert cats(read(labelled("pos", "neg"), limit=1)) == [{"neg": 0.0, "pos": 1.0}]


def test_string_that_is_none_of_the_labels_is_refused_with_the_row(read, labelled):
    with pytest.raises(DatasetError, match=r"row 1 .*has the label 'x', which is none of 'a', 'b'"):
        read(labelled("a", "x"), labels=LABELS)


def test_streamed_strings_carry_their_own_label_unless_several_are_possible(read, labelled):
    path = labelled("pos", "neg")
    assert cats(read(path, streaming=True)) == [{"pos": 1.0}, {"neg": 1.0}]
    with pytest.raises(DatasetError, match="give all in 'labels'"):
        read(path, streaming=True, exclusive=False)
    with pytest.raises(DatasetError, match="give all in 'labels'"):
        read(labelled(["pos"]), streaming=True)
    assert cats(read(labelled(["pos"]), streaming=True, labels=["neg", "pos"])) == [
        {"neg": 0.0, "pos": 1.0}
    ]


def test_booleans_are_two_labels(read, labelled):
    path = labelled(True, False)
    assert cats(read(path)) == [{"False": 0.0, "True": 1.0}, {"False": 1.0, "True": 0.0}]
    assert cats(read(path, labels=["ham", "spam"]))[0] == {"ham": 0.0, "spam": 1.0}
    assert cats(read(path, labels=["True", "False"]))[0] == {"True": 1.0, "False": 0.0}
    with pytest.raises(DatasetError, match="booleans; name false and true"):
        read(path, labels=["spam"])


def test_lists_of_strings_are_several_labels_and_an_empty_list_is_none_of_them(read, labelled):
    assert cats(read(labelled(["x", "y"], [], ["z"]))) == [
        {"x": 1.0, "y": 1.0, "z": 0.0},
        {"x": 0.0, "y": 0.0, "z": 0.0},
        {"x": 0.0, "y": 0.0, "z": 1.0},
    ]


def test_lists_of_class_ids_take_the_names_of_the_features(read, typed):
    path = typed(Sequence(ClassLabel(names=["x", "y"])), [0, 1], [1], [])
    assert cats(read(path)) == [{"x": 1.0, "y": 1.0}, {"x": 0.0, "y": 1.0}, {"x": 0.0, "y": 0.0}]


def test_lists_of_plain_integers_are_ids_unless_they_may_be_zeros_and_ones(read, labelled):
    assert cats(read(labelled([2, 0]), labels=LABELS)) == [{"a": 1.0, "b": 0.0, "c": 1.0}]
    with pytest.raises(DatasetError, match=r"holds \[0, 1, 0\], which may be class ids or a 0 or"):
        read(labelled([0, 1, 0]), labels=LABELS)
    with pytest.raises(DatasetError, match=r"holds \[0, 1\], which may be"):
        read(labelled([0, 1]), labels=["a", "b"])


def test_lists_of_booleans_have_one_for_each_label(read, labelled):
    path = labelled([True, False, True])
    assert cats(read(path, labels=LABELS)) == [{"a": 1.0, "b": 0.0, "c": 1.0}]
    with pytest.raises(DatasetError, match="name them in 'labels'"):
        read(path)
    with pytest.raises(DatasetError, match="holds 3 numbers for 2 labels"):
        read(path, labels=["a", "b"])


def test_lists_of_floats_are_probabilities_of_the_labels(read, labelled):
    path = labelled([0.5, 0.25, 0.25])
    assert cats(read(path, labels=LABELS)) == [{"a": 0.5, "b": 0.25, "c": 0.25}]


def test_an_empty_list_of_probabilities_is_refused(read, labelled):
    with pytest.raises(DatasetError, match=r"row 1 .*holds 0 numbers for 3 labels"):
        read(labelled([0.5, 0.25, 0.25], []), labels=LABELS)


def test_mappings_are_probabilities_by_label(read, labelled):
    path = labelled({"x": 0.75, "y": 0.25}, {"x": 0, "y": 1})
    assert cats(read(path)) == [{"x": 0.75, "y": 0.25}, {"x": 0.0, "y": 1.0}]
    with pytest.raises(DatasetError, match="has the label 'y', which is none of 'x'"):
        read(path, labels=["x"])


def test_a_label_that_a_mapping_leaves_out_is_unknown(read, labelled):
    path = labelled({"x": 0.75, "y": 0.25}, {"x": 1.0})
    with pytest.raises(DatasetError, match=r"row 1 .*gives no value for the label 'y'"):
        read(path)
    with pytest.warns(UserWarning, match="skipped 1 values of the label 'y'"):
        assert cats(read(path, skip_missing=True)) == [{"x": 0.75, "y": 0.25}, {"x": 1.0}]


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan")])
def test_probability_outside_zero_to_one_is_refused(value):
    with pytest.raises(RowProblem, match=f"has {value!r} for the label 'a'"):
        ColumnEncoder("label", labels=["a", "b"])({"label": [value, 0.5]})


def test_several_columns_are_one_label_each(read, write):
    path = write([{"text": "hi", "toxic": 1, "rude": False, "old": 0.5}])
    settings = {"label_column": ["toxic", "rude", "old"], "exclusive": False}
    assert cats(read(path, **settings)) == [{"toxic": 1.0, "rude": 0.0, "old": 0.5}]
    assert cats(read(path, **settings, labels=["T", "R", "O"]))[0]["T"] == 1.0


@pytest.mark.parametrize("columns", [True, False])
def test_probabilities_that_do_not_sum_to_1_are_warned_of_or_refused(read, write, columns):
    pairs = [(0.9, 0.1), (0.9, 0.9), (0.2, 0.2), (1.0, 1.0)]
    if columns:
        path = write([{"text": "hi", "x": x, "y": y} for x, y in pairs])
        settings = {"label_column": ["x", "y"]}
    else:
        path = write([{"text": "hi", "label": [x, y]} for x, y in pairs])
        settings = {"labels": ["x", "y"]}
    with pytest.warns(UserWarning, match="probabilities of 2 rows do not sum to 1; set exclusive"):
        assert len(read(path, **settings)) == 4
    assert len(read(path, **settings, exclusive=False)) == 4
    with pytest.raises(DatasetError, match=r"row 1 .*labels that sum to 1.8. Where exclusive"):
        read(path, **settings, exclusive=True)


@pytest.mark.parametrize("columns", [True, False])
@given(st.lists(st.floats(0.001, 1.0), min_size=2, max_size=9))
def test_probabilities_rounded_to_two_digits_are_divided_by_their_sum(columns, values):
    rounded = [round(value / sum(values), 2) for value in values]
    labels = [f"l{i}" for i in range(len(values))]
    if columns:
        found = ColumnsEncoder(labels, exclusive=True)(dict(zip(labels, rounded, strict=True)))
    else:
        found = ColumnEncoder("label", labels=labels, exclusive=True)({"label": rounded})
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-3)
    assert list(found.values()) == pytest.approx(rounded, abs=0.005 * len(labels))


@pytest.mark.parametrize("values", [[0.5, 0.48], [0.5, 0.4915], [0.34, 0.34, 0.3], [1.0, 0.02]])
def test_probabilities_further_from_1_than_by_rounding_are_refused(values):
    labels = [f"l{i}" for i in range(len(values))]
    with pytest.raises(RowProblem, match="labels that sum to"):
        ColumnEncoder("label", labels=labels, exclusive=True)({"label": values})


@pytest.mark.parametrize(
    ("row", "said"),
    [({"l0": 1.0, "l1": 1.0}, "labels that sum to 2"), ({}, "has no label where exclusive = true")],
)
def test_of_many_labels_a_row_must_have_one_as_of_few(row, said):
    labels = [f"l{i}" for i in range(400)]
    with pytest.raises(RowProblem, match=said):
        ColumnsEncoder(labels, exclusive=True)(dict.fromkeys(labels, 0.0) | row)


def test_a_null_among_several_columns_names_its_column_and_can_be_left_out(read, write):
    path = write(
        [
            {"text": "hi", "x": 1, "y": 0},
            {"text": "hi", "x": 1, "y": None},
            {"text": "hi", "x": None, "y": None},
        ]
    )
    with pytest.raises(DatasetError, match=r"row 1 .*column 'y' gives no value for the label 'y'"):
        read(path, label_column=["x", "y"])
    with pytest.warns(UserWarning, match="1 values of the label 'y'; 1 rows for want of a value"):
        assert cats(read(path, label_column=["x", "y"], skip_missing=True)) == [
            {"x": 1.0, "y": 0.0},
            {"x": 1.0},
        ]


def test_of_labels_that_exclude_one_another_the_column_without_a_value_is_named():
    encode = ColumnsEncoder(["x", "y", "z"], exclusive=True)
    with pytest.raises(MissingValue) as missing:
        encode({"x": 0.3, "y": None, "z": 0.7})
    assert missing.value.column == "y"
    with pytest.raises(RowProblem, match=r"has nan .* or null for none"):
        encode({"x": 0.3, "y": float("nan"), "z": 0.7})


def test_a_column_of_another_kind_among_several_is_refused(read, write):
    path = write([{"text": "hi", "x": "yes"}])
    with pytest.raises(DatasetError, match="column 'x' has 'yes' for the label 'x'"):
        read(path, label_column=["x"])


def test_class_id_minus_one_in_one_of_several_columns_is_unknown():
    encode = ColumnsEncoder(["x"], class_columns={"x"})
    assert encode({"x": -1}) == {"x": None}
    with pytest.raises(RowProblem, match="has -1 for the label"):
        ColumnsEncoder(["x"])({"x": -1})


@pytest.mark.parametrize("value", [["x", "y"], [], {"x": 0.5, "y": 0.6}])
def test_exclusive_refuses_a_row_without_exactly_one_label(value):
    with pytest.raises(RowProblem, match=r"exclusive = true(, a row has| wants) exactly one label"):
        ColumnEncoder("label", labels=["x", "y"], exclusive=True)({"label": value})


@pytest.mark.parametrize("value", ["x", ["x"], {"x": 1.0, "y": 0.0}])
def test_exclusive_takes_every_spelling_of_exactly_one_label(value):
    encode = ColumnEncoder("label", labels=["x", "y"], exclusive=True)
    assert encode({"label": value}) == {"x": 1.0, "y": 0.0}


@pytest.mark.parametrize("value", [None, "", [None, "x"]])
def test_null_and_empty_labels_are_missing(value):
    with pytest.raises(MissingValue):
        ColumnEncoder("label", learned=["x"])({"label": value})


def test_a_lone_float_is_no_label_and_the_error_says_how_to_read_it(read, labelled):
    hint = re.escape('label_column = ["label"]')
    with pytest.raises(DatasetError, match=f"holds 0.5 of type float, .*{hint}"):
        read(labelled(0.5), labels=LABELS)


@given(st.data())
def test_all_kinds_of_column_say_the_same(data):
    labels = data.draw(
        st.lists(st.text(min_size=1).filter(lambda s: not s.isdecimal()), min_size=3, unique=True)
    )
    chosen = data.draw(st.sets(st.integers(0, len(labels) - 1)))
    expected = {label: float(i in chosen) for i, label in enumerate(labels)}
    encode = ColumnEncoder("label", labels=labels)
    of_classes = ColumnEncoder("label", class_names=labels)
    columns = ColumnsEncoder(labels)
    assert encode({"label": [labels[i] for i in chosen]}) == expected
    assert encode({"label": [i in chosen for i in range(len(labels))]}) == expected
    assert encode({"label": list(expected.values())}) == expected
    assert encode({"label": expected}) == expected
    assert of_classes({"label": list(chosen)}) == expected
    assert columns(expected) == expected
    for i in chosen:
        alone = {label: float(label == labels[i]) for label in labels}
        assert encode({"label": labels[i]}) == encode({"label": i}) == alone


@pytest.fixture(scope="module")
def tagger():
    """A pipeline that gives every text the independent labels a, b and c."""
    nlp = spacy.blank("en")
    component = nlp.add_pipe("textcat_multilabel", config={"threshold": 0.0})
    for label in ("a", "b", "c"):
        component.add_label(label)
    nlp.initialize()
    return nlp


@pytest.mark.parametrize("names", [None, ["a", "b"]])
def test_label_that_a_file_happens_not_to_contain_counts_as_0(tmp_path, tagger, names):
    feature = Sequence(ClassLabel(names=names) if names else Value("string"))
    rows = Dataset.from_dict(
        {"text": ["x", "y"], "label": [["a"], ["b"]]},
        features=Features(text=Value("string"), label=feature),
    )
    rows.to_parquet(tmp_path / "dev.parquet")
    examples = list(HFDataset(str(tmp_path / "dev.parquet"))(tagger))
    assert examples[0].reference.cats == {"a": 1.0, "b": 0.0, "c": 0.0}
    # Of six labels given to two texts, two are right.
    assert tagger.evaluate(examples)["cats_micro_p"] == pytest.approx(1 / 3)


def test_labels_of_other_data_are_not_added(write, tagger):
    other = write([{"text": "x", "label": ["y", "z"]}])
    assert next(HFDataset(other)(tagger)).reference.cats == {"y": 1.0, "z": 1.0}
    told = write([{"text": "x", "label": ["a"]}], "told.jsonl")
    assert next(HFDataset(told, labels=["a", "b"])(tagger)).reference.cats == {"a": 1.0, "b": 0.0}
    some = write([{"text": "x", "label": {"a": 1.0, "b": 0.0}}], "mapping.jsonl")
    assert next(HFDataset(some)(tagger)).reference.cats == {"a": 1.0, "b": 0.0}
