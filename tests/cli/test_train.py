"""`python -m spacy attn train`, in one process and in two."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.cli import app
from spacy.util import load_config
from typer.testing import CliRunner

from ..conftest import SMALL_MODEL, TEXTS
from ..in_processes import Failure, run_in_processes

CONFIG = Path(__file__).parents[2] / "configs" / "default.cfg"
# Dies in the second process, before its third step.
DYING = """
import os, signal
from spacy import registry

@registry.callbacks("tests.dying.v1")
def make_die():
    def die(nlp, at):
        if at["step"] == 2 and os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
    return die
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A config, and rows that it trains on."""
    folder = tmp_path_factory.mktemp("training")
    rows = [{"text": text, "label": label} for text, label in TEXTS.items()] * 3
    srsly.write_jsonl(folder / "rows.jsonl", rows)
    config = load_config(CONFIG)
    config["components"]["attn_textcat"]["model"] = {**SMALL_MODEL, "dropout": 0.3}
    config["paths"].update(train=str(folder / "rows.jsonl"), dev=str(folder / "rows.jsonl"))
    config["training"].update(max_steps=4, eval_frequency=2)
    config["initialize"]["before_init"] = config["initialize"]["after_init"] = None
    config["training"]["batcher"]["size"] = 5
    config.to_disk(folder / "small.cfg")
    return folder


def call(*arguments):
    done = CliRunner().invoke(app, ["attn", "train", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def call_in_two(*arguments):
    found = run_in_processes(lambda: call(*arguments), connected=False)
    for each in found:
        assert not isinstance(each, Failure), each
    return found


def test_one_process_trains_as_spacy_does(folder, tmp_path):
    code, stdout, _ = call(folder / "small.cfg", "--output", tmp_path / "ours")
    assert code == 0
    assert "Saved pipeline to output directory" in stdout
    theirs = ["train", str(folder / "small.cfg"), "--output", str(tmp_path / "theirs")]
    assert CliRunner().invoke(app, theirs).exit_code == 0
    ours, theirs = (spacy.load(tmp_path / name / "model-last") for name in ("ours", "theirs"))
    assert ours.get_pipe("attn_textcat").to_bytes() == theirs.get_pipe("attn_textcat").to_bytes()


def test_two_processes_train_one_pipeline_and_the_first_says_so(folder, tmp_path):
    output = tmp_path / "new" / "output"
    (code, stdout, _), (other_code, other_stdout, other_stderr) = call_in_two(
        folder / "small.cfg", "--output", output, "--training.max_steps", "2"
    )
    assert (code, other_code) == (0, 0)
    assert (other_stdout, other_stderr) == ("", "")
    assert stdout.count("Saved pipeline to output directory") == 1
    assert [line.split()[1] for line in stdout.splitlines() if line[:3].strip() == "0"] == [
        "0",
        "2",
    ]
    for name in ("model-best", "model-last"):
        assert spacy.load(output / name)("great fun").cats
    config = load_config(output / "model-last" / "config.cfg")
    assert config["training"]["logger"]["@loggers"] == "spacy.ConsoleLogger.v1"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["--training.batcher.size", "many"], "Config error for 'spacy.batch_by_sequence.v1'"),
        (["--corpora.train.limit", "1"], "has fewer documents, 1, than there are processes, 2"),
        (["--gpu-id", "0"], "there are 0 GPUs"),
        (["--output", "/dev/null/folder"], "Not a directory"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(folder, overrides, message):
    first, second = call_in_two(folder / "small.cfg", *overrides)
    assert first[0] == second[0] == 1
    assert message in " ".join((first[1] + first[2]).split())
    assert "Traceback" not in "".join([*first[1:], *second[1:]])


def torchrun(*arguments, **settings):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *launcher, "-m", "spacy", "attn", "train", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, **settings
    )


@pytest.mark.slow
def test_torchrun_trains_on_a_streamed_corpus(folder, tmp_path):
    streamed = ["--corpora.train.streaming", "true", "--corpora.train.shuffle_buffer", "10"]
    settings = ["--training.max_epochs", "-1", "--output", tmp_path]
    done = torchrun(folder / "small.cfg", *streamed, *settings, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Saved pipeline to output directory") == 1
    assert spacy.load(tmp_path / "model-best")("great fun").cats


@pytest.mark.slow
def test_torchrun_ends_with_an_error_within_a_minute_of_the_death_of_a_process(folder, tmp_path):
    (tmp_path / "dying.py").write_text(DYING)
    config = load_config(folder / "small.cfg")
    config["training"]["before_update"] = {"@callbacks": "tests.dying.v1"}
    config.to_disk(tmp_path / "dying.cfg")
    done = torchrun(tmp_path / "dying.cfg", "--code", tmp_path / "dying.py", timeout=60)
    assert done.returncode != 0
    assert f"exitcode  : -{signal.SIGKILL.value}" in done.stderr
