"""`spacy attn apply`: every row comes out once, whatever happens on the way."""

import csv
import json
import os
import shutil
import signal
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from spacy.training import Example
from spacy.util import import_file
from typer.testing import CliRunner

from spacy_attn.cli import app
from spacy_attn.cli import apply as cli
from spacy_attn.tables import bulk
from spacy_attn.tables.annotator import Annotator

from ..conftest import MIXED_TEXTS, TEXTS
from ..tasks_here import run_here

N_ROWS = 40
ROWS = [{"id": i, "text": f"{text} {i}"} for i, text in enumerate([*TEXTS, *MIXED_TEXTS] * 4)]
ROWS = ROWS[:N_ROWS]


def stay_here(monkeypatch):
    """Have one process do everything, which loads the pipeline once."""
    monkeypatch.setattr(bulk, "run_tasks", run_here)
    monkeypatch.setattr(cli, "_set_up", lambda *_: None)


@pytest.fixture
def here(monkeypatch, tmp_path):
    """Have one process do everything, in a folder of its own."""
    stay_here(monkeypatch)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)


def apply(*arguments, expected=0):
    """Run the command. Return what it prints, and what it says besides, in one line."""
    done = CliRunner().invoke(app, ["apply", *map(str, arguments)])
    assert done.exit_code == expected, done.output
    return done.stdout, " ".join(done.stderr.split())


def write(path, rows=ROWS, **settings):
    pq.write_table(pa.Table.from_pylist(rows), path, **settings)


