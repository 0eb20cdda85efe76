"""What a student learns: teachers averaged, annotations mixed in, and what does not fit."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spacy_attn.distill.soft_labels import common_labels, write_soft_labels
from spacy_attn.distill.training_texts import SCHEMA
from spacy_attn.pipeline.decisions import Decisions


def mix(tmp_path, scores, gold=None, exclusive=True, gold_weight=0.0):
    """Write and read the labels of one text, for which each teacher has some scores."""
    files = []
    for i, of_teacher in enumerate(scores):
        table = pa.table({"text": ["a text"], "gold": pa.array([gold], SCHEMA.field("gold").type)})
        for label, score in of_teacher.items():
            table = table.append_column(f"score_{label}", pa.array([score]))
        files.append(tmp_path / f"{i}.parquet")
        pq.write_table(table, files[-1])
    path = tmp_path / "train.parquet"
    write_soft_labels(path, [files], list(scores[0]), exclusive=exclusive, gold_weight=gold_weight)
    (row,) = pq.read_table(path).to_pylist()
    assert row.pop("text") == "a text"
    return {name.removeprefix("score_"): pytest.approx(x, abs=1e-6) for name, x in row.items()}


def test_probabilities_of_several_teachers_are_averaged(tmp_path):
    found = mix(tmp_path, [{"a": 0.8, "b": 0.2}, {"a": 0.4, "b": 0.6}])
    assert found == {"a": 0.6, "b": 0.4}


def test_an_annotated_label_counts_as_much_as_is_wanted(tmp_path):
    taught = [{"a": 0.8, "b": 0.2}]
    assert mix(tmp_path, taught, [("b", 1.0)], gold_weight=0.0) == {"a": 0.8, "b": 0.2}
    assert mix(tmp_path, taught, [("b", 1.0)], gold_weight=0.25) == {"a": 0.6, "b": 0.4}
    assert mix(tmp_path, taught, [("b", 1.0)], gold_weight=1.0) == {"a": 0.0, "b": 1.0}
    assert mix(tmp_path, taught, None, gold_weight=1.0) == {"a": 0.8, "b": 0.2}


def test_an_annotation_that_says_no_exclusive_label_is_right_leaves_what_is_taught(tmp_path):
    taught = [{"a": 0.8, "b": 0.2}]
    for gold in ([("a", 0.0), ("b", 0.0)], [("unknown", 1.0)]):
        assert mix(tmp_path, taught, gold, gold_weight=1.0) == taught[0]


def test_of_independent_labels_those_that_are_not_annotated_stay_those_of_the_teacher(tmp_path):
    taught = [{"a": 0.8, "b": 0.9}]
    found = mix(tmp_path, taught, [("a", 0.0)], exclusive=False, gold_weight=0.5)
    assert found == {"a": 0.4, "b": 0.9}


def test_exclusive_probabilities_sum_to_one(tmp_path):
    assert mix(tmp_path, [{"a": 0.6, "b": 0.6}]) == {"a": 0.5, "b": 0.5}


NULL = {"a": None, "b": None}


def test_what_a_teacher_does_not_say_is_said_by_others_or_by_the_annotation(tmp_path):
    assert mix(tmp_path, [{"a": 0.8, "b": 0.2}, NULL]) == {"a": 0.8, "b": 0.2}
    assert mix(tmp_path, [NULL, NULL], [("b", 1.0)], gold_weight=0.1) == {"a": 0.0, "b": 1.0}
    # Of independent labels that are neither taught nor annotated nothing is known.
    found = mix(tmp_path, [NULL], [("b", 0.0)], exclusive=False)
    assert found == {"a": pytest.approx(None), "b": 0.0}


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_text_of_which_nothing_is_known_is_left_out_and_counted(tmp_path, exclusive):
    table = pa.table(
        {
            "text": ["one", "two", "three"],
            "gold": pa.array([None, None, [("a", 1.0)]], SCHEMA.field("gold").type),
            "score_a": [None, 0.5, None],
            "score_b": [None, 0.5, None],
        },
    )
    pq.write_table(table, tmp_path / "0.parquet")
    path = tmp_path / "train.parquet"
    settings = {"exclusive": exclusive, "gold_weight": 0.5}
    counts = write_soft_labels(path, [[tmp_path / "0.parquet"]], ["a", "b"], **settings)
    assert pq.read_table(path)["text"].to_pylist() == ["two", "three"]
    assert (counts.unlabelled, counts.by_annotation) == (1, 1)
    assert counts.unknown == (0 if exclusive else 1)


def test_teachers_of_different_labels_are_refused_with_what_only_one_has():
    def common(*labels):
        teachers = [("one", Decisions(("a", "b"), True)), ("two", Decisions(labels, True))]
        return common_labels(teachers, exclusive=True)

    assert common("b", "a") == ("a", "b")
    with pytest.raises(ValueError, match=r"'one' and 'two' must have the same labels.*\['c'\]"):
        common("a", "b", "c")


def test_a_teacher_of_labels_of_another_kind_than_the_student_is_refused():
    kinds = (True, False)
    teachers = [(str(kind), Decisions(("a", "b"), kind)) for kind in kinds]
    said = "'False' do not exclude one another, but those of the student exclude one another"
    with pytest.raises(ValueError, match=rf"{said}\. Take 'attn_textcat_multilabel' as the"):
        common_labels(teachers, exclusive=True)
    with pytest.raises(ValueError, match=r"'True' exclude one another.* Take 'attn_textcat' as"):
        common_labels(teachers, exclusive=False)
