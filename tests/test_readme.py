import fnmatch
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "docs/reading-data.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_links_to_in_the_repository_is_there(page):
    path = ROOT / page
    for target in LINK.findall(path.read_text(encoding="utf8")):
        assert (path.parent / target).exists(), target


def test_every_picture_of_the_readme_is_there_and_small():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 150_000, picture


def test_python_examples_of_the_readme_compile():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        compile(example, "README.md", "exec")


def commands_of_the_readme():
    """Those of all blocks, each in one line and without its comment."""
    text = (ROOT / "README.md").read_text(encoding="utf8").replace("\\\n", " ")
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        yield from (line.split("  #")[0] for line in block.splitlines() if line[:1] not in "#")


def test_commands_of_the_readme_do_not_overwrite_the_models_of_one_another():
    outputs = [
        match[1]
        for command in commands_of_the_readme()
        if (match := re.search(r"spacy train .*--output (\S+)", command))
    ]
    assert len(outputs) > 3
    # The project trains, too.
    assert len({"training", *outputs}) == len(outputs) + 1


def test_git_ignores_what_the_commands_of_the_readme_make():
    ignored = [
        line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf8").splitlines()
    ]
    # The output of a command that takes it as an argument is its last one in a line.
    made = r"--output (\S+)|> (\S+)|spacy pretrain \S+ (\S+)|(?:init-words|convert) \S+ (\S+)"
    outputs = {
        next(filter(None, match))
        for command in [*commands_of_the_readme(), *inline_commands_of_the_readme()]
        for match in re.findall(made + r"|init-config (\S+)", command)
    }
    assert {"page.html", "explanations.jsonl", "pretrained", "words", "corpus"} <= outputs
    for output in outputs - {"FILE"}:
        first = output.split("/")[0]
        assert any(fnmatch.fnmatch(first, pattern) for pattern in ignored), output


def inline_commands_of_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf8")
    return re.findall(r"`(python -m spacy [^`]+)`", text)


def test_nothing_asks_to_install_this_package_from_an_index():
    """It is on none: an extra of it helps only where a clone is installed."""
    paths = [
        *(ROOT / "spacy_attn").rglob("*.py"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "README.md",
    ]
    for path in paths:
        assert not re.search(r"pip install\s+\S?spacy-attn", path.read_text(encoding="utf8")), path
