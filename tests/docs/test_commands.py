"""The commands of the pages exist, with the options that they are given."""

import fnmatch
import importlib.util
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from spacy.cli._util import app
from spacy.util import registry
from thinc.api import Config
from typer.main import get_command

from .pages import PAGES, ROOT, all_blocks, blocks, inline_code

# What commands of the pages call beside this project's own and spaCy.
TOOLS = {"mkdir", "mypy", "pip", "python3", "ruff", "sed", ".", "export", "sphinx-build"}
registry.cli.get_all()
SPACY = get_command(app)


def commands_of(page: str) -> Iterator[str]:
    """Go through the commands of a page, each in one line and without its comment."""
    for block in blocks(page, "bash"):
        for line in block.content.replace("\\\n", " ").splitlines():
            if line[:1] not in "#":
                yield from re.sub(r"\s\s*#.*", "", line).split(" && ")


def mentions_of(page: str) -> Iterator[str]:
    """Go through the commands in the text of a page, which may lack arguments."""
    yield from (code for code in inline_code(page) if code.startswith("python -m spacy "))


COMMANDS = [(page, command) for page in PAGES for command in commands_of(page)]
MENTIONS = [(page, command) for page in PAGES for command in mentions_of(page)]


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=str)
def test_command_exists_with_its_options(page, command, in_checkout):
    words = shlex.split(re.split(r"\s[>|]\s", command)[0])
    start = next(i for i, word in enumerate(words) if "=" not in word)
    program, *arguments = words[start:]
    if program == "python" and arguments[:2] == ["-m", "spacy"]:
        check_spacy(arguments[2:], in_checkout)
    elif program == "torchrun":
        check_spacy(arguments[arguments.index("spacy") + 1 :], in_checkout)
    elif program == "python" and arguments[0] == "-m":
        check_module(arguments[1], arguments[2:])
    elif program == "python" and arguments[0] == "-c":
        code = compile(arguments[1], page, "exec")
        if "training/model-best" in arguments[1]:
            exec(code, {"__name__": "__main__"})
    elif program == "python":
        assert (ROOT / arguments[0]).is_file()
    elif program == "pip" and arguments[0] == "install":
        check_pip(arguments[1:])
    else:
        assert program in TOOLS


@pytest.mark.parametrize(("page", "command"), MENTIONS, ids=str)
def test_command_in_a_text_exists_with_its_options(page, command):
    found, arguments = find_spacy_command(shlex.split(command)[3:])
    known = {"--help", *(option for each in found.params for option in each.opts)}
    for argument in arguments:
        if argument.startswith("-") and "." not in argument and argument != "-":
            assert argument in known, argument


def find_spacy_command(arguments: list[str]):
    """Return the command that the first words name, and the other words."""
    command, rest = SPACY, list(arguments)
    # COMMAND, in a text, is any of them.
    while hasattr(command, "commands") and rest and not rest[0].isupper():
        command = command.commands[rest.pop(0)]
    return command, rest


def check_spacy(words: list[str], folder: Path) -> None:
    """Let spaCy's command line read the words, and run nothing."""
    command, arguments = find_spacy_command(words)
    for argument in arguments:
        if re.fullmatch(r"\w[\w./-]*", argument):
            make_path(folder, argument)
    context = command.make_context(command.name, list(arguments))
    config = next((folder / word for word in arguments if word.endswith(".cfg")), None)
    for option in context.args[::2]:
        section, *keys = option.removeprefix("--").split(".")
        assert option.startswith("--"), option
        assert keys, f"there is no option {option}"
        if config and config.stat().st_size:
            value = Config().from_disk(config, interpolate=False)[section]
            for key in keys:
                value = value[key]


def make_path(folder: Path, argument: str) -> None:
    """Make what a reader of the page has: a file such as train.csv or CONFIG, or a folder."""
    path = folder / argument
    if not path.exists():
        assert Path(argument).parts[0] not in ("assets", "configs"), path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if path.suffix or argument.isupper() else path.mkdir()


def check_module(name: str, options: list[str]) -> None:
    """Whether a module can be run, and the text of its package knows the options."""
    spec = importlib.util.find_spec(name)
    if name in ("venv", "build", "pytest"):
        return
    assert spec is not None, name
    folder = Path(spec.origin).parent
    code = "".join(path.read_text(encoding="utf8") for path in folder.rglob("*.py"))
    for option in options:
        if option.startswith("--"):
            name = option.partition("=")[0].removeprefix("--").removeprefix("no-")
            assert re.search(rf'"--{name}"|\b{name.replace("-", "_")}\b', code), option


def check_pip(arguments: list[str]) -> None:
    """Whether the files and the extras that pip is given are there."""
    extras = metadata("spacy-attn").get_all("Provides-Extra")
    for option, value in pairwise(arguments):
        if option == "-c":
            assert (ROOT / value).is_file(), value
        if match := re.fullmatch(r"\.\[(.+)\]", value):
            assert set(match[1].split(",")) <= set(extras), value


def test_blocks_of_commands_are_marked_as_such():
    assert not all_blocks("sh", "shell", "console")


def test_commands_do_not_overwrite_the_models_of_one_another():
    """Those of the README, and those of the site: a reader may run all of them."""
    outputs = {
        (page, match[1])
        for page, command in COMMANDS
        if (match := re.search(r"spacy train .*--output (\S+)", command))
    }
    assert len(outputs) > 3
    # The project trains, too.
    assert "training" not in {output for page, output in outputs if "benchmarks" not in page}


def test_git_ignores_what_commands_make():
    ignored = [
        line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf8").splitlines()
    ]
    # The output of a command that takes it as an argument is its last one in a line.
    made = r"--output (\S+)|> (\S+)|spacy pretrain \S+ (\S+)|(?:init-words|convert) \S+ (\S+)"
    outputs = {
        next(filter(None, match))
        for page, command in [*COMMANDS, *MENTIONS]
        if not page.startswith("benchmarks/")
        for match in re.findall(made + r"|init-config (\S+)", command)
    }
    assert {"page.html", "explanations.jsonl", "pretrained", "words", "corpus"} <= outputs
    for output in outputs - {"FILE"}:
        first = output.split("/")[0]
        assert any(fnmatch.fnmatch(first, pattern) for pattern in ignored), output
