"""Parts appear when they are complete, and what was made of other arguments is not mixed in."""

import json
import os
from pathlib import Path

import pytest

from spacy_attn.tables.output_folder import Output

ARGUMENTS = {"model": "abc", "text column": "text", "set": []}
IDENTITIES = [{"rows": 2, "start": 0}, {"rows": 2, "start": 2}]


def add(output, number, content="rows"):
    record = {"rows of": IDENTITIES[number], "rows": 2}
    with output.writing_part(number, record) as path:
        path.write_text(content)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["out", "out.csv"])
def output(tmp_path, request):
    return Output(tmp_path / request.param)


def test_parts_that_are_complete_are_found_again(output):
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 1)
    with output.begun(ARGUMENTS, overwrite=False):
        found = output.finished(IDENTITIES, overwrite=False)
        assert found == {1: {"rows of": IDENTITIES[1], "rows": 2}}
        add(output, 0)
        assert list(output.finished(IDENTITIES, overwrite=False)) == [0, 1]


def test_a_part_that_fails_leaves_nothing_and_the_others_as_they_are(output):
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
        before = names(output.folder)
        with pytest.raises(FileNotFoundError), output.writing_part(1, {}) as path:
            path.write_text(Path("nothing").read_text())
        assert names(output.folder) == before
        assert list(output.finished(IDENTITIES, overwrite=False)) == [0]


def test_what_a_process_left_that_was_ended_is_removed_and_not_counted(output):
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
        add(output, 1)
    output.part(1).unlink()  # ended after its record was written
    left = output.folder / ".0123.tmp"
    left.write_text("half")
    with output.begun(ARGUMENTS, overwrite=False):
        assert not left.exists()
        assert list(output.finished(IDENTITIES, overwrite=False)) == [0]


def test_other_arguments_are_refused_and_named(output):
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
    other = {**ARGUMENTS, "text column": "body", "new": 1}
    message = r'text column was "text" and is "body"; new was null and is 1\. Give those'
    with pytest.raises(ValueError, match=message), output.begun(other, overwrite=False):
        pass
    assert output.part(0).exists()
    with output.begun(other, overwrite=True):
        assert not output.part(0).exists()
        assert output.finished(IDENTITIES, overwrite=True) == {}
        add(output, 1)
    # What is of the same arguments is kept in any case.
    with output.begun(other, overwrite=True):
        assert list(output.finished(IDENTITIES, overwrite=True)) == [1]


def test_parts_of_other_rows_are_refused(output):
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
        add(output, 1)
        for others in ([IDENTITIES[0], {}], IDENTITIES[:1]):
            with pytest.raises(ValueError, match=r"part-00001\.\w+' was made of other rows"):
                output.finished(others, overwrite=False)
        assert list(output.finished([IDENTITIES[0], {}], overwrite=True)) == [0]
        assert not output.part(1).exists()


def test_a_missing_part_may_be_of_other_rows_than_before(output):
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
        assert list(output.finished([IDENTITIES[0], {}, {}], overwrite=False)) == [0]


def test_only_one_process_writes_to_an_output(output):
    pytest.importorskip("fcntl")
    with (
        output.begun(ARGUMENTS, overwrite=False),
        pytest.raises(ValueError, match="another process is writing"),
        Output(output.path).begun(ARGUMENTS, overwrite=True),
    ):
        pass


def test_parts_of_a_single_file_are_joined_and_removed(tmp_path):
    output = Output(tmp_path / "rows.jsonl")
    (tmp_path / "rows.jsonl").write_text("old")
    with output.begun(ARGUMENTS, overwrite=True):
        add(output, 0, "a\n")
        add(output, 1, "b\n")
        assert (tmp_path / "rows.jsonl").read_text() == "old"
        output.finish(2)
    assert names(tmp_path) == ["rows.jsonl"]
    assert (tmp_path / "rows.jsonl").read_text() == "a\nb\n"


def test_parts_of_a_folder_stay(tmp_path):
    output = Output(tmp_path / "deep" / "out")
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
        add(output, 1)
        output.finish(2)
    assert names(output.path) == [".apply", "part-00000.parquet", "part-00001.parquet"]


@pytest.mark.parametrize(
    "name", ["out.json", "out.tsv", "out.parquet.gz", "out.csv.xz", "out.arrow"]
)
def test_files_that_are_not_written_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=f"'.*{name}' must end with one of .parquet, .jsonl, .csv"):
        Output(tmp_path / name)


def test_a_folder_may_end_like_parquet(tmp_path):
    (tmp_path / "out.parquet").mkdir()
    assert Output(tmp_path / "out.parquet").part(3) == tmp_path / "out.parquet/part-00003.parquet"


def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_are_refused(tmp_path):
    (tmp_path / "out").touch()
    (tmp_path / "out.csv").mkdir()
    for name, kind in (("out", "file; give the name of a folder"), ("out.csv", "folder; give")):
        with pytest.raises(ValueError, match=f"'.*{name}' is a {kind}"):
            Output(tmp_path / name)


def test_files_of_others_are_never_removed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    (tmp_path / "out.csv").touch()
    for overwrite in (False, True):
        with (
            pytest.raises(ValueError, match=r"has 'thesis\.txt' in it"),
            Output(tmp_path / "out").begun(ARGUMENTS, overwrite=overwrite),
        ):
            pass
    with (
        pytest.raises(ValueError, match=r"out.csv' exists; give another output, or --overwrite"),
        Output(tmp_path / "out.csv").begun(ARGUMENTS, overwrite=False),
    ):
        pass
    (tmp_path / "out" / "thesis.txt").rename(tmp_path / "out" / "part-00007.parquet")
    with (
        pytest.raises(ValueError, match="has parts of an unknown origin"),
        Output(tmp_path / "out").begun(ARGUMENTS, overwrite=False),
    ):
        pass


@pytest.mark.parametrize("data", ["out", "out/part-00000.parquet", "out/*.parquet", "./out/"])
def test_data_in_the_output_folder_are_never_removed(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part-00000.parquet").touch()
    with pytest.raises(ValueError, match="lies in the output 'out'; give another output"):
        Output(Path("out")).require_apart(data)
    for other in ("out.parquet", "outer/*.parquet", "owner/name"):
        Output(Path("out")).require_apart(other)
    Output(Path("out/part-00000.parquet")).require_apart(data)


def test_parts_of_another_program_are_never_removed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part-00000-of-00001.parquet").touch()
    with (
        pytest.raises(ValueError, match=r"has 'part-00000-of-00001\.parquet' in it"),
        Output(tmp_path / "out").begun(ARGUMENTS, overwrite=True),
    ):
        pass


def test_a_record_can_be_read_by_people(tmp_path):
    output = Output(tmp_path / "out")
    with output.begun(ARGUMENTS, overwrite=False):
        add(output, 0)
    assert json.loads((tmp_path / "out/.apply/arguments.json").read_text()) == ARGUMENTS
    assert json.loads((tmp_path / "out/.apply/part-00000.json").read_text())["rows"] == 2


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "out", tmp_path / "file" / "out.csv"):
        with pytest.raises(OSError, match="file"), Output(path).begun({}, overwrite=False):
            pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_cannot_be_written_to_is_an_error_of_the_system(tmp_path, output):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError), output.begun({}, overwrite=False):
        pass
