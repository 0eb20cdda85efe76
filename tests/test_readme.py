"""What README and the pages in docs/ link to, ask to run and make."""

import fnmatch
import re
from pathlib import Path

import pytest
from thinc.api import Config

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
GUIDE = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
PAGES = [*GUIDE, "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "benchmarks/RESULTS.md"]


def read(page):
    return (ROOT / page).read_text(encoding="utf8")


def anchors(path):
    """What GitHub and the site call the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_links_to_in_the_repository_is_there(page):
    for target, anchor in LINK.findall(read(page)):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_every_picture_of_the_readme_is_there_and_small():
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', read("README.md"))
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 150_000, picture


def test_readme_can_be_read_in_a_few_minutes():
    assert len(read("README.md").split()) <= 1500


def test_settings_that_the_guide_shows_are_the_defaults():
    block = re.search(
        r"## The settings of the model.*?```ini\n(.*?)```", read("docs/train.md"), re.DOTALL
    )
    shown = Config().from_str("[components]\n" + re.sub(r"  +#.*", "", block[1]))["components"][
        "attn_textcat"
    ]
    default = Config().from_disk(ROOT / "configs" / "default.cfg", interpolate=False)
    trained = default["components"]["attn_textcat"]
    assert shown == {name: value for name, value in trained.items() if name != "scorer"}


def test_python_examples_of_the_guide_compile():
    for page in GUIDE:
        for example in re.findall(r"```python\n(.*?)```", read(page), re.DOTALL):
            compile(example, page, "exec")


def commands_of_the_guide():
    """Those of all blocks, each in one line and without its comment."""
    for page in GUIDE:
        text = read(page).replace("\\\n", " ")
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
            yield from (line.split("  #")[0] for line in block.splitlines() if line[:1] not in "#")


def test_commands_of_the_guide_do_not_overwrite_the_models_of_one_another():
    trainings = {c for c in commands_of_the_guide() if re.search(r"spacy train .*--output", c)}
    outputs = [re.search(r"--output (\S+)", command)[1] for command in trainings]
    assert len(outputs) > 3
    # The project trains, too.
    assert len({"training", *outputs}) == len(outputs) + 1


def test_git_ignores_what_the_commands_of_the_guide_make():
    ignored = [line.strip("/") for line in read(".gitignore").splitlines()]
    # The output of a command that takes it as an argument is its last one in a line.
    made = r"--output (\S+)|> (\S+)|spacy pretrain \S+ (\S+)|init labels \S+ (\S+)"
    outputs = {
        next(filter(None, match))
        for command in commands_of_the_guide()
        for match in re.findall(
            made + r"|(?:init-words|convert) \S+ (\S+)|init-config (\S+)", command
        )
    }
    assert {"page.html", "explanations.jsonl", "pretrained", "words", "corpus"} <= outputs
    for output in outputs:
        first = output.split("/")[0]
        assert any(fnmatch.fnmatch(first, pattern) for pattern in ignored), output


def test_nothing_asks_to_install_this_package_from_an_index():
    """It is on none: an extra of it helps only where a clone is installed."""
    for path in [*(ROOT / "spacy_attn").rglob("*.py"), *(ROOT / page for page in GUIDE)]:
        assert not re.search(r"pip install\s+\S?spacy-attn", path.read_text(encoding="utf8")), path
