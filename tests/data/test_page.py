"""The page on reading data shows the errors that are raised, and remedies that work."""

import json
from typing import NamedTuple

import pytest

from spacy_attn.data import DatasetError, HFDataset, HFPairs, HFTokens

from ..docs.pages import ROOT, Block, blocks

PAGE = "docs/reading-data.md"


class Case(NamedTuple):
    """A file, the error that it leads to, and the settings with which it is read, if any."""

    file: Block
    error: Block
    remedy: Block | None


def cases() -> list[Case]:
    found: list[Case] = []
    file, *others = blocks(PAGE)
    for block in others:
        if block.words == ("error",):
            found.append(Case(file, block, None))
        elif block.words == ("remedy",):
            found[-1] = found[-1]._replace(remedy=block)
        else:
            file = block
    return found


def reader_of(case, nlp):
    """Return what reads the file of a case, and the settings that lead to the error."""
    columns = case.file.content
    reader, given = HFDataset, {}
    if '"tokens"' in columns:
        reader = HFTokens
    elif '"target"' in columns or '"translation"' in columns:
        reader = HFPairs
    if '"translation"' in columns:
        given = {"source_column": "translation.fr", "target_column": "translation.en"}
    return lambda path, **settings: list(reader(path, **settings)(nlp)), given


def test_page_has_cases():
    text = (ROOT / PAGE).read_text(encoding="utf8")
    assert len(cases()) == text.count("```text error") > 5


@pytest.mark.filterwarnings("ignore:.*skipped 1 rows")
@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case.file))
def test_error_on_the_page_is_raised_and_its_remedy_works(nlp, tmp_path, case):
    name, *encoding = case.file.words
    read, given = reader_of(case, nlp)
    (tmp_path / name).write_bytes(case.file.content.encode(*encoding or ["utf8"]))
    with pytest.raises(DatasetError) as raised:
        read(name, **given)
    assert str(raised.value) == " ".join(case.error.content.split())
    if case.remedy:
        lines = (line.split(" = ", 1) for line in case.remedy.content.splitlines())
        assert read(name, **given | {setting: json.loads(value) for setting, value in lines})
