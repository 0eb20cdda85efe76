"""Options that several commands have do the same in each."""

import io
import sys

import pytest
import spacy
import srsly
from spacy import registry

from spacy_attn.cli.progress import progress

from ..conftest import TEXTS, make_nlp
from .test_spacy_commands import ROOT, run

COMMANDS = ["explain", "render", "report", "faithfulness"]
WITH_CONFIG = ["convert", "init-words"]


@pytest.fixture(scope="module", autouse=True)
def commands():
    registry.cli.get_all()  # as `python -m spacy` does, for the commands of plugins


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """Make the arguments of a command, which works on a pipeline in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    make_nlp().to_disk("model")
    rows = [{"text": text, "label": label} for text, label in TEXTS.items()]
    srsly.write_jsonl("rows.jsonl", rows)
    further = {"report": ["-o", "page.html"], "faithfulness": ["--methods", "contributions"]}
    config = [ROOT / "configs" / "default.cfg", "folder"]
    paths = [f"--paths.{name}=rows.jsonl" for name in ("train", "dev", "test")]

    def make(command):
        if command in WITH_CONFIG:
            return ["attn", command, *config, *paths]
        return ["attn", command, "model", "rows.jsonl", *further.get(command, [])]

    return make


@pytest.mark.parametrize("command", COMMANDS)
def test_code_may_register_components_of_the_pipeline(command, arguments, tmp_path):
    name = f"registered_for_{command}"
    nlp = spacy.load("model")
    config = nlp.config
    config["nlp"]["pipeline"] = [name, "attn_textcat"]
    config["components"][name] = {"factory": name}
    config.to_disk(tmp_path / "model" / "config.cfg")
    code = (
        f"from spacy.language import Language\nLanguage.component('{name}', func=lambda doc: doc)\n"
    )
    (tmp_path / "code.py").write_text(code)
    assert name in run(*arguments(command), code=1)
    run(*arguments(command), "--code", "code.py")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_gpu_is_chosen_before_the_pipeline_is_loaded(command, arguments, monkeypatch):
    chosen = []

    def require_gpu(gpu_id):
        chosen.append(gpu_id)
        raise ValueError("there is no GPU here")

    monkeypatch.setattr("spacy.cli._util.require_gpu", require_gpu)
    run(*arguments(command), "--gpu-id", "-1")
    assert chosen == []
    with pytest.raises(ValueError, match="no GPU here"):
        run(*arguments(command), "--gpu-id", "2")
    assert chosen == [2]


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

    monkeypatch.setattr("spacy_attn.cli.progress.tqdm", tqdm)
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