def read(folder):
    """Return the rows of all parts, in their order."""
    return [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def read_csv(path):
    with open(path, encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def annotated(model, rows=ROWS):
    nlp = spacy.load(model)
    for row, doc in zip(rows, nlp.pipe([row["text"] for row in rows]), strict=True):
        scores = {f"score_{label}": score for label, score in doc.cats.items()}
        yield {**row, "label": max(doc.cats, key=doc.cats.get), **scores}


def assert_annotated(found, model, rows=ROWS):
    assert found == [
        {
            name: pytest.approx(value, abs=1e-6) if name[:5] == "score" else value
            for name, value in row.items()
        }
        for row in annotated(model, rows)
    ]


@pytest.mark.usefixtures("here")
def test_every_row_is_written_with_all_its_columns_and_what_the_pipeline_says(model, tmp_path):
    write("rows.parquet", row_group_size=7)
    printed, said = apply(model, "rows.parquet", "out", "--rows-per-part", 15)
    assert [path.name for path in sorted(tmp_path.glob("out/*.parquet"))] == [
        f"part-0000{i}.parquet" for i in range(3)
    ]
    assert_annotated(read(tmp_path / "out"), model)
    n_words = sum(len(doc) for doc in spacy.load(model).pipe([row["text"] for row in ROWS]))
    summary = dict(line.rsplit(None, 1) for line in printed.splitlines())
    speed = summary.pop("words/s")
    assert float(speed.replace(",", "")) > 0
    n_positive = sum(row["label"] == "positive" for row in annotated(model))
    wanted = {"positive": n_positive, "negative": N_ROWS - n_positive}
    assert summary == {
        "rows": str(N_ROWS),
        **{f"label {label}": str(n) for label, n in wanted.items() if n},
        "failed rows": "0",
        "words": str(n_words),
    }
    assert said == ""


@pytest.mark.usefixtures("here")
def test_the_output_is_a_data_set_for_other_programs(model, tmp_path):
    write("rows.parquet")
    apply(model, "rows.parquet", "out", "--rows-per-part", 15)
    for found in (
        datasets.load_dataset("parquet", data_dir="out", split="train"),
        datasets.load_dataset(str(tmp_path / "out"), split="train"),
        pq.read_table("out"),
    ):
        assert list(
            found["id"] if not isinstance(found, pa.Table) else found["id"].to_pylist()
        ) == [row["id"] for row in ROWS]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
def test_a_single_file_is_written_by_its_ending(model, tmp_path, ending):
    write("rows.parquet")
    output = tmp_path / f"out{ending}"
    apply(model, "rows.parquet", output, "--rows-per-part", 15, "--tokens", "--attention")
    if ending == ".parquet":
        found = pq.read_table(output).to_pylist()
    elif ending == ".jsonl":
        found = [json.loads(line) for line in output.read_text("utf8").splitlines()]
    else:
        found = read_csv(output)
        found = [
            {
                name: value if name in ("text", "label") else json.loads(value)
                for name, value in row.items()
            }
            for row in found
        ]
    docs = list(spacy.load(model).pipe([row["text"] for row in ROWS]))
    for row, doc in zip(found, docs, strict=True):
        assert row.pop("tokens") == [token.text for token in doc]
        assert row.pop("attention") == pytest.approx(doc._.attention.tolist(), abs=1e-6)
    assert_annotated(found, model)
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.usefixtures("here")
def test_any_pipeline_that_classifies_will_do(tmp_path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("textcat_multilabel").initialize(
        lambda: make_nlp_examples(nlp), nlp=nlp, labels=["a", "b"]
    )
    nlp.to_disk("theirs")
    write("rows.parquet")
    printed, _ = apply("theirs", "rows.parquet", "out")
    (first, *_) = read(tmp_path / "out")
    assert list(first) == ["id", "text", "labels", "score_a", "score_b"]
    n_labels = sum(row["labels"].count("a") for row in read(tmp_path / "out"))
    assert not n_labels or f"label a {n_labels}" in " ".join(printed.split())


def make_nlp_examples(nlp):
    return [Example.from_dict(nlp.make_doc("a text"), {"cats": {"a": 1.0, "b": 0.0}})]


@pytest.mark.usefixtures("here")
def test_rows_come_from_what_the_reader_reads(model, tmp_path):
    data = datasets.Dataset.from_list(ROWS)
    datasets.DatasetDict(train=data, test=data.select(range(5))).save_to_disk("saved")
    with open("rows.tsv", "w", encoding="utf-16", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text"], delimiter="\t")
        writer.writeheader()
        writer.writerows(ROWS)
    apply(model, "saved", "a", "--split", "test")
    assert_annotated(read(tmp_path / "a"), model, ROWS[:5])
    apply(model, "rows.tsv", "b", "--set", "encoding=utf-16", "--set", "quoting=minimal")
    assert [row["text"] for row in read(tmp_path / "b")] == [row["text"] for row in ROWS]


@pytest.mark.usefixtures("here")
def test_it_goes_on_with_the_parts_that_are_missing(model, tmp_path):
    write("rows.parquet")
    arguments = (model, "rows.parquet", "out", "--rows-per-part", 10)
    printed, _ = apply(*arguments)
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    before = {path: path.read_bytes() for path in parts}
    times = {path: path.stat().st_mtime_ns for path in parts}
    parts[1].unlink()
    parts[2].unlink()
    again, _ = apply(*arguments, "--workers", 2, "--threads", 2)
    assert {path: path.read_bytes() for path in parts} == before
    assert [path.stat().st_mtime_ns == times[path] for path in parts] == [True, False, False, True]
    assert printed.splitlines()[:-1] == again.splitlines()[:-1]
    at_last, _ = apply(*arguments)
    assert at_last.splitlines()[-1].split() == ["words/s", "-"]


@pytest.mark.usefixtures("here")
def test_one_bar_counts_the_rows_of_all_workers_and_those_done_before(model, tmp_path, monkeypatch):
    counted, settings = [], []

    class Bar:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self, n):
            counted.append(n)

    def tqdm(**given):
        settings.append(given)
        return Bar()

    monkeypatch.setattr("spacy_attn.cli.console.tqdm", tqdm)
    write("rows.parquet")
    arguments = (model, "rows.parquet", "out", "--rows-per-part", 15)
    apply(*arguments)
    assert sum(counted) == settings[0]["total"] == N_ROWS
    assert settings[0]["initial"] == 0
    assert settings[0]["disable"] is None  # it looks whether the standard error is a terminal
    (tmp_path / "out" / "part-00000.parquet").unlink()
    counted.clear()
    apply(*arguments)
    assert sum(counted) == 15
    assert settings[1]["initial"] == N_ROWS - 15


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("size", "wanted"), [(7, 7), (1500, 40), (3, 9)])
def test_the_pipeline_gets_batches_of_the_size_that_is_asked_for(model, monkeypatch, size, wanted):
    monkeypatch.setattr(bulk, "_ROWS", 10)
    sizes = []
    annotate = Annotator.__call__

    def noted(self, table):
        sizes.append(len(table))
        return annotate(self, table)

    monkeypatch.setattr(Annotator, "__call__", noted)
    write("rows.parquet")
    apply(model, "rows.parquet", "out", "--batch-size", size)
    assert sizes[0] == wanted
    assert sum(sizes) == N_ROWS


@pytest.mark.usefixtures("here")
def test_other_arguments_are_refused_unless_they_may_overwrite(model, tmp_path):
    write("rows.parquet")
    arguments = (model, "rows.parquet", "out")
    apply(*arguments)
    other = tmp_path / "other"
    nlp = spacy.load(model)
    nlp.meta["description"] = "another"
    nlp.to_disk(other)
    for name, *changed in (
        ("tokens was false and is true", *arguments, "--tokens"),
        ("model was", other, *arguments[1:]),
        ("rows per part was 50000 and is 20", *arguments, "--rows-per-part", 20),
    ):
        _, said = apply(*changed, expected=1)
        assert name in said
    apply(*arguments, "--tokens", "--overwrite")
    assert "tokens" in read(tmp_path / "out")[0]


@pytest.mark.usefixtures("here")
def test_data_that_has_changed_is_refused(model, tmp_path):
    write("rows.parquet")
    apply(model, "rows.parquet", "out")
    write("rows.parquet", ROWS[:3])
    _, said = apply(model, "rows.parquet", "out", expected=1)
    assert "part-00000.parquet' was made of other rows: the data has changed since" in said
    apply(model, "rows.parquet", "out", "--overwrite")
    assert_annotated(read(tmp_path / "out"), model, ROWS[:3])


@pytest.mark.usefixtures("here")
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_done(model, tmp_path):
    Path("rows").mkdir()
    for name in "abc":
        write(f"rows/{name}.parquet")
    good = Path("rows/b.parquet").read_bytes()
    Path("rows/b.parquet").write_bytes(b"PAR1 and no more")
    printed, said = apply(model, "rows/*.parquet", "out", expected=1)
    assert "'rows/b.parquet': it cannot be read (ArrowInvalid" in said
    assert "1 of 3 parts are missing The others are kept" in said
    assert printed.split()[:2] == ["rows", str(2 * N_ROWS)]
    assert len(read(tmp_path / "out")) == 2 * N_ROWS
    # Once it is repaired, it goes on.
    Path("rows/b.parquet").write_bytes(good)
    apply(model, "rows/*.parquet", "out")
    assert_annotated(read(tmp_path / "out"), model, ROWS * 3)


@pytest.mark.usefixtures("here")
def test_files_of_different_columns_become_a_folder_but_no_single_table(model, tmp_path):
    Path("rows").mkdir()
    write("rows/a.parquet", ROWS[:4])
    write("rows/b.parquet", [{"text": row["text"]} for row in ROWS[:4]])
    for name in ("out.parquet", "out.csv"):
        _, said = apply(model, "rows", name, expected=1)
        assert "have different columns (pyarrow.Field<id: int64>)" in said
    apply(model, "rows", "out")
    assert [path.name for path in sorted(tmp_path.glob("out/*"))][-1] == "part-00001.parquet"
    apply(model, "rows", "out.jsonl")
    lines = Path("out.jsonl").read_text("utf8").splitlines()
    assert ["id" in json.loads(line) for line in lines] == [True] * 4 + [False] * 4


@pytest.mark.usefixtures("here")
def test_a_row_without_text_refuses_its_part_or_is_left_empty(model, tmp_path):
    rows = [dict(row) for row in ROWS]
    rows[17]["text"] = None
    write("rows.parquet", rows)
    arguments = (model, "rows.parquet", "--rows-per-part", 10)
    _, said = apply(*arguments, "out", expected=1)
    assert "rows 10 to 19 (counted from 0): row 17 (counted from 0): column 'text' is null" in said
    assert len(read(tmp_path / "out")) == N_ROWS - 10
    printed, _ = apply(*arguments, "null", "--on-error", "null")
    found = read(tmp_path / "null")
    assert found[17] == {**rows[17], "label": None, "score_positive": None, "score_negative": None}
    del found[17], rows[17]
    assert_annotated(found, model, rows)
    assert "failed rows 1 " in " ".join(printed.split())


@pytest.mark.usefixtures("here")
def test_gold_labels_stay_beside_columns_with_a_prefix(model, tmp_path):
    write("rows.parquet", [{**row, "label": "gold"} for row in ROWS])
    printed, _ = apply(model, "rows.parquet", "out.csv", "--prefix", "my_", "--no-scores")
    found = read_csv("out.csv")
    assert list(found[0]) == ["id", "text", "label", "my_label"]
    assert [(row["label"], row["my_label"]) for row in found] == [
        ("gold", row["label"]) for row in annotated(model)
    ]
    assert "gold" not in printed
    apply(model, "rows.parquet", "over", "--overwrite-columns")
    assert_annotated(read(tmp_path / "over"), model)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.parquet", "out"), "there is no such file or folder"),
        (("rows.parquet", "out.tsv"), "must end with one of .parquet, .jsonl, .csv"),
        (("rows.parquet", "file/out"), "Not a directory"),
        (("rows.parquet", "out", "--text-column", "body"), "there is no column 'body'"),
        (("rows.parquet", "out", "--component", "none"), "no component"),
        (
            ("rows.parquet", "out", "--set", "exclusive=true"),
            "'--set exclusive=...' has no meaning",
        ),
        (("docs.spacy", "out"), "holds documents of spaCy and no rows"),
        (("labelled.parquet", "out"), "new ones already ('label')"),
    ],
)
def test_what_cannot_be_done_ends_with_a_sentence(model, tmp_path, arguments, message):
    write("rows.parquet")
    write("labelled.parquet", [{**row, "label": "x"} for row in ROWS])
    Path("file").touch()
    _, said = apply(model, *arguments, expected=1)
    assert message in said
    assert not list(tmp_path.rglob("part-*"))


