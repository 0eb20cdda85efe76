"""The page on reading data shows the errors that are raised, and remedies that work."""

import json
import re
from pathlib import Path

import pytest

from spacy_attn.data import DatasetError

PAGE = Path(__file__).parents[2] / "docs" / "reading-data.md"
CASE = re.compile(
    r"```\w+ (?P<name>rows\.\w+) ?(?P<encoding>\S*)\n(?P<content>.*?)```\n\n"
    r"```text error\n(?P<error>.*?)```\n"
    r"(?:\n```ini remedy\n(?P<remedy>.*?)```\n)?",
    re.DOTALL,
)
CASES = list(CASE.finditer(PAGE.read_text(encoding="utf8")))


def test_page_has_cases():
    assert len(CASES) == PAGE.read_text(encoding="utf8").count("```text error") > 5


@pytest.mark.filterwarnings("ignore:.*skipped 1 rows")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}-{case.start()}")
def test_error_on_the_page_is_raised_and_its_remedy_works(read, tmp_path, case):
    content = case["content"].encode(case["encoding"] or "utf8")
    (tmp_path / case["name"]).write_bytes(content)
    with pytest.raises(DatasetError) as raised:
        read(case["name"])
    assert str(raised.value) == " ".join(case["error"].split())
    if case["remedy"]:
        lines = (line.split(" = ", 1) for line in case["remedy"].splitlines())
        assert read(case["name"], **{name: json.loads(value) for name, value in lines})
