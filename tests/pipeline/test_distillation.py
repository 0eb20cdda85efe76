"""Distillation: what is learned from a teacher, and which teachers are refused."""

import numpy
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

from ..conftest import TEXTS, make_examples, make_nlp, train

OTHER_LABELS = "Only the teacher has .'neutral'., and only '{name}' has .'positive'."


def unlabelled(nlp, texts):
    """Examples whose documents have no annotation at all."""
    return [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts]


@pytest.fixture(scope="module")
def teachers():
    """Trained pipelines, by the name of their component."""
    names = ("attn_textcat", "attn_textcat_multilabel", "textcat", "textcat_multilabel")
    return {name: make_teacher(name) for name in names}


def make_teacher(name):
    if name.startswith("attn"):
        nlp = make_nlp(name)
        train(nlp, 15)
        return nlp
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    sgd = nlp.initialize(lambda: make_examples(nlp))
    for _ in range(15):
        nlp.update(make_examples(nlp), sgd=sgd)
    return nlp


def gap(student, teacher, texts=TEXTS):
    """The largest difference of two pipelines' scores."""
    return max(
        abs(student(text).cats[label] - score)
        for text in texts
        for label, score in teacher(text).cats.items()
    )


@pytest.mark.parametrize("name", ["attn_textcat", "textcat"])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_an_exclusive_student_comes_to_predict_what_its_teacher_does(teachers, name, temperature):
    teacher = teachers[name]
    student = make_nlp("attn_textcat", distill_temperature=temperature)
    distill(student, teacher, name, 60)
    assert gap(student, teacher) < 0.1


@pytest.mark.parametrize("name", ["attn_textcat_multilabel", "textcat_multilabel"])
def test_a_student_of_independent_labels_comes_to_predict_what_its_teacher_does(teachers, name):
    student = make_nlp("attn_textcat_multilabel", distill_temperature=2.0)
    distill(student, teachers[name], name, 60)
    assert gap(student, teachers[name]) < 0.1


def distill(student, teacher, name, steps):
    fix_random_seed(0)
    component, sgd = student.get_pipe(student.pipe_names[-1]), Adam(0.01)
    for _ in range(steps):
        component.distill(teacher.get_pipe(name), unlabelled(student, TEXTS), sgd=sgd)


def test_the_teacher_does_not_change_and_reads_the_annotated_documents(teachers):
    teacher, student = teachers["attn_textcat"], make_nlp("attn_textcat")
    before = teacher("great fun").cats
    asked = []

    class Teacher:
        name, labels = "teacher", ("positive", "negative")

        def predict(self, docs):
            asked.extend(docs)
            return teacher.get_pipe("attn_textcat").predict(docs)

    examples = unlabelled(student, TEXTS)
    student.get_pipe("attn_textcat").distill(Teacher(), examples, sgd=Adam(0.01))
    assert asked == [example.reference for example in examples]
    assert teacher("great fun").cats == before


def test_labels_are_matched_by_name_in_whatever_order_the_teacher_has_them():
    student = make_nlp("attn_textcat")
    component = student.get_pipe("attn_textcat")

    class Teacher:
        name, labels = "teacher", tuple(reversed(component.labels))

        def predict(self, docs):
            # Its first label is the second one of the student.
            return numpy.array([[0.9, 0.1]] * len(docs), dtype="float32")

    distill_from = unlabelled(student, TEXTS)
    for _ in range(60):
        component.distill(Teacher(), distill_from, sgd=Adam(0.01))
    assert student(next(iter(TEXTS))).cats[Teacher.labels[0]] == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("factory", ["attn_textcat", "attn_textcat_multilabel"])