@pytest.mark.usefixtures("here")
def test_a_model_that_is_none_is_refused(tmp_path):
    write("rows.parquet")
    _, said = apply("nothing", "rows.parquet", "out", expected=1)
    assert "no pipeline 'nothing'" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("here")
def test_a_full_disk_is_an_error_and_what_is_complete_stays(model, tmp_path):
    Path("rows").mkdir()
    write("rows/a.parquet")
    write("rows/b.parquet", [{**row, "more": os.urandom(5000)} for row in ROWS])
    write("rows/c.parquet")
    with largest_file(50_000):
        printed, said = apply(model, "rows/*.parquet", "out", expected=1)
    assert "rows/b.parquet', rows 0 to 39 (counted from 0): cannot write 'out/part-00001" in said
    assert "File too large" in said
    assert "2 of 3 parts are missing The others are kept." in said
    assert [path.name for path in tmp_path.glob("out/*.parquet")] == ["part-00000.parquet"]
    assert not list(tmp_path.rglob("*.tmp"))
    assert printed.split()[:2] == ["rows", "40"]


@contextmanager
def largest_file(size):
    """Have the system refuse to write more to a file, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("here")
def test_who_stops_it_is_told_that_it_can_go_on(model, tmp_path, monkeypatch):
    def stopped_after_one(*arguments):
        events = run_here(*arguments)
        for event in events:
            yield event
            if event.kind == "done":
                raise KeyboardInterrupt

    write("rows.parquet")
    arguments = (model, "rows.parquet", "out", "--rows-per-part", 15)
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "run_tasks", stopped_after_one)
        done = CliRunner().invoke(app, ["apply", *map(str, arguments)])
    assert done.exit_code
    assert "Stopped. The parts that are complete are kept" in " ".join(done.stderr.split())
    assert len(list(tmp_path.glob("out/part-*"))) == 1
    apply(*arguments)
    assert_annotated(read(tmp_path / "out"), model)


@pytest.mark.usefixtures("here")
def test_a_file_that_cannot_be_joined_for_want_of_space_keeps_its_parts(
    model, tmp_path, monkeypatch
):
    def fail(*_):
        raise OSError(28, "No space left on device")

    write("rows.parquet")
    arguments = (model, "rows.parquet", "out.csv", "--rows-per-part", 20)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", fail)
        _, said = apply(*arguments, expected=1)
    assert "cannot write 'out.csv': [Errno 28] No space left on device. Its parts are kept" in said
    assert not (tmp_path / "out.csv").exists()
    assert len(list(tmp_path.glob(".out.csv.parts/part-*.csv"))) == 2
    printed, _ = apply(*arguments)
    assert printed.splitlines()[-1].split() == ["words/s", "-"]
    assert [row["id"] for row in read_csv("out.csv")] == [str(row["id"]) for row in ROWS]


# --- With processes -------------------------------------------------------------------------------

needs_forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
SLOW = """
import os
import time
from spacy.language import Language

