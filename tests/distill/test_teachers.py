"""Teachers that a command names: which settings reach them, and which are refused."""

import pandas as pd
import pytest
import spacy

from spacy_attn.distill.teachers import TeacherSettings, find_teachers

from ..conftest import make_examples, make_nlp


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "labelled.csv"
    pd.DataFrame({"text": ["one"], "score_a": [0.25], "score_b": [0.75]}).to_csv(path, index=False)
    return f"table:{path}"


def find(*names, **settings):
    return find_teachers(names, TeacherSettings("en", exclusive=True, **settings))


def test_of_several_teachers_each_renames_what_it_has(table, classifier):
    new = {"LABEL_0": "good", "a": "good", "score_b": "bad", "LABEL_1": "bad"}
    both = find(table, f"hf:{classifier}", renamed=new)
    assert [each.annotator.labels for each in both] == [("good", "bad")] * 2


@pytest.mark.parametrize("old", ["c", "score_c", "text"])
def test_a_name_that_no_teacher_has_is_refused_with_those_that_they_have(table, classifier, old):
    said = f"'--rename {old}=good' renames nothing.*have 'LABEL_0', 'LABEL_1', 'a', 'b', 'score_a'"
    with pytest.raises(ValueError, match=said):
        find(table, f"hf:{classifier}", renamed={"a": "bad", old: "good"})


def test_of_teachers_with_the_same_name_each_renames_its_own(table, classifier):
    model = f"hf:{classifier}"
    said = rf"'{model}' and '{model}' both have 'LABEL_0', .*'--rename 3:LABEL_0=good'"
    with pytest.raises(ValueError, match=said):
        find(model, table, model, renamed={"LABEL_0": "good"})
    new = {"1:LABEL_0": "good", "2:LABEL_1": "good", "1:LABEL_1": "bad", "2:LABEL_0": "bad"}
    both = find(model, model, renamed=new)
    assert [each.annotator.labels for each in both] == [("good", "bad"), ("bad", "good")]
    with pytest.raises(ValueError, match="'--rename 2:LABEL_0=bad' renames nothing"):
        find(model, table, renamed={"2:LABEL_0": "bad"})


@spacy.Language.component("says_good")
def says_good(doc):
    """Declare nothing."""
    doc.cats = {"good": 0.4, "bad": 0.35, "so so": 0.25}
    return doc


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_student_says_whether_labels_of_an_undeclared_kind_exclude_one_another(
    tmp_path, exclusive
):
    nlp = spacy.blank("en")
    nlp.add_pipe("says_good")
    nlp.to_disk(tmp_path)
    (teacher,) = find_teachers([str(tmp_path)], TeacherSettings("en", exclusive=exclusive))
    assert teacher.annotator.decisions.exclusive == exclusive


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A pipeline with two components."""
    nlp = make_nlp(lang="en")
    nlp.add_pipe("textcat", name="mood")
    nlp.initialize(lambda: make_examples(nlp))
    folder = tmp_path_factory.mktemp("two") / "model"
    nlp.to_disk(folder)
    return str(folder)


def test_labels_of_a_pipeline_cannot_be_renamed(two):
    with pytest.raises(ValueError, match="Of these, the teachers have none"):
        find(two, renamed={"positive": "good"})


def test_a_component_of_a_pipeline_can_be_chosen(two, table):
    with pytest.raises(ValueError, match=r"name one of \['attn_textcat', 'mood'\] as 'component'"):
        find(two)[0].annotator.labels  # noqa: B018
    (teacher,) = find(two, component="mood")
    assert teacher.annotator.labels == ("positive", "negative")
    with pytest.raises(ValueError, match="'--component mood' has no meaning without a pipeline"):
        find(table, component="mood")
