"""Distillation as a whole: its steps, what it keeps, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import spacy
import torch
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.util import load_config, registry
from thinc.api import Config
from tqdm import tqdm
from typer.testing import CliRunner

from spacy_attn.cli import app, distill_student, options
from spacy_attn.distill import distilling, teachers
from spacy_attn.distill.comparison import Comparison, Measures, closed_gap
from spacy_attn.distill.distilling import Distillation
from spacy_attn.distill.labelled_table import LabelledTable
from spacy_attn.distill.run_folder import own_folder
from spacy_attn.distill.student import filled, student_config, write_config
from spacy_attn.distill.teachers import (
    Teacher,
    TeacherSettings,
    find_teachers,
)
from spacy_attn.tables import bulk
from spacy_attn.tables.annotator import Annotator

from ..conftest import TEXTS, make_nlp, train
from ..docs.pages import ROOT
from ..tasks_here import run_here

N_ROWS = len(TEXTS)
LEFT_OUT = [("training", name) for name in ("seed", "train_corpus", "max_epochs")]
LEFT_OUT.append(("initialize", "vectors"))
FEW_STEPS = ["--training.max_steps", "2", "--training.eval_frequency", "1"]


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    monkeypatch.setattr(bulk, "run_tasks", run_here)
    monkeypatch.setattr(distill_student, "_set_up", lambda *_: None)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    nlp = make_nlp(lang="en")
    train(nlp, 10)
    folder = tmp_path_factory.mktemp("teacher") / "model"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def data(tmp_path):
    """A folder with a config, which spaCy has to complete, and the data that it names."""
    rows = [{"text": text, "label": label} for text, label in labelled()]
    for name in ("train", "validation", "test"):
        frame = pd.DataFrame(rows if name == "train" else rows[2:5])
        if name != "train":
            frame["text"] += f" in {name}"
        frame.to_parquet(tmp_path / f"{name}.parquet")
    pd.DataFrame({"text": ["a further text", "another one"]}).to_parquet(tmp_path / "more.parquet")
    config = Config().from_disk(ROOT / "configs" / "default.cfg", interpolate=False)
    for name, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        config["paths"][name] = str(tmp_path / f"{split}.parquet")
    model = config["components"]["attn_textcat"]["model"]
    model["hidden_width"] = 4
    for section, name in LEFT_OUT:
        del config[section][name]
    config.to_disk(tmp_path / "student.cfg")
    return tmp_path


def labelled():
    nlp = spacy.blank("en")
    for text, cats in TEXTS.items():
        yield nlp.make_doc(text).text, max(cats, key=cats.get) if isinstance(cats, dict) else cats


def distill(teacher, data, *options, code=0):
    output = data / "out"
    command = ["distill", str(teacher), str(data / "student.cfg"), "--output", str(output)]
    result = CliRunner().invoke(app, [*command, *FEW_STEPS, *options])
    assert result.exit_code == code, result.output
    return result.output, output


def test_a_student_is_trained_compared_and_saved(teacher, data):
    more = ["--texts", str(data / "more.csv"), "--text-column", "title,body"]
    more += ["--set", "encoding=latin-1", "--gold-weight", "0.5", "--baseline"]
    further = pd.DataFrame({"title": ["a", "b"], "body": ["naïve text", "text"]})
    further.to_csv(data / "more.csv", index=False, encoding="latin-1")
    shown, output = distill(teacher, data, *more, "--augment", "2")
    assert f"{len(TEXTS)} texts of the corpus, 2 further ones and " in shown
    found = json.loads((output / "distillation.json").read_text())
    for corpus in ("dev", "test"):
        measures = found["measures"][corpus]
        assert list(measures) == ["teacher", "student", "without a teacher"]
        assert measures["teacher"]["agreement"] == 1.0
        assert all(each["words_per_second"] > 0 for each in measures.values())
        assert all(each["size"] > 0 for each in measures.values())
    assert list(found["seconds"]) == ["labelling", "student", "without a teacher"]
    assert re.search(r"collected and labelled in \d+ s", shown)
    assert shown.count("training s") == 2
    student = spacy.load(output / "student" / "model-best")
    assert set(student("a text").cats) == set(spacy.load(teacher)("a text").cats)
    learned = pq.read_table(output / "train.parquet").to_pylist()
    assert "a naïve text" in [row["text"] for row in learned]
    assert not list(output.glob("*/trained.json"))
    assert found["texts"]["variants"] > 2
    assert len(learned) == len(TEXTS) + 2 + found["texts"]["variants"]


def make_distillation(data, *teachers):
    config = filled(Config().from_disk(data / "student.cfg", interpolate=False))
    teachers = [each if isinstance(each, Teacher) else pipeline(each) for each in teachers]
    return Distillation(
        teachers,
        config,
        data / "out",
        gold_weight=0.0,
        set_up=lambda: None,
        gpu_id=-1,
        bar=lambda total, done: tqdm(total=total, initial=done, disable=True),
    )


def teach(data, *teachers, texts=()):
    """Have teachers label the texts, three in a part, and return all that is to be learned."""
    distillation = make_distillation(data, *teachers)
    sources = [options.make_reader(str(data / name), labelled=False) for name in texts]
    return distillation.teach(sources, workers=1)


def pipeline(folder):
    return Teacher("the teacher", Annotator(folder))


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(distilling, "_ROWS_PER_PART", 3)


def part_times(data):
    parts = sorted((data / "out").glob("teacher-*/part-*.parquet"))
    return [part.stat().st_mtime_ns for part in parts]


@pytest.mark.usefixtures("small_parts")
def test_texts_are_labelled_once_and_anew_if_they_or_the_teacher_change(teacher, data, tmp_path):
    teach(data, teacher)
    before = part_times(data)
    teach(data, teacher)
    assert part_times(data) == before
    taught = teach(data, teacher, texts=["more.parquet"])
    assert part_times(data)[:2] == before[:2]
    assert pq.read_table(taught.path).num_rows == N_ROWS + 2
    other = shutil.copytree(teacher, tmp_path / "other")
    nlp = spacy.load(other)
    nlp.get_pipe("attn_textcat").cfg["temperature"] = 2.0
    nlp.to_disk(other)
    teach(data, other, teacher)
    both = part_times(data)
    assert len(both) == 2 * len(before)
    assert set(before[:2]) < set(both)
    # What other teachers have labelled is kept, wherever they stand.
    component = Teacher("its component", Annotator(other, component="attn_textcat"))
    teach(data, component, teacher, other)
    assert len(part_times(data)) == 3 * len(before)
    assert set(both) < set(part_times(data))


def test_texts_are_not_labelled_anew_where_the_output_was_moved(teacher, data):
    teach(data, teacher)
    before = part_times(data)
    elsewhere = data / "elsewhere"
    elsewhere.mkdir()
    shutil.move(data / "out", elsewhere)
    shutil.copy(data / "student.cfg", elsewhere)
    teach(elsewhere, teacher)
    assert part_times(elsewhere) == before


def probabilities(data, teacher):
    found = pq.read_table(teach(data, teacher).path).to_pydict()
    return found["score_positive"]


def test_a_model_of_transformers_that_is_trained_anew_labels_anew(data, classifier, tmp_path):
    model = shutil.copytree(classifier, tmp_path / "model")
    names = {"LABEL_0": "negative", "LABEL_1": "positive"}

    def label():
        settings = TeacherSettings("en", exclusive=True, renamed=names)
        (found,) = find_teachers([f"hf:{model}"], settings)
        return probabilities(data, found)

    before = label()
    transformers = pytest.importorskip("transformers")
    trained = transformers.AutoModelForSequenceClassification.from_pretrained(model)
    trained.classifier.bias.data += torch.tensor([0.0, 1.0])
    trained.save_pretrained(model)
    assert all(new > old for new, old in zip(label(), before, strict=True))


@pytest.mark.usefixtures("small_parts")
def test_a_run_that_was_killed_goes_on_and_ends_as_if_nothing_had_been(teacher, data, monkeypatch):
    def killed_after_one(*arguments):
        for event in run_here(*arguments):
            yield event
            if event.kind == "done":
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "run_tasks", killed_after_one)
        with pytest.raises(KeyboardInterrupt):
            teach(data, teacher)
    assert not (data / "out" / "train.parquet").exists()
    (first,) = part_times(data)
    found = pq.read_table(teach(data, teacher).path)
    assert part_times(data)[0] == first
    shutil.rmtree(data / "out")
    assert found == pq.read_table(teach(data, teacher).path)


def test_what_was_trained_before_a_run_was_stopped_is_kept_until_a_run_ends(
    teacher, data, monkeypatch
):
    def train_or_stop(_, folder, use_gpu):
        trained.append(folder.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        shutil.copytree(teacher, folder / "model-best", dirs_exist_ok=True)

    def run(baseline=True):
        return make_distillation(data, pipeline(teacher)).run([], workers=1, baseline=baseline)

    trained = []
    monkeypatch.setattr(distilling, "train", train_or_stop)
    with pytest.raises(KeyboardInterrupt):
        run()
    result = run()
    assert result.kept == ["student"]
    assert list(result.seconds) == ["labelling", "student", "without a teacher"]
    assert trained == ["student", "baseline", "baseline"]
    (data / "out" / "baseline" / "trained.json").touch()
    assert run(baseline=False).kept == []
    assert not list((data / "out").glob("*/trained.json"))


@pytest.mark.usefixtures("small_parts")
def test_what_a_teacher_has_labelled_before_it_failed_is_kept(teacher, data):
    nlp = spacy.load(teacher)
    nlp.max_length = 1_000
    teacher = Teacher("the teacher", Annotator(nlp))
    pd.DataFrame({"text": ["x" * 2_000]}).to_parquet(data / "more.parquet")
    with pytest.raises(ValueError, match=r"'the teacher' could not label all texts \(.*rows"):
        teach(data, teacher, texts=["more.parquet"])
    before = part_times(data)
    assert len(before) == 2
    pd.DataFrame({"text": ["a shorter text"]}).to_parquet(data / "more.parquet")
    assert pq.read_table(teach(data, teacher, texts=["more.parquet"]).path).num_rows == N_ROWS + 1
    assert part_times(data)[:2] == before


def test_texts_without_any_label_and_empty_ones_are_taught(teacher, data):
    nlp = spacy.blank("en")
    docs = [nlp.make_doc(text) for text in ("one text", " ")]
    DocBin(docs=docs).to_disk(data / "train.spacy")
    config = Config().from_disk(data / "student.cfg", interpolate=False)
    config["corpora"]["train"] = {
        "@readers": "spacy-attn.HFDataset.v1",
        "path": str(data / "train.spacy"),
    }
    config.to_disk(data / "student.cfg")
    pd.DataFrame({"text": ["", "a further text"]}).to_parquet(data / "more.parquet")
    taught = teach(data, teacher, texts=["more.parquet"])
    rows = pq.read_table(taught.path).to_pylist()
    assert [row.pop("text") for row in rows] == ["one text", " ", "a further text"]
    assert all(sum(row.values()) == pytest.approx(1.0) for row in rows)
    assert (taught.texts.annotated, taught.texts.further, taught.texts.blank) == (2, 1, 1)


def labelled_table(data, texts):
    rows = [{"text": text, "score_positive": 0.75, "score_negative": 0.25} for text in texts]
    pd.DataFrame(rows).to_csv(data / "labelled.csv", index=False)
    return data / "labelled.csv"


@pytest.mark.filterwarnings("ignore:.*first documents of a streamed corpus")
def test_a_table_teaches_what_it_knows_and_annotations_the_rest(data):
    (_, *known) = (text for text, _ in labelled())
    table = labelled_table(data, [*known, "a further text"])
    more = ["--texts", str(data / "more.parquet"), "--training.max_epochs", "-1"]
    shown, output = distill(f"table:{table}", data, *more)
    said = " ".join(shown.split())
    assert "no teacher has labelled 1 texts that are learned by their annotation, and 1" in said
    assert "no teacher has labelled all texts of 'dev'" in said
    found = json.loads((output / "distillation.json").read_text())
    assert (found["texts"]["by_annotation"], found["texts"]["unlabelled"]) == (1, 1)
    for measures in found["measures"].values():
        assert list(measures) == ["student"]
        assert measures["student"]["agreement"] is None
    rows = pq.read_table(output / "train.parquet").to_pylist()
    assert len(rows) == N_ROWS + 1
    assert {row["score_positive"] for row in rows[1:]} == {0.75}
    assert rows[0]["score_positive"] == float(next(labelled())[1] == "positive")


def test_a_table_is_compared_where_it_knows_all_texts(data):
    names = ("train", "validation")
    table = labelled_table(
        data, [text for name in names for text in pd.read_parquet(data / f"{name}.parquet")["text"]]
    )
    shown, output = distill(f"table:{table}", data)
    measures = json.loads((output / "distillation.json").read_text())["measures"]
    # Its parts have no ledger, so a pipeline must not find them where it looks for its own.
    assert [path.name for path in output.glob("t*-*")] == ["table-0"]
    assert list(measures["dev"]) == ["teacher", "student"]
    assert list(measures["test"]) == ["student"]
    teacher = measures["dev"]["teacher"]
    assert (teacher["words_per_second"], teacher["size"]) == (None, None)
    assert teacher["agreement"] == 1.0
    assert 0.0 <= measures["dev"]["student"]["agreement"] <= 1.0
    assert "no teacher has labelled all texts of 'test'" in " ".join(shown.split())


def test_a_pipeline_and_a_table_are_averaged_where_both_know_a_text(teacher, data):
    text = "great fun and a joy"
    alone = pq.read_table(teach(data, teacher).path).to_pandas().set_index("text")
    path = str(labelled_table(data, [text]))
    table = Teacher("table", LabelledTable(path, exclusive=True))
    both = pq.read_table(teach(data, teacher, table).path).to_pandas().set_index("text")
    expected = (alone.loc[text, "score_positive"] + 0.75) / 2
    assert both.loc[text, "score_positive"] == pytest.approx(expected)
    assert both.drop(text).equals(alone.drop(text))


def test_a_student_that_streams_draws_its_texts_at_random():
    config = Config().from_disk(ROOT / "configs" / "default.cfg", interpolate=False)
    kept = student_config(config, Path("train.parquet"), ["a", "b"], exclusive=True)
    corpus = kept["corpora"]["train"]
    assert (corpus["streaming"], corpus["shuffle_buffer"], corpus["lazy"]) == (False, 0, True)
    config["training"]["max_epochs"] = -1
    for given, expected in ((0, 10_000), (7, 7)):
        config["corpora"]["train"]["shuffle_buffer"] = given
        streamed = student_config(config, Path("train.parquet"), ["a", "b"], exclusive=True)
        corpus = streamed["corpora"]["train"]
        assert (corpus["streaming"], corpus["shuffle_buffer"]) == (True, expected)
        assert registry.resolve(streamed.interpolate()["corpora"])["train"].streaming


def test_a_path_that_other_corpora_have_too_stays_theirs():
    config = Config().from_disk(ROOT / "configs" / "default.cfg", interpolate=False)
    soft = Path("soft.parquet").resolve()
    kept = student_config(config, soft, ["a", "b"], exclusive=True).interpolate()
    assert kept["paths"]["train"] == kept["corpora"]["train"]["path"] == str(soft)
    config["corpora"]["dev"]["path"] = "${paths.train}"
    kept = student_config(config, soft, ["a", "b"], exclusive=True).interpolate()
    assert kept["corpora"]["train"]["path"] == str(soft)
    assert kept["corpora"]["dev"] == config.interpolate()["corpora"]["dev"]


def test_scored_data_without_labels_are_refused_before_a_teacher_labels(data, teacher):
    frame = pd.read_parquet(data / "test.parquet")
    DocBin(docs=map(spacy.blank("en").make_doc, frame["text"])).to_disk(data / "test.spacy")
    test = ["--paths.test", str(data / "test.spacy")]
    shown, output = distill(teacher, data, *test, code=1)
    assert "No document of [corpora.test] has a label" in " ".join(shown.split())
    assert not list(output.glob("t*-*"))


def test_pipelines_agree_by_the_names_of_their_labels(data):
    examples = [Example(doc := spacy.blank("en")(text), doc) for text, _ in labelled()]
    for example, (_, label) in zip(examples, labelled(), strict=True):
        example.reference.cats = {label: 1.0}
    said = [
        (text, (0.75, 0.25) if i % 2 else (0.25, 0.75)) for i, (text, _) in enumerate(labelled())
    ]
    comparison = Comparison(examples)
    for names in (["positive", "negative"], ["negative", "positive"]):
        rows = [
            {"text": text} | {f"score_{name}": scores[name == "negative"] for name in names}
            for text, scores in said
        ]
        pd.DataFrame(rows).to_csv(data / "labelled.csv", index=False)
        table = LabelledTable(str(data / "labelled.csv"), exclusive=True)
        assert list(table.labels) == names
        assert comparison.measure([table], None).agreement == 1.0


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["positive", "neutral", "negative"], "only the teacher has 'neutral'"),
        (["0", "1"], "only the data have 'negative', 'positive' and only the teacher has '0', '1'"),
    ],
)
def test_other_labels_than_those_of_the_data_are_named_before_the_teacher_labels(
    data, labels, said
):
    frame = pd.read_parquet(data / "train.parquet")
    # Only the other corpora have labels.
    DocBin(docs=map(spacy.blank("en").make_doc, frame["text"])).to_disk(data / "train.spacy")
    scores = pd.DataFrame({f"score_{label}": 1.0 / len(labels) for label in labels}, frame.index)
    pd.concat([frame["text"], scores], axis=1).to_csv(data / "labelled.csv", index=False)
    train = ["--paths.train", str(data / "train.spacy")]
    shown, output = distill(f"table:{data / 'labelled.csv'}", data, *train, code=1)
    assert said in " ".join(shown.split())
    assert not list(output.glob("t*-*"))


def test_a_table_cannot_label_variants(data):
    shown, _ = distill(f"table:{data / 'more.parquet'}", data, "--augment", "2", code=1)
    assert "makes texts that 'table:" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rename", "score_x=b"], "'--rename score_x=b' renames nothing"),
        (["--rename", "a=b", "--rename", "a=c"], "'--rename a=c' gives 'a' a second name"),
        (["--component", "mood"], "mood"),
        (["--precision", "bfloat16"], "'--precision bfloat16' has no meaning"),
        (["--text-column", "body"], "'--text-column body' is for '--texts' and tables"),
        (["--split", "test"], "'--split' and '--set' are for '--texts'"),
    ],
)
def test_an_option_that_a_teacher_has_no_use_for_is_refused(teacher, data, options, said):
    shown, _ = distill(teacher, data, *options, code=1)
    assert said in " ".join(shown.split())


@pytest.mark.parametrize("pair", ["a", "=b", "a="])
def test_a_renaming_that_renames_nothing_is_refused(teacher, data, pair):
    shown, _ = distill(teacher, data, "--rename", pair, code=1)
    assert "renames nothing: write LABEL=NAME" in " ".join(shown.split())


def test_several_teachers_are_compared_by_the_mean_of_what_they_say(data):
    examples = [Example(doc := spacy.blank("en")(text), doc) for text, _ in labelled()]
    for example in examples:
        example.reference.cats = {"positive": 1.0, "negative": 0.0}
    tables = []
    for share in (0.25, 0.9):
        rows = [
            {"text": text, "score_positive": share, "score_negative": 1 - share}
            for text, _ in labelled()
        ]
        pd.DataFrame(rows).to_csv(data / "labelled.csv", index=False)
        tables.append(LabelledTable(str(data / "labelled.csv"), exclusive=True))
        # What it says is read when it is needed first.
        assert tables[-1].knows([])
    for wrong, right in (tables, tables[::-1]):
        assert Comparison(examples).measure([wrong, right], None).accuracy == 1.0
    assert Comparison(examples).measure(tables[:1], None).accuracy == 0.0


@pytest.mark.parametrize("name", ["train.parquet", "student", "teacher-0"])
def test_a_folder_with_files_of_the_user_is_refused_and_left_as_it_is(teacher, data, name):
    mine = data / "out" / name
    mine.parent.mkdir()
    mine.write_text("mine")
    shown, _ = distill(teacher, data, code=1)
    assert f"has '{name}' in it, which this command has not written" in " ".join(shown.split())
    assert mine.read_text() == "mine"
    assert [path.name for path in mine.parent.iterdir()] == [name]


@pytest.mark.parametrize("data_in", ["out", "out/student"])
def test_data_that_would_be_written_over_are_refused(teacher, data, data_in):
    folder = data / data_in
    with own_folder(data / "out", []):
        folder.mkdir(exist_ok=True)
        (folder / "train.parquet").write_bytes((data / "train.parquet").read_bytes())
    before = (folder / "train.parquet").read_bytes()
    for option in ("--texts", "--paths.train"):
        shown, _ = distill(teacher, data, option, str(folder / "train.parquet"), code=1)
        assert "lies in the output" in " ".join(shown.split())
        assert (folder / "train.parquet").read_bytes() == before


@pytest.mark.parametrize("prefix", ["", "hf:"])
def test_a_teacher_that_would_be_written_over_is_refused(teacher, data, prefix):
    output = data / "out"
    place = output / "student" / "model-best"
    with own_folder(output, []):
        shutil.copytree(teacher, place)
    before = (place / "meta.json").read_bytes()
    learner = Teacher(f"{prefix}{place}", Annotator(place))
    with pytest.raises(ValueError, match="model-best' lies in the output"):
        make_distillation(data, learner).run([], workers=1, baseline=False)
    assert (place / "meta.json").read_bytes() == before


def test_a_folder_takes_one_run_at_a_time(teacher, data):
    with own_folder(data / "out", []):
        shown, _ = distill(teacher, data, code=1)
    assert "another process is writing to" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--training.max_steps", "abc"], "max_steps"),
        (["--components.attn_textcat.factory", "textcat"], "is spaCy's 'textcat', which cannot"),
    ],
)
def test_a_student_that_cannot_be_trained_is_refused_before_a_teacher_labels(
    teacher, data, options, said
):
    shown, output = distill(teacher, data, *options, code=1)
    assert said in " ".join(shown.split())
    assert not list(output.glob("t*-*"))


def test_a_label_that_a_config_takes_for_a_variable_is_refused_before_a_teacher_labels(data):
    name = "${paths.train}"
    frame = pd.read_parquet(data / "train.parquet")
    for split in ("train", "validation", "test"):
        own = pd.read_parquet(data / f"{split}.parquet").replace({"label": {"negative": name}})
        own.to_parquet(data / f"{split}.parquet")
    scores = {"score_positive": [0.5] * len(frame), f"score_{name}": [0.5] * len(frame)}
    frame[["text"]].assign(**scores).to_parquet(data / "said.parquet")
    shown, output = distill(f"table:{data / 'said.parquet'}", data, code=1)
    assert f"The label '{name}' has '${{' in it" in " ".join(shown.split())
    assert not list(output.glob("t*-*"))


def test_a_dollar_sign_in_a_label_or_a_path_stays_one(tmp_path):
    config = filled(Config().from_disk(ROOT / "configs" / "default.cfg", interpolate=False))
    kept = student_config(config, tmp_path / "a$b", ["US$", "CA$"], exclusive=True)
    write_config(kept, tmp_path / "config.cfg")
    read = load_config(tmp_path / "config.cfg", interpolate=False)
    assert read == kept
    assert read.interpolate()["corpora"]["train"]["labels"] == ["US$", "CA$"]


def test_names_of_teachers_are_split_at_commas_unless_they_are_the_place_of_one(data, monkeypatch):
    (data / "a,b").mkdir()
    found = []
    monkeypatch.setattr(teachers, "find_teachers", lambda names, _: found.append(names) or 1 / 0)
    places = [f"{prefix}{data / 'a,b'}" for prefix in ("", "hf:", "table:")]
    for given in ("one, hf:two,table:three", *places):
        command = ["distill", given, str(data / "student.cfg"), "--output", str(data / "out")]
        assert isinstance(CliRunner().invoke(app, command).exception, ZeroDivisionError)
    assert found == [["one", "hf:two", "table:three"], *([place] for place in places)]


def test_the_gap_is_closed_by_the_share_of_the_lead_that_is_made_up_for():
    teacher, student, plain = (Measures(x, 0, 0, 0, 0, 0) for x in (0.9, 0.875, 0.8))
    assert closed_gap(teacher, student, plain) == pytest.approx(0.75)
    assert closed_gap(plain, student, teacher) is None
