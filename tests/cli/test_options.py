"""Options that several commands have do the same in each."""

import io
import shutil
import sys
from pathlib import Path

import datasets
import pytest
import srsly
from spacy import util
from spacy.cli import app
from typer.main import get_command
from typer.testing import CliRunner

from spacy_attn.cli import app as attn_app
from spacy_attn.cli.console import progress
from spacy_attn.text_files import write_text

from ..conftest import TEXTS
from .test_spacy_commands import ROOT, run

COMMANDS = ["explain", "render", "report", "faithfulness"]
WITH_CONFIG = ["convert", "init-words"]


pytestmark = pytest.mark.usefixtures("load_once")


@pytest.fixture
def arguments(model, tmp_path, monkeypatch):
    """Make the arguments of a command, which works in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    rows = [{"text": text, "label": label} for text, label in TEXTS.items()]
    srsly.write_jsonl("rows.jsonl", rows)
    further = {"report": ["-o", "page.html"], "faithfulness": ["--methods", "contributions"]}
    config = [ROOT / "configs" / "default.cfg", "folder"]
    paths = [f"--paths.{name}=rows.jsonl" for name in ("train", "dev", "test")]

    def make(command):
        if command in WITH_CONFIG:
            return ["attn", command, *config, *paths]
        return ["attn", command, model, "rows.jsonl", *further.get(command, [])]

    return make


@pytest.mark.parametrize("command", ["train", "distill", *WITH_CONFIG])
@pytest.mark.parametrize("given", [["--cod", "here"], ["--cod=here"]])
def test_a_misspelled_option_is_named_with_the_one_that_may_be_meant(command, given, tmp_path):
    config = str(ROOT / "configs" / "default.cfg")
    further = {"train": [], "distill": ["teacher"]}.get(command, ["folder"])
    places = [*further, config] if command == "distill" else [config, *further]
    output = ["--output", str(tmp_path)] if command in ("train", "distill") else []
    # As spaCy, all of them take settings of the config, which a misspelled option may be.
    result = CliRunner().invoke(attn_app, [command, *places, *output, *given])
    assert result.exit_code == 1
    shown = " ".join(result.output.split())
    assert "There is no option '--cod'. Did you mean '--code'?" in shown
    assert "has a point in its name" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_code_may_register_components_of_the_pipeline(command, model, arguments, tmp_path):
    name = f"registered_for_{command}"
    shutil.copytree(model, "changed")
    config = util.load_config("changed/config.cfg")
    config["nlp"]["pipeline"] = [name, "attn_textcat"]
    config["components"][name] = {"factory": name}
    config.to_disk("changed/config.cfg")
    code = (
        f"from spacy.language import Language\nLanguage.component('{name}', func=lambda doc: doc)\n"
    )
    (tmp_path / "code.py").write_text(code)
    changed = ["changed" if argument == model else argument for argument in arguments(command)]
    assert name in run(*changed, code=1)
    run(*changed, "--code", "code.py")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_gpu_is_chosen_before_the_pipeline_is_loaded(command, arguments, monkeypatch):
    chosen = []

    def require_gpu(gpu_id):
        chosen.append(gpu_id)
        raise ValueError("Cannot use GPU, CuPy is not installed")

    monkeypatch.setattr("spacy.cli._util.require_gpu", require_gpu)
    run(*arguments(command), "--gpu-id", "-1")
    assert chosen == []
    errors = run(*arguments(command), "--gpu-id", "2", code=1)
    assert chosen == [2]
    assert "Can't use GPU 2; leave out --gpu-id to use the CPU" in errors
    assert "CuPy is not installed" in errors


@pytest.mark.parametrize("command", ["explain", "render", "faithfulness"])
def test_what_is_printed_for_scripts_has_no_word_on_the_gpu(command, arguments):
    assert "CPU" not in run(*arguments(command))


@pytest.mark.parametrize("command", [*COMMANDS, *WITH_CONFIG])
def test_a_bar_counts_the_documents(command, arguments, monkeypatch):
    counted = []

    def tqdm(docs, *, disable, **settings):
        assert disable is None  # it looks whether the standard error is a terminal
        for doc in docs:
            counted.append(doc)
            yield doc

    monkeypatch.setattr("spacy_attn.cli.console.tqdm", tqdm)
    run(*arguments(command))
    assert len(counted) == len(TEXTS) * (3 if command == "convert" else 1)


@pytest.mark.parametrize(
    ("terminals", "printing", "shown"),
    [
        ([], False, False),
        (["stdout"], False, False),
        (["stderr"], False, True),
        (["stderr"], True, True),
        (["stdout", "stderr"], False, True),
        # Results on the same terminal would be garbled.
        (["stdout", "stderr"], True, False),
    ],
)
def test_a_bar_is_shown_on_a_terminal_only(monkeypatch, terminals, printing, shown):
    for name in ("stdout", "stderr"):
        stream = io.StringIO()
        stream.isatty = lambda name=name: name in terminals
        monkeypatch.setattr(sys, name, stream)
    assert list(progress("ab", name="dev", printing=printing)) == ["a", "b"]
    assert ("dev:   0%" in sys.stderr.getvalue()) == shown
    assert bool(sys.stderr.getvalue()) == shown
    assert not sys.stdout.getvalue()


DATA_OPTIONS = ("split", "text_column", "label_column", "labels", "settings")


def test_commands_take_the_same_options_of_data():
    options = {
        command: {
            parameter.name: (parameter.opts, parameter.help)
            for parameter in get_command(attn_app).commands[command].params
            if parameter.name in DATA_OPTIONS
        }
        for command in COMMANDS
    }
    assert options["report"].keys() == set(DATA_OPTIONS)
    assert all(options[command] == options["report"] for command in COMMANDS)


@pytest.mark.parametrize("command", ["report", "faithfulness"])
def test_a_split_and_columns_are_read_by_name(command, arguments):
    rows = datasets.Dataset.from_dict({"review": list(TEXTS), "stars": [1, 1, 1, 0, 0, 0]})
    datasets.DatasetDict({"test": rows}).save_to_disk("saved")
    _, _, model, _, *further = arguments(command)
    data = ("saved", "--split", "test", "--text-column", "review", "--label-column", "stars")
    labels = ("--labels", "negative,positive")
    run("attn", command, model, *data, *labels, *further)
    errors = run("attn", command, model, *data, *labels, "--split", "dev", *further, code=1)
    assert "dev" in errors


@pytest.mark.filterwarnings("ignore:.*skipped 1 rows")
@pytest.mark.parametrize("command", COMMANDS)
def test_any_setting_of_the_reader_can_be_set(command, arguments):
    _, _, model, _, *further = arguments(command)
    rows = "text;label\nsch\xf6n;positive\nsch\xf6n;\ndull;negative\n"
    Path("rows.csv").write_text(rows, encoding="latin1")
    data = ("rows.csv", "--set", "encoding=latin-1", "--set", "delimiter=;")
    # Labels are read only where the command needs them or options name them.
    labels = ("--label-column", "label", "--set", "skip_missing=true")
    run("attn", command, model, *data, *labels, *further)
    errors = run("attn", command, model, *data, *labels[:2], *further, code=1)
    assert "row 1 (counted from 0): column 'label'" in " ".join(errors.split())
    for setting, message in (
        ("encodings=latin-1", "encodings"),
        ("limit=many", "write --limit"),
        ("skip_missing=perhaps", "skip_missing"),
        ("encoding", "write --set NAME=VALUE"),
    ):
        assert message in run(
            "attn", command, model, "rows.csv", "--set", setting, *further, code=1
        )


@pytest.mark.parametrize("command", [*COMMANDS, *WITH_CONFIG])
def test_errors_are_printed_on_the_standard_error(command, arguments):
    result = CliRunner().invoke(app, [*map(str, arguments(command)), "--code", "none.py"])
    assert result.exit_code == 1
    assert "Path to Python code not found" in result.stderr
    assert not result.stdout


@pytest.mark.parametrize("command", WITH_CONFIG)
def test_errors_of_a_config_are_printed_on_the_standard_error(command, arguments, tmp_path):
    changes = [
        ("--training.max_steps", "many") if command == "init-words" else ("--nlp.lang", "none"),
        ("--paths.train", "none.jsonl"),
        ("--corpora.train.no_such_setting", "1"),
    ]
    for change in changes:
        result = CliRunner().invoke(app, [*map(str, arguments(command)), *change])
        assert result.exit_code == 1, change
        assert isinstance(result.exception, SystemExit), change
        assert result.stderr
        assert "✘" not in result.stdout


def test_a_file_is_replaced_only_by_a_complete_one(tmp_path):
    path = tmp_path / "new" / "page.html"
    write_text(path, "old ü")
    path.chmod(0o640)
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new" * 100_000 + "\ud800")
    assert path.read_text("utf8") == "old ü"
    write_text(path, "newer")
    assert path.read_text("utf8") == "newer"
    assert path.stat().st_mode & 0o777 == 0o640
    link = tmp_path / "link.html"
    link.symlink_to(path)
    write_text(link, "newest")
    assert link.is_symlink()
    assert path.read_text("utf8") == "newest"
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    write_text(tmp_path / "one", "")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("report", "page.html"),
        ("render", "page.html"),
        ("faithfulness", "measured/faithfulness.html"),
        ("init-words", "folder/attn_textcat.json"),
    ],
)
def test_files_of_an_earlier_run_stay_when_writing_fails(command, output, arguments, monkeypatch):
    further = {"render": ["-o", "page.html"], "faithfulness": ["-o", "measured"]}
    command_line = [*arguments(command), *further.get(command, [])]
    run(*command_line)
    before = Path(output).read_bytes()

    def fsync(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    assert "No space left on device" in run(*command_line, code=1)
    assert Path(output).read_bytes() == before
    assert not [*Path(output).parent.glob(".*")]