@Language.component("slow")
def slow(doc):
    time.sleep(float(os.environ.get("SECONDS", 0)))
    return doc
"""


@pytest.fixture(scope="module")
def slow(model, tmp_path_factory):
    """A folder with a pipeline that takes a while for each document, and the code that it needs."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "slow.py").write_text(SLOW)
    import_file("slow", folder / "slow.py")
    nlp = spacy.load(model)
    nlp.add_pipe("slow")
    nlp.to_disk(folder / "model")
    return folder


def start(*arguments, seconds):
    """Run the command in a fork of this process, which has imported what it needs.

    Args:
        seconds: For each document.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks among threads
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        for stream, fd in (("out", 1), ("err", 2)):
            os.dup2(os.open(f"std{stream}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.environ["SECONDS"] = seconds
        app(["apply", *map(str, arguments)], standalone_mode=True)
    except SystemExit as error:
        status = error.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def words_of(name):
    return " ".join(Path(name).read_text("utf8").split())


@needs_forks
def test_after_a_kill_it_goes_on_and_ends_as_if_nothing_had_been(slow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.parquet")
    arguments = [slow / "model", "rows.parquet", "--rows-per-part", 5, "--code", slow / "slow.py"]
    child = start(*arguments, "out", "--workers", 2, seconds="0.05")
    while not list(tmp_path.glob("out/part-*")):
        assert os.waitpid(child, os.WNOHANG) == (0, 0), words_of("stderr.txt")
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    assert status_of(child) == -signal.SIGKILL
    stay_here(monkeypatch)
    assert 0 < len(list(tmp_path.glob("out/part-*"))) < 8
    apply(*arguments, "out")
    apply(*arguments, "undisturbed")
    found, wanted = (sorted(tmp_path.glob(f"{name}/part-*")) for name in ("out", "undisturbed"))
    assert [path.read_bytes() for path in found] == [path.read_bytes() for path in wanted]
    assert len(found) == 8
    assert not list(tmp_path.rglob("*.tmp"))