def test_a_teacher_that_is_all_too_sure_still_tells_its_logits(factory):
    teacher, student = (make_nlp(factory).get_pipe(factory) for _ in range(2))
    docs = [spacy.blank("en").make_doc(text) for text in TEXTS]
    expected = teacher.predict(docs).scores
    # Its scores are 0 and 1, as rounded.
    teacher.cfg["temperature"] = 1e-4
    student.distill_temperature = 1e4
    found = student._ask_teacher(teacher, [Example(doc, doc) for doc in docs])
    numpy.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("factory", ["attn_textcat", "attn_textcat_multilabel"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_gradient_is_that_of_the_loss_reported(factory, temperature):
    component = make_nlp(factory, distill_temperature=temperature).get_pipe(factory)
    logits = numpy.random.default_rng(0).normal(size=(3, 2))
    targets = numpy.array([[0.7, 0.3], [1.0, 0.0], [0.5, 0.5]], dtype="float32")
    _, gradient = component._get_distillation_loss(targets, logits)
    for index in numpy.ndindex(*logits.shape):
        above, below = logits.copy(), logits.copy()
        above[index] += 1e-4
        below[index] -= 1e-4
        difference = (
            component._get_distillation_loss(targets, above)[0]
            - component._get_distillation_loss(targets, below)[0]
        )
        assert gradient[index] == pytest.approx(difference / 2e-4, abs=1e-3)


@pytest.mark.parametrize("factory", ["attn_textcat", "attn_textcat_multilabel"])
def test_at_a_temperature_of_one_the_loss_is_that_of_annotated_probabilities(factory):
    component = make_nlp(factory).get_pipe(factory)
    logits = numpy.random.default_rng(0).normal(size=(2, 2)).astype("float32")
    targets = numpy.array([[0.7, 0.3], [0.9, 0.1]], dtype="float32")
    nlp = spacy.blank("en")
    examples = [
        Example.from_dict(
            nlp.make_doc("a"), {"cats": dict(zip(component.labels, row, strict=True))}
        )
        for row in targets.tolist()
    ]
    expected, gradient = component._get_training_loss(examples, logits)
    found, d_logits = component._get_distillation_loss(targets, logits)
    assert found == pytest.approx(expected, rel=1e-5)
    numpy.testing.assert_allclose(d_logits, gradient, atol=1e-6)


def test_a_teacher_with_other_labels_is_refused_with_their_names():
    student = make_nlp("attn_textcat")
    teacher = make_nlp("attn_textcat")
    component = teacher.get_pipe("attn_textcat")
    component.cfg["labels"] = ["negative", "neutral"]
    message = OTHER_LABELS.format(name="attn_textcat")
    with pytest.raises(ValueError, match=message):
        student.get_pipe("attn_textcat").distill(component, unlabelled(student, TEXTS))


@pytest.mark.parametrize("teacher", [None, "model", spacy.blank("en")])
def test_what_is_no_teacher_is_refused(teacher):
    student = make_nlp("attn_textcat")
    with pytest.raises(
        ValueError, match="needs a teacher that classifies texts, but 'teacher_pipe'"
    ):
        student.get_pipe("attn_textcat").distill(teacher, unlabelled(student, TEXTS))


@pytest.mark.parametrize("name", ["attn_textcat_multilabel", "textcat_multilabel"])
def test_a_teacher_of_labels_of_another_kind_is_refused(teachers, name):
    student = make_nlp("attn_textcat")
    with pytest.raises(ValueError, match=rf"'attn_textcat' exclude .* '{name}' do not exclude"):
        distill(student, teachers[name], name, 1)


def test_two_documents_of_different_texts_are_refused():
    student = make_nlp("attn_textcat")
    example = Example(student.make_doc("a text"), Doc(student.vocab, words=["another"]))
    component = student.get_pipe("attn_textcat")
    with pytest.raises(ValueError, match="same text, but they are 'a text' and 'another '"):
        component.distill(component, [example])


@pytest.mark.parametrize("cats", [{"positive": 1.0, "negative": 1.0}, {"x": None}])
def test_annotations_that_are_not_learned_from_are_not_checked(teachers, cats):
    student = make_nlp("attn_textcat")
    (example,) = unlabelled(student, ["great fun"])
    example.reference.cats = cats
    component = student.get_pipe("attn_textcat")
    teacher = teachers["attn_textcat"].get_pipe("attn_textcat")
    assert component.distill(teacher, [example])["attn_textcat"] > 0
    with pytest.raises(ValueError, match=r"labels that add up to more than 1|has the value None"):
        component.update([example])


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_out_of_its_range_is_refused(temperature):
    with pytest.raises(ValueError, match="'distill_temperature' must be a number above 0, but is"):
        make_nlp("attn_textcat", distill_temperature=temperature)


def test_empty_documents_and_empty_batches_teach_nothing(teachers):
    student = make_nlp("attn_textcat")
    component = student.get_pipe("attn_textcat")
    teacher = teachers["attn_textcat"].get_pipe("attn_textcat")
    for texts in ([], [""], ["", ""]):
        losses = component.distill(teacher, unlabelled(student, texts), sgd=Adam(0.01))
        assert losses == {"attn_textcat": 0.0}
